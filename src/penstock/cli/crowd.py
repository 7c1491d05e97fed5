"""Progress of many files on a terminal: a total line below the few files that take longest, messages above them.

rich is imported when the first file has run for a moment, as in `display`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from penstock.cli.crowd_plain import Teller, files
from penstock.cli.display import PATIENCE, Row
from penstock.cli.messages import NORMAL
from penstock.cli.running import Known, time_left
from penstock.cli.streams import SturdyStream
from penstock.cli.summary import pace
from penstock.core import words
from penstock.events import AnyEvent, BatchProgressed

if TYPE_CHECKING:
    from rich.live import Live

#: Files that have a line of their own, at most; fewer on a low terminal.
MOST_ROWS: Final = 5
#: Seconds a file runs before it has one: small ones come and go unseen.
_OLD_SECONDS: Final = 1.0


class Crowd:
    """Draws events on a terminal. `patience` is the seconds before the first drawing."""

    def __init__(
        self, stream: SturdyStream, level: int = NORMAL, *, manifest: str | None = None, patience: float = PATIENCE
    ) -> None:
        self._stream = stream
        self._patience = patience
        self._teller = Teller(level, manifest)
        self._total: BatchProgressed | None = None
        self._guard = threading.Lock()
        self._live: Live | None = None
        self._timer: threading.Timer | None = None
        self._closed = False

    def show(self, event: AnyEvent) -> None:
        """Take an event; called on one thread."""
        if isinstance(event, BatchProgressed):
            self._total = event
            if self._timer is None:
                self._begin_soon()
            return
        with self._guard:
            line = self._teller.line(event)
        if line is not None:
            self.complain(line)

    def tell(self, line: str) -> None:
        """Print a line above the live ones; from any thread."""
        self.complain(line)

    def complain(self, line: str) -> None:
        """As `tell`: who looks at a live display did not ask for quiet."""
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

    def rows(self, room: int) -> list[Row]:
        """The files that matter now, `room` at most: those that have run for longest; from any thread."""
        now = self._total.at if self._total is not None else 0.0
        with self._guard:
            return self._teller.running.oldest(min(MOST_ROWS, room), begun_before=now - _OLD_SECONDS)

    def total(self) -> tuple[BatchProgressed, Known] | None:
        """Where the batch is; from any thread."""
        with self._guard:
            return None if self._total is None else (self._total, self._teller.running.known())

    def _begin_soon(self) -> None:
        with self._guard:
            if self._closed:
                return
            self._timer = threading.Timer(self._patience, self._begin)
            self._timer.daemon = True
            self._timer.start()

    def _begin(self) -> None:
        from penstock.cli.crowd_bars import open_live

        live = open_live(self._stream, self)
        with self._guard:
            if self._closed:
                return
            self._live = live
            live.start()


def total_line(event: BatchProgressed, known: Known, width: int) -> str:
    """Files, failures, bytes, speed, files a second and the time left; on narrow terminals less of it."""
    failed = f"{event.failed:,} failed" if event.failed else ""
    left = time_left(event, known)
    count = f"{files(event)} files"
    rate = pace(event.pace)
    size, speed = words.short_size(event.size), f"{words.short_size(event.speed):>4}/s"
    full = [f"{words.size(event.size):>10}", f"{words.speed(event.speed):>12}", f"{rate:>14}", f"{left:>7}"]
    some = [f"{size:>4}", speed, f"{rate:>11}", f"{left:>5}"]
    for rest in (full, some, [size, speed, rate, left], [size, speed, left], [speed, left], [speed], []):
        parts = [count, failed, *rest]
        line = "  ".join(part for part in parts if part)
        if len(line) <= width:
            return line
    return files(event)[:width]
