"""An HTTP server on raw sockets that is right by default and misbehaves exactly as told.

For each request it makes the correct `Reply`; a script may then change anything about it:

    def script(request, reply):
        if request.connection == 2:
            reply.reset_after = 100_000        # a RST after so many bytes of body

    server.serve("/a.bin", Content(1_000_000))
    server.script = script

What can be told, and how:

    cut, reset, silence, trickle   reply.close_after, .reset_after, .stall_after, .trickle_after = bytes of body
    no answer, no connection       reply.silent = True, reply.refuse = True, server.deaf = {connection, ...}
    another status, a redirect     reply.become(503, {"Retry-After": "1"}), reply.redirect("/b.bin")
    another range or total         reply.claim(start, stop, total)
    wrong or missing headers       reply.headers["ETag"] = '"2"', del reply.headers["Content-Range"]
    a length that is not said      reply.headers["Content-Length"] = "", reply.close = True
    more than was said             reply.extra = b"..."
    a header twice, or a million   reply.more_headers = [...], reply.raw = b"..."
    anything without an end        reply.pieces = itertools.repeat(b"...")
    chunks, HTTP/1.0, closing      reply.chunked = True, reply.version = "HTTP/1.0", reply.close = True
    at most N connections          if server.live > N: reply.become(429)
    slow links                     server.rates = [4e6, 2e5], server.round_trip = 0.1, reply.rate, .rate_at, .delay
    another file                   server.serve(path, other, etag='"2"')
    a restart                      server.close(), server.restart()

Connections are numbered from 1 in the order they came; every request is kept in `server.log`. Nothing here sleeps
without watching for the server's end, so closing is quick. What a script raises is kept in `server.errors`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

from tests.servers.content import Content
from tests.servers.replies import LAST_MODIFIED, File, Reply, Request, correct_reply, parse
from tests.servers.sending import Sending, linger_no_more, reset

__all__ = ["LAST_MODIFIED", "Content", "FaultServer", "File", "Reply", "Request", "Script"]

Script = Callable[[Request, Reply], None]
#: A head longer than this is answered by closing.
_LARGEST_HEAD = 1 << 20
#: How long `close` lets a thread leave by itself before it takes its socket away.
_POLITE_SECONDS = 0.3


class FaultServer:
    """Serves on a loopback port from construction to `close`; a context manager."""

    def __init__(
        self, *, host: str = "127.0.0.1", context: ssl.SSLContext | None = None, send_buffer: int = 64 * 1024
    ) -> None:
        self.script: Script = lambda _request, _reply: None
        #: Rates in bytes per second, given to connections in turn.
        self.rates: list[float] = []
        #: Seconds from request to answer, and again for a new connection.
        self.round_trip = 0.0
        #: Connections that are accepted and then ignored; not even TLS is spoken on them.
        self.deaf: set[int] = set()
        self.log: list[Request] = []
        #: What scripts raised; a test that ends with some has failed.
        self.errors: list[Exception] = []
        #: Connections so far.
        self.connections = 0
        #: Connections open now.
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
        self._threads: set[threading.Thread] = set()
        self._beginning = threading.Lock()
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
        """Return once `truth()` holds; it is looked at whenever something happened. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(truth, seconds):
                raise TimeoutError("the server waited in vain")

    def correct_reply(self, request: Request) -> Reply:
        """What a sound server would answer to this."""
        return correct_reply(request, self._files.get(request.path.partition("?")[0]))

    def close(self) -> None:
        """End: every connection is reset. Once it returned, nobody listens on the port. May be repeated."""
        if self._ended.is_set():
            return
        self._ended.set()
        with contextlib.suppress(OSError):  # wakes the thread that accepts, on every system
            socket.create_connection((self._host, self.port), 1).close()
        self._listener.close()
        for connection in list(self._sockets):
            with contextlib.suppress(OSError):
                linger_no_more(connection)
                _shut(connection, socket.SHUT_RD)  # wakes one that reads
        until = time.monotonic() + _POLITE_SECONDS
        for thread in self._begun():
            thread.join(max(0.0, until - time.monotonic()))
        for connection in list(self._sockets):
            with contextlib.suppress(OSError):
                _shut(connection, socket.SHUT_RDWR)  # wakes one that writes to a peer that does not read
        for thread in self._begun():
            thread.join(5)

    def _begun(self) -> list[threading.Thread]:
        with self._beginning:
            return list(self._threads)

    def restart(self) -> None:
        """Come back on the same port after `close`."""
        self._listen(self.port)

    def __enter__(self) -> FaultServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Connections

    def _start(self, target: Callable[..., None], *args: object) -> None:
        def work() -> None:
            try:
                target(*args)
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=work, daemon=True, name="fault-server")
        with self._beginning:  # whoever joins one must find it started
            self._threads.add(thread)
            thread.start()

    def _accept(self, listener: socket.socket, ended: threading.Event) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if ended.is_set():
                reset(connection)
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._send_buffer:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer)
            with self._changed:
                self.connections += 1
                self.live += 1
                self._changed.notify_all()
            self._start(self._converse, connection, self.connections, ended)

    def _converse(self, connection: socket.socket, number: int, ended: threading.Event) -> None:
        if self._context is not None and number not in self.deaf:
            connection = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._sockets.add(connection)
        try:
            if ended.wait(self.round_trip):
                return
            if number in self.deaf:
                while connection.recv(65536):
                    pass
            elif isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            self._serve_turns(connection, number, ended)
        except OSError:
            pass  # the peer left, or the server ends
        finally:
            self._sockets.discard(connection)
            if ended.is_set():
                reset(connection)
            connection.close()
            with self._changed:
                self.live -= 1
                self._changed.notify_all()

    def _serve_turns(self, connection: socket.socket, number: int, ended: threading.Event) -> None:
        buffered = b""
        turn = 0
        while not ended.is_set():
            while b"\r\n\r\n" not in buffered:
                received = connection.recv(65536)
                if not received or len(buffered) > _LARGEST_HEAD:
                    return
                buffered += received
            head, _, buffered = buffered.partition(b"\r\n\r\n")
            turn += 1
            request = self._log(head.decode("latin-1"), number, turn)
            try:
                if request is None or not self._answer(connection, request, ended) or not request.keeps_alive:
                    return
            finally:
                if request is not None:
                    request.ended = time.monotonic()

    def _log(self, head: str, connection: int, turn: int) -> Request | None:
        """Read a request and keep it; None when it is none."""
        with self._changed:
            try:
                request = parse(head, connection, turn, len(self.log) + 1, time.monotonic())
            except ValueError:
                return None
            self.log.append(request)
            self._changed.notify_all()
        return request

    def _answer(self, connection: socket.socket, request: Request, ended: threading.Event) -> bool:
        """Answer one request; False when the connection is over."""
        reply = self.correct_reply(request)
        if self.rates:
            reply.rate = self.rates[(request.connection - 1) % len(self.rates)]
        try:
            self.script(request, reply)
        except Exception as error:
            self.errors.append(error)
            reset(connection)
            return False
        request.status = reply.status
        reply.delay += self.round_trip

        def sent(size: int) -> None:
            with self._changed:
                request.sent += size
                self._changed.notify_all()

        return Sending(connection, reply, ended, sent).run(body=request.method != "HEAD")


def _shut(connection: socket.socket, how: int) -> None:
    """Shut the connection down below TLS: above it, what is being sent would go on in the clear."""
    socket.socket.shutdown(connection, how)
