"""nginx serves its directory over HTTP and TLS, and its log can be read."""

from __future__ import annotations

import socket
import ssl
import urllib.request

import pytest

from tests.servers.nginx import Nginx


@pytest.mark.parametrize("tls", [False, True])
def test_it_serves_ranges(nginx: Nginx, tls: bool) -> None:
    (nginx.root / "self.txt").write_bytes(b"0123456789")
    request = urllib.request.Request(nginx.url("self.txt", tls=tls), headers={"Range": "bytes=2-4"})
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(nginx.ca_file))),
    )
    with opener.open(request, timeout=10) as answer:
        assert (answer.status, answer.read()) == (206, b"234")
    assert any(line.endswith(" 206 3 bytes=2-4") for line in nginx.access_lines())


def test_over_tls_http_2_is_spoken(nginx: Nginx) -> None:
    trust = ssl.create_default_context(cafile=str(nginx.ca_file))
    trust.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", nginx.tls_port), 10) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.selected_alpn_protocol() == "h2"
