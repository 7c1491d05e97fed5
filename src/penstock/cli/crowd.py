"""Progress of many files on a terminal: a total line below the few files that take longest, messages above them.

rich is imported when the first file has run for a moment, as in `display`.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final, NamedTuple

from penstock.cli.crowd_plain import Teller
from penstock.cli.messages import NORMAL
from penstock.cli.row import Row
from penstock.cli.running import Outlook, seconds_left
from penstock.cli.stage import PATIENCE, Stage
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


class Total(NamedTuple):
    """Where a batch is, as it is shown: `event` with numbers that hold still, `left` the time to go, `amount` how many
    files' worth is there of those that were begun."""

    event: BatchProgressed
    left: str = ""
    amount: float = 0.0


class Crowd:
    """Draws events on a terminal. `patience` is the seconds before the first drawing."""

    def __init__(
        self, stream: SturdyStream, level: int = NORMAL, *, manifest: str | None = None, patience: float = PATIENCE
    ) -> None:
        self._stream = stream
        self._teller = Teller(level, manifest)
        self._outlook = Outlook()
        # a signal's handler may come while the main thread is inside
        self._guard = threading.RLock()
        self._stage = Stage(stream, self._open_live, self._seconds_left, patience=patience)

    def show(self, event: AnyEvent) -> None:
        """Take an event; called on one thread."""
        if isinstance(event, BatchProgressed):
            with self._guard:
                self._outlook.take(event)
            self._stage.begin_soon()
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
        self._stage.line(line)

    def close(self) -> None:
        """Take the live lines away and give the cursor back. Safe to call again."""
        self._stage.close()

    def aside(self) -> AbstractContextManager[None]:
        """Nothing is drawn while inside."""
        return self._stage.aside()

    def rows(self, room: int) -> list[Row]:
        """The files that matter now, `room` at most: those that have run for longest; from any thread."""
        with self._guard:
            now = self._outlook.event.at if self._outlook.event is not None else 0.0
            return self._teller.running.lines(min(MOST_ROWS, room), now, least_age=_OLD_SECONDS)

    def total(self) -> Total | None:
        """Where the batch is; from any thread."""
        with self._guard:
            known = self._teller.running.known()
            event, left = self._outlook.shown(), self._outlook.left(known)
        return None if event is None else Total(event, left, event.done + event.failed + known.amount)

    def _seconds_left(self) -> float | None:
        with self._guard:
            event = self._outlook.event
            return None if event is None else seconds_left(event, self._teller.running.known())

    def _open_live(self) -> Live:
        from penstock.cli.crowd_bars import open_crowd

        return open_crowd(self._stream, self)


def total_line(total: Total, width: int, *, all_of_it: bool = False) -> str:
    """Files, failures, bytes, speed, files a second and the time left; where there is no room for that, less of it, or
    nothing with `all_of_it`."""
    event, left = total.event, total.left
    whole = f"{event.total:,}"
    count = f"{event.done + event.failed:>{len(whole)},}/{whole}{'' if event.listed else '+'}"
    failed = [f"{event.failed:,} failed"] if event.failed else []
    rate = pace(event.pace) if event.pace else ""
    size, speed = words.short_size(event.size), f"{words.short_size(event.speed)}/s"
    full = [f"{words.size(event.size):>10}", f"{words.speed(event.speed):>12}", f"{rate:>14}", f"{left:>7}"]
    short = [f"{size:>4}", f"{speed:>6}", f"{rate:>11}", f"{left:>5}"]
    few = [f"{size:>4}", f"{speed:>6}", f"{left:>5}"]
    ends = [full, short] if all_of_it else [full, short, few, few[1:]]
    for parts in [
        *([f"{count} files", *failed, *rest] for rest in ends),
        *([] if all_of_it else ([count, *failed, *rest] for rest in (few[1:], few[1:2], []))),
    ]:
        line = "  ".join(parts)
        if len(line) <= width:
            return line
    return "" if all_of_it else count[:width]
