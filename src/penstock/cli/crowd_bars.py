"""Draw the display of many files with rich."""

from __future__ import annotations

import time
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from penstock.cli.bars import FREE, NARROW, Bar, Columns, columns_of, drawn_bar
from penstock.cli.crowd import Total, total_line
from penstock.cli.live import open_live
from penstock.cli.row import Row
from penstock.cli.streams import SturdyStream

_BAR = 16
#: Cells for names before one is known.
_LEAST_NAME = 16


class Source(Protocol):
    """Who knows what is to be drawn."""

    def rows(self, room: int) -> list[Row]:
        """The files that have a line of their own, `room` at most."""

    def total(self) -> Total | None:
        """Where the batch is."""


def open_crowd(stream: SturdyStream, source: Source) -> Live:
    """A live display on a terminal, not started yet; it redraws itself and vanishes when stopped."""
    drawing = Drawing(source)
    return open_live(stream, lambda: drawing)


class Drawing:
    """The lines of `source` as they are when they are drawn."""

    def __init__(self, source: Source) -> None:
        self._source = source
        #: As wide as the widest so far: what is beside it stays in its place when that one is gone.
        self._columns = Columns()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        is_narrow = options.max_width < NARROW
        # one for the total, and one more for the cursor: what is higher than the terminal cannot be taken back
        room = max(0, console.height - 2) // (2 if is_narrow else 1)
        rows = self._source.rows(room)
        for row in rows:
            if row.is_answered:  # before the answer the URL stands in the name's place: it may be cut short
                self._columns = self._columns.united(columns_of(row))
        columns = self._columns.united(Columns(_LEAST_NAME))
        now = time.monotonic()
        for row in rows:
            yield from Bar(row, now, columns).__rich_console__(console, options)
        total = self._source.total()
        if total is None:
            return
        width = options.max_width - FREE
        beside = "" if is_narrow else total_line(total, width - _BAR - 2, all_of_it=True)
        if not beside:
            yield Text(total_line(total, width), no_wrap=True, overflow="crop", style="bold")
            return
        drawn = drawn_bar(total.event.total or None, total.amount, _BAR, console, options)
        yield from [*drawn, Segment("  "), Segment(beside, Style(bold=True)), Segment.line()]
