"""Servers that cannot be reached, or not be trusted: waited for where that may help, told at once where it cannot."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

import penstock
from penstock.errors import Reason
from penstock.events import Retried
from tests.engine.helpers import MB, assert_whole, become, fetch
from tests.servers.blackhole import BlackHole
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request
from tests.servers.nginx import make_certificate
from tests.servers.proxy import Proxy

CONTENT = Content(3 * MB)


def test_F33_a_refused_connection_is_said_soon(tmp_path: Path) -> None:
    with FaultServer() as server:
        url = server.url("/a")
    error = fetch(url, tmp_path).failed(penstock.NetworkError)
    assert error.reason is penstock.Reason.CONNECTION
    assert "refused" in str(error)


def test_F33_a_name_that_does_not_exist_is_said_soon(tmp_path: Path) -> None:
    error = fetch("http://no-such-host.invalid/a", tmp_path).failed(penstock.NetworkError)
    assert error.reason is penstock.Reason.NAME_RESOLUTION


def test_F33_an_address_that_nothing_leads_to_is_tried_again_and_told(tmp_path: Path) -> None:
    story = fetch("http://[2001:db8::1]/a", tmp_path, connect_timeout=0.5)
    assert story.failed(penstock.NetworkError).reason in {penstock.Reason.CONNECTION, penstock.Reason.TIMEOUT}
    assert len(story.all(Retried)) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"days": 0}, "expired"),
        ({"names": "DNS:elsewhere.example"}, "127.0.0.1"),
        ({}, "self-signed"),
    ],
)
def test_F33_S10_a_certificate_that_is_not_to_be_trusted_is_told_at_once(
    tmp_path: Path, kind: dict[str, object], words: str
) -> None:
    home = tmp_path / "tls"
    home.mkdir()
    make_certificate(home, **kind)  # type: ignore[arg-type]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "cert.pem", home / "key.pem")
    with FaultServer(context=context) as server:
        url = server.serve("/a", CONTENT)
        trusted = {"ca_file": home / "cert.pem"} if kind else {}
        error = fetch(url, tmp_path / "d", **trusted).failed(penstock.NetworkError)
        assert error.reason is penstock.Reason.TLS
        assert words in str(error).replace("self signed", "self-signed")
        assert server.connections == 1, "trying again cannot help"
        assert server.log == [], "nothing was asked of it"
        assert_whole(fetch(url, tmp_path / "d", insecure=True, **trusted), CONTENT)


def test_F34_a_dead_ipv6_address_does_not_hold_up_a_live_ipv4_one(fault_server: FaultServer, tmp_path: Path) -> None:
    """``localhost`` has both families for libcurl: nothing ever answers at ::1, the server is at 127.0.0.1."""
    try:
        hole = BlackHole("::1", fault_server.port)
    except OSError:
        pytest.skip("no IPv6 here")
    with hole:
        if not hole.is_black:
            pytest.skip("this system refuses what is beyond a listener's queue")
        url = fault_server.serve("/a", CONTENT).replace("127.0.0.1", "localhost")
        # a connection that waited for ::1 would run into the time-out and be tried again
        story = fetch(url, tmp_path, connect_timeout=3.0)
        assert_whole(story, CONTENT)
        assert not story.all(Retried)
        dead = fetch(url, tmp_path / "6", ip_version=6, connect_timeout=0.3, max_tries=1)
        assert dead.failed(penstock.NetworkError).reason is penstock.Reason.TIMEOUT, "the address is dead indeed"


def test_F32_a_proxy_that_strips_range_is_read_as_one_stream(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    with Proxy("http", strips=("range", "if-range")) as proxy:
        result = assert_whole(fetch(url, tmp_path, proxy=proxy.url), CONTENT)
    assert result.connections == 1
    assert proxy.seen
    assert not any("range" in request.headers for request in fault_server.log)


def test_F33_a_proxy_that_refuses_a_public_page_s_file_is_named_and_no_private_address(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    def script(_request: Request, reply: Reply) -> None:
        become(reply, 403)

    fault_server.script = script
    options = {"proxy": fault_server.url(""), "max_tries": 1, "public_only": True}
    error = fetch("https://e.example/a", tmp_path, **options).failed(penstock.DownloadError)
    assert error.reason is Reason.PROXY
    assert "403" in str(error)


@pytest.mark.parametrize("status", [407, 502])
def test_F33_a_proxy_that_refuses_is_named(fault_server: FaultServer, tmp_path: Path, status: int) -> None:
    """The fault server stands in for the proxy: it answers for everybody."""

    def script(_request: Request, reply: Reply) -> None:
        become(reply, status)

    fault_server.script = script
    error = fetch("http://e.example/a", tmp_path, proxy=fault_server.url(""), max_tries=2).failed(
        penstock.DownloadError
    )
    assert str(status) in str(error)
    assert list(tmp_path.iterdir()) == []
