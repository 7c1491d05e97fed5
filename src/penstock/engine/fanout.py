"""Run the caller's code, listeners and the callbacks of futures, on a thread of its own: it never slows a transfer.

A `Progressed` that was not yet delivered is replaced by the next one of the same download, a `BatchProgressed` by the
next one; every other kind is kept. When too many wait, who makes them is told to begin nothing new.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from penstock.events import AnyEvent, BatchProgressed, Checkpointed, Progressed, Raced, Stolen
from penstock.thread_start import start_thread

Listener = Callable[[AnyEvent], None]

#: Beyond this many undelivered events the details are dropped; beginnings, warnings and endings never are: nothing new
#: is begun until half of them are delivered.
MAX_BACKLOG: Final = 10_000
_DETAILS: Final = (Stolen, Raced, Checkpointed)
_DRAIN_SECONDS: Final = 5.0
#: Seconds that events wait at most for others to be delivered with.
_NAP_SECONDS: Final = 0.01


class Fanout:
    """Delivers events in order to one listener, and what was posted in between.

    `on_full` hears True when too many events wait and False when they do not any more; from any thread, to return at
    once.
    """

    def __init__(self, listener: Listener | None, on_full: Callable[[bool], None]) -> None:
        self._listener = listener
        self._on_full = on_full
        self._is_full = False
        self._queue: deque[AnyEvent | int | Callable[[], None]] = deque()
        self._progress: dict[int, Progressed | BatchProgressed] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._napping = False
        self._thread = threading.Thread(target=self._run, name="penstock-events", daemon=True)
        start_thread(self._thread)

    def emit(self, event: AnyEvent) -> None:
        """Take an event; returns at once."""
        if self._listener is None:
            return
        with self._changed:
            if isinstance(event, Progressed | BatchProgressed):  # the latter's download is 0, no other's is
                if event.download not in self._progress:
                    self._queue.append(event.download)
                self._progress[event.download] = event
            elif len(self._queue) < MAX_BACKLOG or not isinstance(event, _DETAILS):
                self._queue.append(event)
            if not self._is_full and len(self._queue) >= MAX_BACKLOG:
                self._is_full = True
                self._on_full(True)
            if not self._napping:
                self._changed.notify()

    def post(self, action: Callable[[], None]) -> None:
        """Run `action` after the events that came before it."""
        with self._changed:
            self._queue.append(action)
            self._napping = False
            self._changed.notify()

    def close(self) -> None:
        """Deliver what is there and end the thread; gives a listener that hangs a few seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(_DRAIN_SECONDS)

    def _run(self) -> None:
        while (entry := self._next()) is not None:
            try:
                if callable(entry):
                    entry()
                elif self._listener is not None:
                    self._listener(entry)
            except Exception:
                logging.getLogger("penstock").exception("a listener or callback failed")

    def _next(self) -> AnyEvent | Callable[[], None] | None:
        with self._changed:
            if not self._queue and not self._closing:
                # a moment's rest gathers what comes: waking for every event of a flood slows the network thread
                self._napping = True
                self._changed.wait(_NAP_SECONDS)
                self._napping = False
            while not self._queue:
                if self._closing:
                    return None
                self._changed.wait()
            entry = self._queue.popleft()
            if self._is_full and len(self._queue) <= MAX_BACKLOG // 2:
                self._is_full = False
                self._on_full(False)
            return self._progress.pop(entry) if isinstance(entry, int) else entry
