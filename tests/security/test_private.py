"""S18: a public page leads to no private address, written in whatever way, and through no proxy either."""

from __future__ import annotations

from pathlib import Path

import pytest

import penstock
from tests.cli.command import penstock as run
from tests.engine.helpers import fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

HOSTS = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "localhost", "[::ffff:127.0.0.1]",
         "[::1]", "[::]", "[::ffff:7f00:1]"]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_S18_this_machine_is_private_however_it_is_written(
    fault_server: FaultServer, tmp_path: Path, host: str
) -> None:
    url = fault_server.serve("/a", Content(100)).replace("127.0.0.1", host)
    error = fetch(url, tmp_path, public_only=True, max_tries=1).failed(penstock.DownloadError)
    assert error.reason in {penstock.Reason.PRIVATE, penstock.Reason.NAME_RESOLUTION}
    assert fault_server.connections == 0


def test_S18_what_no_proxy_names_is_guarded_although_there_is_a_proxy(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fault_server.serve("/a", Content(100))
    for name, value in (("http_proxy", "http://127.0.0.1:1"), ("no_proxy", "127.0.0.1"), ("NO_PROXY", "127.0.0.1")):
        monkeypatch.setenv(name, value)
    for options in ({}, {"proxy": "http://127.0.0.1:1"}):
        error = fetch(url, tmp_path, public_only=True, max_tries=1, **options).failed(penstock.NetworkError)
        assert error.reason is penstock.Reason.PRIVATE
    assert fault_server.connections == 0


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "10.0.0.1", "localhost", "[::ffff:10.0.0.1]", "2852039166", "x.local"]
)
@pytest.mark.parametrize("first", ["page", "picture"])
def test_S18_no_proxy_is_asked_to_follow_a_redirect_inside(
    fault_server: FaultServer, tmp_path: Path, host: str, first: str
) -> None:
    def script(request: Request, reply: Reply) -> None:
        inside = f"http://{host}/latest/meta-data"
        if request.path == "/robots.txt":
            reply.become(404)
        elif request.path == ("/" if first == "page" else "/hop.png"):
            reply.redirect(inside)
        elif request.path == "/":
            reply.become(200, {"Content-Type": "text/html"}, f"<img src=/hop.png><img src='{inside}'>".encode())
        else:
            reply.become(200, {}, b"a secret")

    fault_server.script = script
    changes = {"NO_PROXY": "", "no_proxy": ""}
    told = run("page", "http://public.example/", "-d", str(tmp_path), "--proxy", fault_server.url(""), **changes)
    assert told.returncode == 1
    assert "a redirect to a private address" in told.stderr
    assert {request.headers["host"] for request in fault_server.log} == {"public.example"}
    assert list(tmp_path.iterdir()) == []
