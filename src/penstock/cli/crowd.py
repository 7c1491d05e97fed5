"""Progress of many files on a terminal: a total line below the few files that take longest, messages above them.

rich is imported when the first file has run for a moment, as in `display`.
"""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Final

from penstock.cli import format as words
from penstock.cli.crowd_plain import Failures, described, files, time_left
from penstock.cli.display import PATIENCE, Row, updated
from penstock.cli.messages import NORMAL
from penstock.cli.streams import SturdyStream
from penstock.cli.summary import pace
from penstock.core.urls import escape
from penstock.events import AnyEvent, BatchProgressed, Cancelled, Failed, Finished, Probed, Started

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
        self._level = level
        self._patience = patience
        self._failures = Failures(manifest)
        self._files: dict[int, tuple[float, Row]] = {}
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
        if (line := described(event, self._level, self._failures)) is not None:
            self.complain(line)
        with self._guard:
            self._keep(event)

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

    def rows(self) -> list[Row]:
        """The files that matter now: those that have run for longest; from any thread."""
        now = self._total.at if self._total is not None else 0.0
        most = min(MOST_ROWS, max(0, shutil.get_terminal_size().lines - 3))
        with self._guard:
            old = [(since, row) for since, row in self._files.values() if now - since >= _OLD_SECONDS]
        return [row for _, row in sorted(old, key=lambda pair: pair[0])[:most]]

    def total(self, width: int) -> str:
        """The total line, in at most `width` columns."""
        event = self._total
        return "" if event is None else total_line(event, width)

    def _keep(self, event: AnyEvent) -> None:
        number = event.download
        if isinstance(event, Started):
            self._files[number] = event.at, Row(escape(event.url))
        elif isinstance(event, Finished | Failed | Cancelled):
            self._files.pop(number, None)
        elif isinstance(event, Probed) or number in self._files:
            since, row = self._files.get(number, (event.at, Row("")))
            self._files[number] = since, updated(row, event)

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


def total_line(event: BatchProgressed, width: int) -> str:
    """Files, failures, bytes, speed, files a second and the time left; on narrow terminals less of it."""
    failed = f"{event.failed:,} failed" if event.failed else ""
    left = time_left(event)
    count = f"{files(event)} files"
    speed = f"{words.speed(event.speed):>12}"
    full = [count, failed, f"{words.size(event.size):>10}", speed, f"{pace(event.pace):>14}", f"{left:>7}"]
    some = [count, failed, f"{words.short_size(event.size):>4}", f"{words.short_size(event.speed):>4}/s", left]
    for parts in (full, some, some[:2]):
        line = "  ".join(part for part in parts if part)
        if len(line) <= width:
            return line
    return files(event)[:width]
