"""Speak HTTP on a bare socket, to see exactly what a server does: for the servers' own tests."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Self

SECONDS = 10


@dataclass
class Answer:
    """What came: the status, headers by lower-case name, the body, and how it ended."""

    status: int
    headers: dict[str, str]
    body: bytes
    #: "whole" (all that was announced came), "closed" or "reset".
    end: str


class Client:
    """One connection; `get` may be called again as long as the server keeps it."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.settimeout(SECONDS)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((host, port))
        self._buffered = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, path: str, *lines: str, method: str = "GET") -> None:
        """Send a request and read nothing."""
        self.socket.sendall("\r\n".join([f"{method} {path} HTTP/1.1", "Host: here", *lines, "", ""]).encode())

    def get(self, path: str, *lines: str, method: str = "GET") -> Answer:
        """Send a request and read its answer. Raises ConnectionError when there is none."""
        self.ask(path, *lines, method=method)
        return self.read(has_body=method != "HEAD")

    def read(self, *, has_body: bool = True) -> Answer:
        """Read one answer."""
        while b"\r\n\r\n" not in self._buffered:
            received = self.socket.recv(65536)
            if not received:
                raise ConnectionError("closed without an answer")
            self._buffered += received
        head, _, self._buffered = self._buffered.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers["content-length"]) if "content-length" in headers else None
        body, end = self._body(length) if has_body else (b"", "whole")
        return Answer(int(first.split()[1]), headers, body, end)

    def _body(self, length: int | None) -> tuple[bytes, str]:
        """A body of `length` bytes, or of all that comes."""
        while length is None or len(self._buffered) < length:
            try:
                received = self.socket.recv(65536)
            except ConnectionResetError:
                return self._buffered, "reset"
            if not received:
                return self._buffered, "closed"
            self._buffered += received
        body, self._buffered = self._buffered[:length], self._buffered[length:]
        return body, "whole"

    def rest(self) -> bytes:
        """Everything until the end."""
        return self._body(None)[0]

    def is_over(self) -> bool:
        """The server closed or reset the connection. Waits for that."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
