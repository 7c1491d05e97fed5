"""An HTTP server on raw sockets that is right by default and misbehaves exactly as told.

For each request it makes the correct `Reply`; a script may then change anything about it:

    def script(request, reply):
        if request.connection == 2:
            reply.reset_after = 100_000        # a RST after so many bytes of body

    server.serve("/a.bin", Content(1_000_000))
    server.script = script

Connections are numbered from 1 in the order they came; every request is kept in `server.log`. Nothing here sleeps
without watching for the server's end, so closing is quick.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime

from tests.servers.content import Content

#: Paced bodies go out in slices of this many seconds.
_SLICE_SECONDS = 0.005
_LARGEST_SLICE = 256 * 1024
LAST_MODIFIED = "Mon, 01 Jan 2024 00:00:00 GMT"


@dataclass
class File:
    """What is served under a path. Replace it to change the file on the server."""

    content: Content
    etag: str | None = '"1"'
    last_modified: str | None = LAST_MODIFIED
    content_type: str | None = "application/octet-stream"
    headers: tuple[tuple[str, str], ...] = ()
    ranges: bool = True


@dataclass
class Request:
    """One request as it came. `start` and `stop` are the asked range, half-open; None where it did not ask."""

    connection: int
    #: Its number on its connection, from 1.
    turn: int
    #: Its number on the server, from 1.
    number: int
    method: str
    path: str
    headers: dict[str, str]
    at: float
    start: int | None = None
    stop: int | None = None
    status: int = 0
    #: Bytes of body that were sent.
    sent: int = 0


@dataclass
class Reply:
    """An answer and its faults. Byte counts are of the body."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    content: Content | None = None
    start: int = 0
    stop: int = 0
    #: Bytes per second; None for as fast as it goes.
    rate: float | None = None
    #: Seconds before the head.
    delay: float = 0.0
    reset_after: int | None = None
    close_after: int | None = None
    stall_after: int | None = None
    #: Bytes to send behind the end of the body.
    extra: bytes = b""
    chunked: bool = False
    #: Close when done, whatever was said.
    close: bool = False
    #: Never answer.
    silent: bool = False
    #: Reset at once, without an answer.
    refuse: bool = False
    #: Send exactly this instead of everything.
    raw: bytes | None = None
    #: A body that is no content's.
    body: bytes | None = None
    version: str = "HTTP/1.1"


Script = Callable[[Request, Reply], None]


class FaultServer:
    """Serves on a loopback port from construction to `close`; a context manager."""

    def __init__(self, *, host: str = "127.0.0.1", context: ssl.SSLContext | None = None, send_buffer: int = 64 * 1024) -> None:
        self.script: Script = lambda _request, _reply: None
        #: Rates in bytes per second, given to connections in turn.
        self.rates: list[float] = []
        #: Seconds from request to answer, and again for a new connection.
        self.round_trip = 0.0
        self.log: list[Request] = []
        self.connections = 0
        self.live = 0
        self._files: dict[str, File] = {}
        self._context = context
        self._send_buffer = send_buffer
        self._changed = threading.Condition()
        self._host = host
        self._listen(0)

    def _listen(self, port: int) -> None:
        self._ended = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((self._host, port))
        self._listener.listen(128)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept, self._listener, self._ended)

    # For tests

    def serve(self, path: str, content: Content, **fields: object) -> str:
        """Serve a file; returns its URL. `fields` are those of `File`."""
        self._files[path] = File(content, **fields)  # type: ignore[arg-type]
        return self.url(path)

    def url(self, path: str) -> str:
        """The URL of a path on this server."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._context else 'http'}://{host}:{self.port}{path}"

    def bytes_sent_on(self, connection: int) -> int:
        """Bytes of body sent on a connection."""
        return sum(request.sent for request in self.log if request.connection == connection)

    @property
    def bytes_sent(self) -> int:
        """Bytes of body sent in all."""
        return sum(request.sent for request in self.log)

    def wait_for(self, truth: Callable[[], bool], seconds: float = 20.0) -> None:
        """Return once `truth()` holds; it is looked at whenever something was sent. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(truth, seconds):
                raise TimeoutError("the server waited in vain")

    def close(self) -> None:
        """End: every connection is reset."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._sockets):
            _reset(connection)
        for thread in self._threads:
            thread.join(5)

    def restart(self) -> None:
        """Come back on the same port after `close`."""
        self._listen(self.port)

    def __enter__(self) -> FaultServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Connections

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True, name="fault-server")
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._send_buffer:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer)
            self.connections += 1
            self._start(self._converse, connection, self.connections, ended)

    def _converse(self, connection: socket.socket, number: int, ended: threading.Event) -> None:
        with contextlib.suppress(OSError, ValueError):
            ended.wait(self.round_trip)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._sockets.add(connection)
            self.live += 1
            try:
                self._serve_turns(connection, number, ended)
            finally:
                self.live -= 1
                self._sockets.discard(connection)
                connection.close()
                with self._changed:
                    self._changed.notify_all()

    def _serve_turns(self, connection: socket.socket, number: int, ended: threading.Event) -> None:
        buffered = b""
        turn = 0
        while not ended.is_set():
            while b"\r\n\r\n" not in buffered:
                received = connection.recv(65536)
                if not received:
                    return
                buffered += received
            head, _, buffered = buffered.partition(b"\r\n\r\n")
            turn += 1
            request = self._parse(head.decode("latin-1"), number, turn)
            reply = self.correct_reply(request)
            if self.rates:
                reply.rate = self.rates[(number - 1) % len(self.rates)]
            self.script(request, reply)
            request.status = reply.status
            if not self._send(connection, request, reply, ended):
                return

    def _parse(self, head: str, connection: int, turn: int) -> Request:
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        with self._changed:
            request = Request(connection, turn, len(self.log) + 1, method, path, headers, time.monotonic())
            unit, _, span = headers.get("range", "").partition("=")
            if unit == "bytes" and "," not in span:
                start, _, last = span.partition("-")
                request.start = int(start) if start else None
                request.stop = int(last) + 1 if last else None
            self.log.append(request)
            self._changed.notify_all()
        return request

    # Answers

    def correct_reply(self, request: Request) -> Reply:
        """What a sound server would answer (RFC 9110 §13.1.5, §14.2)."""
        file = self._files.get(request.path.partition("?")[0])
        if file is None:
            return Reply(404, {"Content-Type": "text/plain"}, body=b"no such file\n")
        size = file.content.size
        headers = {
            "Date": formatdate(usegmt=True),
            "ETag": file.etag or "",  # an empty one is not sent
            "Last-Modified": file.last_modified or "",
            "Content-Type": file.content_type or "",
            **dict(file.headers),
        }
        if file.ranges:
            headers["Accept-Ranges"] = "bytes"
        if not file.ranges or request.start is None or not _if_range_holds(request, file):
            return Reply(200, headers, file.content, 0, size)
        if request.start >= size:
            headers["Content-Range"] = f"bytes */{size}"
            return Reply(416, headers, body=b"")
        stop = min(request.stop or size, size)
        headers["Content-Range"] = f"bytes {request.start}-{stop - 1}/{size}"
        return Reply(206, headers, file.content, request.start, stop)

    def _send(self, connection: socket.socket, request: Request, reply: Reply, ended: threading.Event) -> bool:
        """Send a reply; False when the connection is over."""
        ended.wait(reply.delay + self.round_trip)
        if reply.silent:
            ended.wait()
            return False
        if reply.refuse:
            _reset(connection)
            return False
        if reply.raw is not None:
            connection.sendall(reply.raw)
            return False
        length = len(reply.body) if reply.body is not None else reply.stop - reply.start
        headers = dict(reply.headers)
        if reply.chunked:
            headers.setdefault("Transfer-Encoding", "chunked")
        else:
            headers.setdefault("Content-Length", str(length))
        lines = [f"{name}: {value}" for name, value in headers.items() if value]
        head = "\r\n".join([f"{reply.version} {reply.status} Whatever", *lines]) + "\r\n\r\n"
        connection.sendall(head.encode("latin-1", "surrogateescape"))
        if request.method == "HEAD":
            return True
        if not self._send_body(connection, request, reply, length, ended):
            return False
        if reply.chunked:
            connection.sendall(b"0\r\n\r\n")
        connection.sendall(reply.extra)
        return not reply.close and reply.version == "HTTP/1.1"

    def _send_body(
        self, connection: socket.socket, request: Request, reply: Reply, length: int, ended: threading.Event
    ) -> bool:
        started = time.monotonic()
        position = 0
        while True:
            if reply.reset_after is not None and position >= reply.reset_after:
                _reset(connection)
                return False
            if reply.close_after is not None and position >= reply.close_after:
                return False
            if reply.stall_after is not None and position >= reply.stall_after:
                ended.wait()
                return False
            if position >= length:
                return True
            size = self._slice(reply, length, position, started, ended)
            block = _block(reply, position, size)
            connection.sendall(b"%x\r\n%b\r\n" % (len(block), block) if reply.chunked else block)
            position += size
            with self._changed:
                request.sent += size
                self._changed.notify_all()

    @staticmethod
    def _slice(reply: Reply, length: int, position: int, started: float, ended: threading.Event) -> int:
        """Wait until some bytes are due, and say how many: never past the next fault."""
        faults = (reply.reset_after, reply.close_after, reply.stall_after)
        limit = min([length, *(at for at in faults if at is not None)]) - position
        if reply.rate is None:
            return min(limit, _LARGEST_SLICE)
        due = 0
        while due < 1:
            if ended.wait(_SLICE_SECONDS):
                raise OSError("the server ended")
            due = int((time.monotonic() - started) * reply.rate) - position
        return min(limit, due, _LARGEST_SLICE)


def _block(reply: Reply, position: int, size: int) -> bytes:
    if reply.body is not None:
        return reply.body[position : position + size]
    assert reply.content is not None
    return reply.content.read(reply.start + position, reply.start + position + size)


def _if_range_holds(request: Request, file: File) -> bool:
    condition = request.headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith('"'):
        return condition == file.etag
    if condition.startswith("W/") or file.last_modified is None:
        return False
    return parsedate_to_datetime(condition) == parsedate_to_datetime(file.last_modified)


def _reset(connection: socket.socket) -> None:
    """Close with a RST instead of a FIN."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
    with contextlib.suppress(OSError):
        connection.close()
