"""The server of shaped links, in a process of its own, so that it and the clients share no interpreter."""

from __future__ import annotations

import multiprocessing
import threading
import time
from multiprocessing.connection import Connection

from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

from bench.links import FAULT_AFTER, Links

_PATH = "/file.bin"
#: Bytes per second of a connection of a server that runs dry: at least, and once it is dry.
_LEAST, _DRY = 2e6, 1e-3
#: As many times what is left a second: a burst of a quarter of a second does not go far beyond.
_TIMES_LEFT = 2.0


class ShapedServer:
    """Serves `size` bytes; a context manager. Connections and refusals are counted anew from each `begin`."""

    def __init__(self, size: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, size), daemon=True)
        self._process.start()
        self.url: str = self._pipe.recv()

    def begin(self, links: Links) -> None:
        """Treat connections like this from now on."""
        self._pipe.send(links)
        self._pipe.recv()

    def refusals(self) -> int:
        """Answers 503 since then."""
        self._pipe.send("refusals")
        count: int = self._pipe.recv()
        return count

    def sent(self) -> int:
        """Bytes of body since then."""
        self._pipe.send("sent")
        count: int = self._pipe.recv()
        return count

    def begin_and_stop(self, sent: int) -> None:
        """As fast as it goes until `sent` bytes of body went out, then silent on every connection."""
        self._pipe.send(("run dry after", sent))
        self._pipe.recv()

    def await_stop(self, sent: int, timeout: float) -> None:
        """Wait until so many bytes of body went out, at most `timeout` seconds."""
        self._pipe.send(("await", sent, timeout))
        self._pipe.recv()

    def restart(self) -> None:
        """Reset every connection and come back on the same port."""
        self._pipe.send("restart")
        self._pipe.recv()

    def __enter__(self) -> ShapedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join(10)
        self._process.kill()


def _serve(pipe: Connection, size: int) -> None:
    server = FaultServer()
    pipe.send(server.serve(_PATH, Content(size)))
    while (message := pipe.recv()) is not None:
        match message:
            case Links():
                server.log.clear()
                _treat(server, message)
                pipe.send(None)
            case "refusals":
                pipe.send(sum(request.status == 503 for request in server.log))
            case "sent":
                pipe.send(server.bytes_sent)
            case ("run dry after", sent):
                server.log.clear()
                _run_dry(server, sent)
                pipe.send(None)
            case ("await", sent, timeout):
                _await_sent(server, sent, timeout)
                pipe.send(None)
            case "restart":
                server.close()
                server.restart()
                pipe.send(None)
    server.close()


def _treat(server: FaultServer, links: Links) -> None:
    """Make the server behave so; connections are numbered from here."""
    before = server.connections
    server.round_trip = links.round_trip
    lock = threading.Lock()
    admitted: list[Request] = []
    began: list[float] = []

    def script(request: Request, reply: Reply) -> None:
        number = request.connection - before
        with lock:
            if not began:
                began.append(time.monotonic())
            admitted[:] = [each for each in admitted if each.ended is None]
            if links.cap and len(admitted) >= links.cap:
                reply.become(503)
                return
            admitted.append(request)
        start = began[0]
        if links.changing:
            reply.rate_at = lambda now: links.rate(number, now - start)
        elif links.rates:
            reply.rate = links.rate(number, 0)
        if links.goes_silent(number):
            reply.stall_after = FAULT_AFTER
        elif links.is_reset(number):
            reply.reset_after = FAULT_AFTER

    server.script = script


def _run_dry(server: FaultServer, enough: int) -> None:
    """Send until so many bytes are out, and then one byte in a quarter of an hour on each connection."""
    server.round_trip = 0.0

    def rate_at(_now: float) -> float:
        left = enough - server.bytes_sent
        return max(_LEAST, left * _TIMES_LEFT) if left > 0 else _DRY

    def script(_request: Request, reply: Reply) -> None:
        reply.rate_at = rate_at

    server.script = script


def _await_sent(server: FaultServer, sent: int, timeout: float) -> None:
    until = time.monotonic() + timeout
    while server.bytes_sent < sent and time.monotonic() < until:
        time.sleep(0.002)  # other threads send, and waking this one for each block would slow them down
