"""Proxies on raw sockets: HTTP (CONNECT and whole URLs), SOCKS4 and SOCKS5. Each keeps what it was asked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit


class Proxy:
    """Serves one kind of proxying on a loopback port; `seen` holds targets and headers."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.seen: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._begin(self._accept)

    @property
    def url(self) -> str:
        """The value for ``--proxy``."""
        return f"{self.kind}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End it and everything that goes through it."""
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def _begin(target: Callable[..., None], *args: object) -> None:
        threading.Thread(target=target, args=args, daemon=True, name="proxy").start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                self._begin(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            upstream = {"http": self._http, "socks4": self._socks4, "socks5": self._socks5}[self.kind](client)
            self._sockets.append(upstream)
            self._begin(self._pump, upstream, client)
            self._pump(client, upstream)

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)

    def _http(self, client: socket.socket) -> socket.socket:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        text = head.decode("latin-1")
        self.seen.append(text)
        method, target, _ = text.split(" ", 2)
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            upstream = socket.create_connection((host, int(port)))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return upstream
        parts = urlsplit(target)
        upstream = socket.create_connection((parts.hostname or "", parts.port or 80))
        upstream.sendall(text.replace(target, parts.path, 1).encode("latin-1"))
        return upstream

    def _socks4(self, client: socket.socket) -> socket.socket:
        head = client.recv(8)
        port = int.from_bytes(head[2:4], "big")
        host = socket.inet_ntoa(head[4:8])
        while client.recv(1) != b"\0":
            pass
        self.seen.append(f"{host}:{port}")
        upstream = socket.create_connection((host, port))
        client.sendall(b"\0\x5a" + b"\0" * 6)
        return upstream

    def _socks5(self, client: socket.socket) -> socket.socket:
        client.recv(2 + 255)
        client.sendall(b"\5\0")
        head = client.recv(4)
        host = socket.inet_ntoa(client.recv(4)) if head[3] == 1 else client.recv(client.recv(1)[0]).decode()
        port = int.from_bytes(client.recv(2), "big")
        self.seen.append(f"{host}:{port}")
        upstream = socket.create_connection((host, port))
        client.sendall(b"\5\0\0\1" + b"\0" * 6)
        return upstream
