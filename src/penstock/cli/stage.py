"""The bottom of a terminal: live lines that come when there is something to see, and messages above them.

They come late, so that what ends at once shows nothing; not while the terminal belongs to another job (``&``); and they
go while Ctrl-Z stops the process.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from penstock.cli.streams import SturdyStream
from penstock.thread_start import check_room, start_thread

if TYPE_CHECKING:
    from rich.live import Live

#: Seconds that something runs before its lines appear.
PATIENCE: Final = 0.3
#: With fewer seconds to go than this they would only flash up, so they wait as long once more.
_A_FLASH: Final = 0.6
#: Seconds between looks whether the terminal is ours again.
_LOOK_SECONDS: Final = 0.5


class Stage:
    """Holds the live lines that `open_live` makes (not started yet; called on a thread of its own).

    `seconds_left` says how long there will be something to see: infinite when nobody knows, None for nothing at all.
    `patience` is the seconds before the first drawing.
    """

    def __init__(
        self,
        stream: SturdyStream,
        open_live: Callable[[], Live],
        seconds_left: Callable[[], float | None],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._stream = stream
        self._open_live = open_live
        self._seconds_left = seconds_left
        self._patience = patience
        # a signal's handler may come while the main thread is inside
        self._guard = threading.RLock()
        self._live: Live | None = None
        self._timer: threading.Timer | None = None
        self._has_waited = False
        self._closed = False

    def begin_soon(self) -> None:
        """There will be something to see, if it takes its time. May be repeated."""
        with self._guard:
            if self._timer is None and self._live is None:
                self._has_waited = False
                self._look_in(self._patience)

    def line(self, line: str) -> None:
        """Print a line above the live ones; from any thread."""
        with self._guard:
            live = self._live
            if live is None:
                self._stream.line(line)
                return
        live.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the live lines away and give the cursor back. Safe to call again."""
        with self._guard:
            self._closed = True
            live, self._live = self._live, None
            if self._timer is not None:
                self._timer.cancel()
        if live is not None:
            live.stop()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Nothing is drawn while inside: the terminal is as if we had never been there."""
        with self._guard:
            live, self._live = self._live, None
            if live is not None:
                live.stop()
            yield
            if live is not None:
                self._look_in(0.0)

    def _look_in(self, seconds: float) -> None:
        if self._closed:
            return
        timer = threading.Timer(seconds, self._begin)
        timer.daemon = True
        self._timer = None
        with contextlib.suppress(RuntimeError):  # no thread for it: it goes without, and is asked again
            start_thread(timer)
            self._timer = timer

    def _begin(self) -> None:
        left = self._seconds_left()
        with self._guard:
            if left is None:
                self._timer = None  # all done within the patience: the next one asks again
                return
            if left < _A_FLASH and not self._has_waited:
                self._has_waited = True
                self._look_in(_A_FLASH)
                return
            if not is_in_foreground(self._stream):
                self._look_in(_LOOK_SECONDS)
                return
        live = self._open_live()  # imports rich, which takes a while
        with self._guard:
            self._timer = None
            if self._closed:
                return
            if not is_in_foreground(self._stream):  # Ctrl-Z came meanwhile
                self._look_in(_LOOK_SECONDS)
                return
            try:
                check_room()  # rich starts a thread, after it has hidden the cursor
                live.start(refresh=True)
            except RuntimeError:
                live.console.show_cursor(True)
            else:
                self._live = live


def is_in_foreground(stream: SturdyStream) -> bool:
    """False when the terminal belongs to another job just now: what is drawn would go over the shell's own lines."""
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except (AttributeError, OSError, ValueError):  # Windows has no jobs; and it need not be our own terminal
        return True
