"""Proxies on raw sockets: HTTP (CONNECT and whole URLs), SOCKS4 and SOCKS5. Each keeps what it was asked."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

#: A head longer than this is no request.
_LARGEST_HEAD = 1 << 20


class RefusedError(OSError):
    """The proxy ends this conversation: it was left, asked nonsense, or not given its password."""


class Proxy:
    """Serves one kind of proxying (``http``, ``socks4``, ``socks4a``, ``socks5``, ``socks5h``) on a loopback port.

    `seen` holds heads (http) or ``host:port`` (socks), in order. With `user` (``name:password``) everybody without it
    is turned away; `refused` counts them. An http proxy drops the header fields that it `strips` (lower case).
    """

    def __init__(self, kind: str, *, user: str | None = None, strips: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self.user = user
        self.strips = strips
        self.seen: list[str] = []
        self.refused = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._begin(self._accept)

    @property
    def url(self) -> str:
        """The value for ``--proxy``, with the credentials it wants."""
        return f"{self.kind}://{f'{self.user}@' if self.user else ''}127.0.0.1:{self.port}"

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
        ask = {"h": self._http, "4": self._socks4, "5": self._socks5}[self.kind.removeprefix("socks")[0]]
        with contextlib.suppress(OSError, ValueError, IndexError), client, ask(client) as upstream:
            self._sockets.append(upstream)
            back = threading.Thread(target=self._pump, args=(upstream, client), daemon=True, name="proxy")
            back.start()
            self._pump(client, upstream)
            back.join()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                sink.sendall(block)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_WR)

    def _http(self, client: socket.socket) -> socket.socket:
        head = b""
        while b"\r\n\r\n" not in head:
            received = client.recv(65536)
            if not received or len(head) > _LARGEST_HEAD:
                raise RefusedError
            head += received
        text = head.decode("latin-1")
        self.seen.append(text)
        method, target, _ = text.split(" ", 2)
        if self.user is not None and f"Basic {base64.b64encode(self.user.encode()).decode()}" not in text:
            self.refused += 1
            client.sendall(
                b'HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm="proxy"\r\n'
                b"Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
            raise RefusedError
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            upstream = socket.create_connection((host.strip("[]"), int(port)))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return upstream
        parts = urlsplit(target)
        upstream = socket.create_connection((parts.hostname or "", parts.port or 80))
        upstream.sendall(self._forwarded(text).encode("latin-1"))
        return upstream

    def _forwarded(self, head: str) -> str:
        """The request as its origin gets it: no word for the proxy, and the connection ends with it.

        The next request on the client's side may be for another origin, so each gets a connection of its own.
        """
        first, *lines = head.partition("\r\n\r\n")[0].split("\r\n")
        method, target, version = first.split(" ", 2)
        parts = urlsplit(target)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        dropped = ("proxy-", "connection:", *(f"{name}:" for name in self.strips))
        kept = [line for line in lines if not line.lower().startswith(dropped)]
        return "\r\n".join([f"{method} {path} {version}", *kept, "Connection: close"]) + "\r\n\r\n"

    def _socks4(self, client: socket.socket) -> socket.socket:
        head = _exactly(client, 8)
        port = int.from_bytes(head[2:4], "big")
        host = socket.inet_ntoa(head[4:8])
        _text(client)  # the user's name, which proves nothing
        if host.startswith("0.0.0.") and host != "0.0.0.0":
            host = _text(client)  # SOCKS4a: the proxy looks the name up
        self.seen.append(f"{host}:{port}")
        upstream = socket.create_connection((host, port))
        client.sendall(b"\0\x5a" + b"\0" * 6)
        return upstream

    def _socks5(self, client: socket.socket) -> socket.socket:
        self._greet_socks5(client)
        kind = _exactly(client, 4)[3]
        if kind == 1:
            host = socket.inet_ntoa(_exactly(client, 4))
        elif kind == 4:
            host = socket.inet_ntop(socket.AF_INET6, _exactly(client, 16))
        else:
            host = _counted(client).decode()
        port = int.from_bytes(_exactly(client, 2), "big")
        self.seen.append(f"{host}:{port}")
        upstream = socket.create_connection((host, port))
        client.sendall(b"\5\0\0\1" + b"\0" * 6)
        return upstream

    def _greet_socks5(self, client: socket.socket) -> None:
        """Agree on how the client says who it is (RFC 1928 §3, RFC 1929)."""
        _exactly(client, 1)
        methods = _counted(client)
        if self.user is None:
            client.sendall(b"\5\0")
            return
        if 2 not in methods:
            self.refused += 1
            client.sendall(b"\5\xff")
            raise RefusedError
        client.sendall(b"\5\2")
        _exactly(client, 1)
        name, password = _counted(client).decode(), _counted(client).decode()
        if f"{name}:{password}" != self.user:
            self.refused += 1
            client.sendall(b"\1\1")
            raise RefusedError
        client.sendall(b"\1\0")


def _exactly(client: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        more = client.recv(count - len(received))
        if not more:
            raise RefusedError
        received += more
    return received


def _text(client: socket.socket) -> str:
    """Text up to a zero byte."""
    received = b""
    while not received.endswith(b"\0") and len(received) < _LARGEST_HEAD:
        received += _exactly(client, 1)
    return received[:-1].decode()


def _counted(client: socket.socket) -> bytes:
    """A byte that says how many follow, and those."""
    return _exactly(client, _exactly(client, 1)[0])
