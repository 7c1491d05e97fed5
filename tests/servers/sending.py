"""Put one reply on a socket, with its pace and its faults. Knows nothing of requests or of other connections."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

from tests.servers.pacing import ChangingPace, Pace
from tests.servers.replies import Reply

#: Paced bodies go out in slices of at least this many seconds.
_SLICE_SECONDS = 0.005
_LARGEST_SLICE = 4 << 20
#: Bodies without a pace go out in blocks of this many bytes.
_BLOCK = 64 * 1024
#: How long a reset waits for the bytes before it to reach the peer.
_DRAIN_SECONDS = 1.0


class ServerEndedError(OSError):
    """The server closes; whatever was being sent is dropped."""


class Sending:
    """One reply on its way over `connection`; `sent` is told about every block, `ended` when to give up."""

    def __init__(
        self, connection: socket.socket, reply: Reply, ended: threading.Event, sent: Callable[[int], None]
    ) -> None:
        self._connection = connection
        self._reply = reply
        self._ended = ended
        self._sent = sent
        self._pace: Pace | ChangingPace | None = None
        self._trickling = False

    def run(self, *, body: bool = True) -> bool:
        """Send all of it; False when the connection is over. Raises OSError when the peer is gone."""
        reply, connection = self._reply, self._connection
        self._sleep(reply.delay)
        if reply.refuse:
            reset(connection)
            return False
        if reply.silent:
            return self._stall()
        if reply.raw is not None:
            connection.sendall(reply.raw)
            return self._stall() if reply.keep_open else False
        if reply.pieces is not None:
            for piece in reply.pieces:
                self._sleep(0)
                connection.sendall(piece)
                self._sent(len(piece))
            return False
        connection.sendall(self._head())
        if body:
            if not self._body():
                return False
            connection.sendall(b"0\r\n\r\n" + reply.extra if reply.chunked else reply.extra)
        return not reply.close and reply.version == "HTTP/1.1"

    def _head(self) -> bytes:
        reply = self._reply
        headers = dict(reply.headers)
        if reply.chunked:
            headers.setdefault("Transfer-Encoding", "chunked")
        else:
            headers.setdefault("Content-Length", str(reply.length))
        shown = [*((name, value) for name, value in headers.items() if value), *reply.more_headers]
        lines = [f"{reply.version} {reply.status} Whatever", *(f"{name}: {value}" for name, value in shown)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "surrogateescape")

    def _body(self) -> bool:
        """Send the body up to its end or its fault; False when the connection is over."""
        reply, connection, position = self._reply, self._connection, 0
        if reply.rate_at is not None:
            self._pace = ChangingPace(reply.rate_at, time.monotonic())
        elif reply.rate is not None:
            self._pace = Pace(reply.rate, time.monotonic())
        while True:
            if position == reply.reset_after:
                drain(connection, self._ended)
                reset(connection)
                return False
            if position == reply.close_after:
                return False
            if position == reply.stall_after:
                return self._stall()
            if position == reply.trickle_after and not self._trickling:
                self._trickling = True
                self._pace = Pace(reply.trickle_rate, time.monotonic())
            if position >= reply.length:
                return True
            size = self._next_size(position)
            block = reply.block(position, size)
            connection.sendall(b"%x\r\n%b\r\n" % (len(block), block) if reply.chunked else block)
            position += size
            self._sent(size)

    def _next_size(self, position: int) -> int:
        """Wait until some bytes are due, and say how many: never past the next fault."""
        reply = self._reply
        faults = (reply.reset_after, reply.close_after, reply.stall_after, reply.trickle_after)
        limit = min(at for at in (reply.length, *faults) if at is not None and at > position) - position
        if self._pace is None:
            self._sleep(0)
            return min(limit, _BLOCK)
        due = 0
        while due < 1:
            self._sleep(max(_SLICE_SECONDS, self._pace.wait(time.monotonic())))
            due = self._pace.due(time.monotonic())
        size = min(limit, due, _LARGEST_SLICE)
        self._pace.spend(size)
        return size

    def _stall(self) -> bool:
        """Say nothing more until the peer leaves or the server ends."""
        while self._connection.recv(65536):
            pass
        return False

    def _sleep(self, seconds: float) -> None:
        if self._ended.wait(seconds):
            raise ServerEndedError


def drain(connection: socket.socket, ended: threading.Event) -> None:
    """Wait until the peer's system has everything that was sent: a reset would overtake what is still queued."""
    try:
        import fcntl
        import termios
    except ImportError:
        return  # nobody else can be asked how much is queued
    until = time.monotonic() + _DRAIN_SECONDS
    with contextlib.suppress(OSError):
        while time.monotonic() < until and not ended.is_set():
            [queued] = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4))
            if queued == 0:
                return
            time.sleep(0.001)  # the kernel tells nobody when its queue is empty


def reset(connection: socket.socket) -> None:
    """Close with a RST instead of a FIN."""
    with contextlib.suppress(OSError):
        linger_no_more(connection)
        connection.close()


def linger_no_more(connection: socket.socket) -> None:
    """Whoever closes this socket next, closes it with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
