"""Progress on a terminal: a live line for each running download, messages above them.

rich is imported when the first download has run for a moment, so that a small file does not pay for it.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from penstock.cli.messages import NORMAL, describe
from penstock.cli.streams import SturdyStream
from penstock.core.urls import escape
from penstock.events import (
    AnyEvent,
    Cancelled,
    Failed,
    Finished,
    Probed,
    Progressed,
    Restarted,
    Resumed,
    Started,
)

if TYPE_CHECKING:
    from rich.live import Live

#: Redraws per second; more costs time and shows nothing more.
REDRAWS: Final = 8
#: Seconds a download runs before its line appears.
PATIENCE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Row:
    """What is shown of one download. `name` is escaped; `length` is None while unknown; bytes, bytes per second."""

    name: str
    done: int = 0
    length: int | None = None
    #: None until the first measure.
    speed: float | None = None
    connections: int = 0


def updated(row: Row, event: AnyEvent) -> Row:
    """`row` after `event`."""
    match event:
        case Probed(path=path, length=length):
            return replace(row, name=escape(os.path.basename(path)), length=length)
        case Resumed(kept=kept):
            return replace(row, done=kept)
        case Restarted():
            return replace(row, done=0, speed=None)
        case Progressed(done=done, length=length, speed=speed, connections=connections):
            return replace(row, done=done, length=length, speed=speed, connections=connections)
    return row


class Display:
    """Draws events on a terminal. `patience` is the seconds before the first drawing."""

    def __init__(self, stream: SturdyStream, level: int = NORMAL, *, patience: float = PATIENCE) -> None:
        self._stream = stream
        self._level = level
        self._patience = patience
        #: Never changed, only replaced by the listener's thread: others read it without a lock.
        self._rows: dict[int, Row] = {}
        self._guard = threading.Lock()
        self._live: Live | None = None
        self._timer: threading.Timer | None = None
        self._closed = False

    def show(self, event: AnyEvent) -> None:
        """Take an event; called on one thread."""
        if (line := describe(event, self._level)) is not None:
            self.complain(line)
        self._apply(event)
        if isinstance(event, Started):
            self._begin_soon()

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
        """The downloads under way, oldest first; from any thread."""
        return list(self._rows.values())

    def _apply(self, event: AnyEvent) -> None:
        rows, number = self._rows, event.download
        if isinstance(event, Started):
            self._rows = {**rows, number: Row(escape(event.url))}
        elif isinstance(event, Finished | Failed | Cancelled):
            self._rows = {other: row for other, row in rows.items() if other != number}
        elif number in rows:
            self._rows = {**rows, number: updated(rows[number], event)}

    def _begin_soon(self) -> None:
        with self._guard:
            if self._timer is None and not self._closed:
                self._timer = threading.Timer(self._patience, self._begin)
                self._timer.daemon = True
                self._timer.start()

    def _begin(self) -> None:
        if not self._rows:
            with self._guard:
                self._timer = None  # all done within the patience: the next download asks again
            return
        from penstock.cli.bars import open_live

        live = open_live(self._stream, self.rows)
        with self._guard:
            if not self._closed:
                live.start(refresh=True)
                self._live = live
