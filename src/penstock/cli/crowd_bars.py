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
from penstock.cli.crowd import total_line
from penstock.cli.display import REDRAWS, Row
from penstock.cli.running import Known
from penstock.cli.streams import SturdyStream
from penstock.events import BatchProgressed

#: Columns left free at the right, so that the ``^C`` that a terminal echoes does not break the line.
_FREE = 3
_BAR = 16


class Source(Protocol):
    """Who knows what is to be drawn."""

    def rows(self, room: int) -> list[Row]:
        """The files that have a line of their own, `room` at most."""

    def total(self) -> tuple[BatchProgressed, Known] | None:
        """Where the batch is, and what is known of the files under way."""


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
        is_narrow = options.max_width < NARROW
        # one for the total, and one more for the cursor: what is higher than the terminal cannot be taken back
        room = max(0, console.height - 2) // (2 if is_narrow else 1)
        for row in self._source.rows(room):
            yield from Bar(row).__rich_console__(console, options)
        known = self._source.total()
        if known is None:
            return
        width = options.max_width - _FREE
        event = known[0]
        whole = total_line(*known, width)
        beside = total_line(*known, width - _BAR - 2)
        if is_narrow or _says_less(beside, whole):
            yield Text(whole, no_wrap=True, overflow="crop", style="bold")
            return
        bar = ProgressBar(total=event.total or None, completed=event.done + event.failed, width=_BAR)
        drawn = Segment.adjust_line_length(list(console.render(bar, options.update(width=_BAR))), _BAR)
        yield from [*drawn, Segment("  "), Segment(beside, Style(bold=True)), Segment.line()]


def _says_less(line: str, whole: str) -> bool:
    """True when a number is missing that there is room for without the bar."""
    return len(line.split()) < len(whole.split()) and "files/s" not in line
