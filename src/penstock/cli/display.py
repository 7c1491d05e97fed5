"""Progress on a terminal: a live line for the running download, messages above it.

rich is imported when the download has run for a moment, so that a small file does not pay for it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from penstock.cli.messages import NORMAL, Repeats, describe
from penstock.cli.row import Row, seconds_left, updated
from penstock.cli.stage import PATIENCE, Stage
from penstock.cli.streams import SturdyStream
from penstock.core.urls import escape
from penstock.events import AnyEvent, Cancelled, Failed, Finished, Started

if TYPE_CHECKING:
    from rich.live import Live


class Display:
    """Draws events on a terminal. `patience` is the seconds before the first drawing."""

    def __init__(self, stream: SturdyStream, level: int = NORMAL, *, patience: float = PATIENCE) -> None:
        self._stream = stream
        self._level = level
        self._repeats = Repeats()
        #: Never changed, only replaced by the listener's thread: others read it without a lock.
        self._rows: dict[int, Row] = {}
        self._stage = Stage(stream, self._open_live, self._seconds_left, patience=patience)

    def show(self, event: AnyEvent) -> None:
        """Take an event; called on one thread."""
        if not self._repeats.has(event, self._level) and (line := describe(event, self._level)) is not None:
            self.complain(line)
        self._apply(event)
        if isinstance(event, Started):
            self._stage.begin_soon()

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

    def _seconds_left(self) -> float | None:
        return max(map(seconds_left, self.rows()), default=None)

    def _open_live(self) -> Live:
        from penstock.cli.bars import open_bars

        return open_bars(self._stream, self.rows)
