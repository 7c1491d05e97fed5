"""The proxies pass on what they are asked, note it, and let nobody in without the password."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.servers.content import Content
from tests.servers.fault import FaultServer
from tests.servers.proxy import Proxy
from tests.servers.raw import Client

CONTENT = Content(300_000)
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")


def curl(proxy_url: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["curl", "-q", "-s", "-S", "-f", "--noproxy", "", "--proxy", proxy_url, *arguments],
        capture_output=True,
        timeout=20,
        check=False,
    )


@needs_curl
@pytest.mark.parametrize("kind", ["http", "socks4", "socks5"])
def test_a_file_comes_through_byte_by_byte(fault_server: FaultServer, kind: str) -> None:
    url = fault_server.serve("/a.bin", CONTENT) + "?key=value"
    with Proxy(kind) as proxy:
        done = curl(proxy.url, url, url)
    assert done.stderr == b""
    assert done.stdout == CONTENT.read(0, CONTENT.size) * 2
    assert f"127.0.0.1:{fault_server.port}" in proxy.seen[0]
    assert [request.path for request in fault_server.log] == ["/a.bin?key=value"] * 2
    assert not any(name.startswith("proxy-") for name in fault_server.log[0].headers)


@needs_curl
def test_a_tunnel_is_only_bytes(fault_server: FaultServer) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    with Proxy("http") as proxy:
        assert curl(proxy.url, "--proxytunnel", url).stdout == CONTENT.read(0, CONTENT.size)
    assert proxy.seen[0].startswith(f"CONNECT 127.0.0.1:{fault_server.port} ")


@needs_curl
@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_only_the_password_opens(fault_server: FaultServer, kind: str) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    with Proxy(kind, user="ada:lovelace") as proxy:
        assert curl(proxy.url, url).stdout == CONTENT.read(0, CONTENT.size)
        assert proxy.refused == 0
        for wrong in ("", "ada:byron@"):
            assert curl(f"{kind}://{wrong}127.0.0.1:{proxy.port}", url).returncode != 0
        assert proxy.refused == 2
    assert len(fault_server.log) == 1


def test_someone_who_leaves_early_is_let_go() -> None:
    with Proxy("http") as proxy, Client(proxy.port) as client:
        client.socket.sendall(b"GET http")
        client.socket.shutdown(1)
        assert client.is_over()
