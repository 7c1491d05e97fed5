"""Draw the display of many files with rich."""

from __future__ import annotations

from typing import IO, Protocol, cast

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from penstock.cli.bars import NARROW, Bar
from penstock.cli.display import REDRAWS, Row
from penstock.cli.streams import SturdyStream
from penstock.events import BatchProgressed

#: Columns left free at the right, so that the ``^C`` that a terminal echoes does not break the line.
_FREE = 3
_BAR = 16


class Source(Protocol):
    """Who knows what is to be drawn."""

    _total: BatchProgressed | None

    def rows(self) -> list[Row]:
        """The files that have a line of their own."""

    def total(self, width: int) -> str:
        """The total line, in at most `width` columns."""


def open_live(stream: SturdyStream, source: Source) -> Live:
    """A live display on a terminal, not started yet; it redraws itself and vanishes when stopped."""
    console = Console(file=cast("IO[str]", stream), force_terminal=True, highlight=False, markup=False, emoji=False)
    return Live(
        console=console,
        get_renderable=lambda: _Drawing(source),
        refresh_per_second=REDRAWS,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class _Drawing:
    def __init__(self, source: Source) -> None:
        self._source = source

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in self._source.rows():
            yield from Bar(row).__rich_console__(console, options)
        width = options.max_width - _FREE
        event = self._source._total
        if event is None:
            return
        if options.max_width < NARROW:
            yield Text(self._source.total(width), no_wrap=True, overflow="crop")
            return
        line = self._source.total(width - _BAR - 2)
        bar = ProgressBar(total=event.total or None, completed=event.done + event.failed, width=_BAR)
        drawn = Segment.adjust_line_length(list(console.render(bar, options.update(width=_BAR))), _BAR)
        yield from [*drawn, Segment("  "), Segment(line, Style(bold=True)), Segment.line()]
