"""The network thread: libcurl's multi handle driven by a poller, timers, and calls from other threads.

Knows nothing of downloads. libcurl says which sockets it watches and when it wants to be woken; we wait for both
and for a wake-up byte from other threads. Everything but `call` and `close` is for the loop's own thread.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import pycurl

from penstock.net.gate import Gate
from penstock.net.poller import READ, WRITE, make_poller
from penstock.thread_start import start_thread

if TYPE_CHECKING:
    from penstock.net.transfer import Transfer

#: Never sleep longer than this, seconds: a lost wake-up costs a pause, not a hang.
_LONGEST_WAIT: Final = 10.0
#: Spare easy handles kept for the next transfers.
_SPARE_HANDLES: Final = 64
#: Idle connections kept for reuse.
MAX_IDLE_CONNECTIONS: Final = 256
#: A pause after what should not happen, so that it cannot happen without end at full speed.
_BREATH_SECONDS: Final = 0.05
_EVENTS: Final = {pycurl.POLL_IN: READ, pycurl.POLL_OUT: WRITE, pycurl.POLL_INOUT: READ | WRITE}
_MASKS: Final = (0, pycurl.CSELECT_IN, pycurl.CSELECT_OUT, pycurl.CSELECT_IN | pycurl.CSELECT_OUT)


def _new_multi() -> Any:
    try:
        return pycurl.CurlMulti()
    except pycurl.error as error:  # it wants descriptors of its own
        raise OSError(str(error)) from error


class Watcher(Protocol):
    """Hears of every transfer."""

    def transfer_began(self, transfer: Transfer) -> None:
        """libcurl has it."""

    def transfer_ended(self, transfer: Transfer, handle: Any, number: int, message: str) -> Callable[[], None]:
        """libcurl is through with it (`number`, `message`: its error, 0 for none), or it is broken off. What it returns
        is called when all who follow it have heard."""


class Timer:
    """A call to come. `cancel` it when it is no longer wanted."""

    __slots__ = ("action", "at")

    def __init__(self, at: float, action: Callable[[], None]) -> None:
        self.at = at
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Forget the call."""
        self.action = None


class Loop:
    """One thread, one multi handle. `on_error` hears of exceptions that no download owns: something that was to be done
    was not. What it raises itself is kept, and told again."""

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        self._on_error = on_error
        #: What `on_error` could not take: out of memory, most likely.
        self._untold: BaseException | None = None
        self._ready: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._poller = make_poller()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._wake_number = self._wake_in.fileno()
        self._poller.watch(self._wake_number, READ)
        self._awake = False
        self._stopping = False
        self._curl_deadline: float | None = None
        self._multi = _new_multi()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        # many files share an HTTP/2 connection; segments of one file ask for their own (see `configure`)
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAXCONNECTS, MAX_IDLE_CONNECTIONS)
        self._share = pycurl.CurlShare()
        self._share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_COOKIE)
        self.gate = Gate(self)
        self._running: dict[Any, Transfer] = {}
        #: Hears of every transfer, when a trace is wanted.
        self.watcher: Watcher | None = None
        self._spare: list[Any] = []
        self._thread = threading.Thread(target=self._run, name="penstock-network", daemon=True)
        try:
            start_thread(self._thread)
        except BaseException:
            self._shut()
            raise

    # From any thread

    def call(self, function: Callable[..., None], *args: Any) -> None:
        """Run `function(*args)` on the loop's thread, soon."""
        self._ready.append((function, args))
        if not self._awake:
            self._awake = True
            # a full pipe already has its wake-up, a closed one needs none
            with contextlib.suppress(OSError):
                self._wake_out.send(b"\0")

    def limit_connections(self, most: int) -> None:
        """At most `most` at once, idle ones too: those make room for others. On the loop's thread."""
        self._multi.setopt(pycurl.M_MAXCONNECTS, min(most, MAX_IDLE_CONNECTIONS))
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, most)

    def close(self) -> None:
        """Stop the thread, drop every transfer, close every connection; waits for it. Call once."""
        self.call(self._stop)
        self._thread.join()

    # On the loop's thread

    #: Seconds on the monotonic clock.
    now = staticmethod(time.monotonic)

    def soon(self, function: Callable[..., None], *args: Any) -> None:
        """Run `function(*args)` after the current call has returned."""
        self._ready.append((function, args))

    def call_later(self, delay: float, action: Callable[[], None]) -> Timer:
        """Run `action` after `delay` seconds."""
        timer = Timer(self.now() + max(0.0, delay), action)
        heapq.heappush(self._timers, (timer.at, next(self._numbers), timer))
        return timer

    def new_handle(self) -> Any:
        """A clean easy handle."""
        if self._spare:
            return self._spare.pop()
        handle = pycurl.Curl()
        handle.setopt(pycurl.SHARE, self._share)  # survives a reset
        return handle

    def add(self, handle: Any, transfer: Transfer) -> None:
        """Start the transfer that was set up on `handle`."""
        self._running[handle] = transfer
        self._multi.add_handle(handle)
        if self.watcher is not None:
            self.watcher.transfer_began(transfer)

    def drop(self, handle: Any, transfer: Transfer) -> None:
        """Forget a transfer's handle; if it still runs it is broken off and its connection closed."""
        if self._running.get(handle) is transfer:  # else it has ended, and the handle may serve another by now
            del self._running[handle]
            if self.watcher is not None:
                self.watcher.transfer_ended(transfer, handle, 0, "")()
            self._multi.remove_handle(handle)
            self.recycle(handle)

    def recycle(self, handle: Any) -> None:
        """Keep a handle that is not running for another transfer."""
        handle.reset()
        if len(self._spare) < _SPARE_HANDLES:
            self._spare.append(handle)
        else:
            handle.close()

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        try:
            while not self._stopping:
                if self._untold is not None:
                    self._tell_again(self._untold)
                self._run_ready()
                if not self._stopping:
                    self._wait_and_act()
        finally:
            self._shut()

    def _run_ready(self) -> None:
        self._awake = True  # whoever calls now will be served below without a wake-up byte
        for _ in range(len(self._ready)):
            function, args = self._ready.popleft()
            try:
                function(*args)
            except Exception as error:
                self._tell(error)
        self._awake = False

    def _tell(self, error: BaseException) -> None:
        try:
            self._on_error(error)
        except Exception:
            self._untold = error

    def _tell_again(self, error: BaseException) -> None:
        time.sleep(_BREATH_SECONDS)
        self._untold = None
        self._tell(error)

    def _wait_and_act(self) -> None:
        try:
            self._wait()
        except Exception as error:  # out of memory, most likely: without this thread everything would hang
            self._tell(error)
            time.sleep(_BREATH_SECONDS)

    def _wait(self) -> None:
        for descriptor, events in self._poller.wait(self._timeout()):
            if descriptor == self._wake_number:
                with contextlib.suppress(OSError):
                    self._wake_in.recv(4096)
                continue
            self._act(descriptor, _MASKS[events])
        now = self.now()
        if self._curl_deadline is not None and now >= self._curl_deadline:
            self._curl_deadline = None
            self._act(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()
        self._fire(now)

    def _timeout(self) -> float:
        if self._ready or self._untold is not None:
            return 0.0
        wait = _LONGEST_WAIT
        now = self.now()
        if self._curl_deadline is not None:
            wait = min(wait, self._curl_deadline - now)
        if self._timers:
            wait = min(wait, self._timers[0][0] - now)
        return max(0.0, wait)

    def _fire(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            action = heapq.heappop(self._timers)[2].action
            if action is not None:
                try:
                    action()
                except Exception as error:
                    self._tell(error)

    # libcurl's side

    def _act(self, descriptor: int, mask: int) -> None:
        try:
            self._multi.socket_action(descriptor, mask)
        except pycurl.error as error:
            logging.getLogger("penstock").error("libcurl: %s", error)

    def _on_socket(self, what: int, descriptor: int, _multi: Any, _data: Any) -> None:
        events = _EVENTS.get(what)
        if events is None:
            self._poller.unwatch(descriptor)
        else:
            self._poller.watch(descriptor, events)

    def _on_timer(self, milliseconds: int) -> None:
        if milliseconds > 0:
            self._curl_deadline = self.now() + milliseconds / 1000
        else:
            self._curl_deadline = None if milliseconds else 0.0

    def _collect(self) -> None:
        more = 1
        while more:
            more, good, bad = self._multi.info_read()
            for handle in good:
                self._finish(handle, 0, "")
            for handle, number, message in bad:
                self._finish(handle, number, message)

    def _finish(self, handle: Any, number: int, message: str) -> None:
        transfer = self._running.pop(handle, None)
        if transfer is None:
            return
        tell = None if self.watcher is None else self.watcher.transfer_ended(transfer, handle, number, message)
        self._multi.remove_handle(handle)
        is_kept = transfer.is_kept  # when it lets go of its handle meanwhile, it has recycled it
        try:
            transfer.on_curl_done(number, message)
        except Exception as error:
            self._tell(error)
        if tell is not None:
            tell()
        if not is_kept:
            self.recycle(handle)

    def _shut(self) -> None:
        for handle, transfer in list(self._running.items()):
            self.drop(handle, transfer)
        for handle in self._spare:
            handle.close()
        self._multi.close()
        self._share.close()
        self._poller.close()
        self._wake_in.close()
        self._wake_out.close()
