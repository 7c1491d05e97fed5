"""Live lines at the bottom of a terminal, drawn by rich, that can be taken back after the terminal became narrower."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import IO, Final, cast

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.control import Control
from rich.live import Live
from rich.live_render import LiveRender
from rich.segment import ControlType, Segment

from penstock.cli.streams import SturdyStream

#: Redraws per second; more costs time and shows nothing more.
REDRAWS: Final = 8


def open_live(stream: SturdyStream, drawing: Callable[[], RenderableType]) -> Live:
    """Live lines on a terminal, not started yet; they are redrawn by themselves and vanish when stopped."""
    console = Console(file=cast("IO[str]", stream), force_terminal=True, highlight=False, markup=False, emoji=False)
    live = Live(
        console=console,
        get_renderable=drawing,
        refresh_per_second=REDRAWS,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    live._live_render = _Lines(console, breaks=breaks_lines(os.environ))
    return live


def breaks_lines(environ: Mapping[str, str]) -> bool:
    """True for a terminal that breaks its lines in two when it becomes narrower, as nearly all do; some cut them."""
    if "TMUX" in environ:
        return True
    return "XTERM_VERSION" not in environ and not environ.get("TERM", "").startswith(("screen", "st-"))


class _Lines(LiveRender):
    """rich goes up by as many lines as it drew: too few when the terminal has broken them since."""

    def __init__(self, console: Console, *, breaks: bool) -> None:
        super().__init__("")
        self._console = console
        self._breaks = breaks
        #: Of the lines on the terminal, in cells.
        self._widths: list[int] = []

    def position_cursor(self) -> Control:
        """Take the lines back; the cursor stands in the last."""
        if not self._widths:
            return Control()
        erase = (ControlType.ERASE_IN_LINE, 2)
        up = ((ControlType.CURSOR_UP, 1), erase)
        return Control(ControlType.CARRIAGE_RETURN, erase, *up * (self._height() - 1))

    def restore_cursor(self) -> Control:
        """Take the lines back; the cursor stands below them."""
        up = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
        return Control(ControlType.CARRIAGE_RETURN, *up * self._height())

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [0]
        for segment in super().__rich_console__(console, options):
            if isinstance(segment, Segment) and segment.text == "\n":
                widths.append(0)
            elif isinstance(segment, Segment):
                widths[-1] += segment.cell_length
            yield segment
        self._widths = widths if self.last_render_height else []

    def _height(self) -> int:
        """The lines that they take up now."""
        if not self._breaks:
            return len(self._widths)
        columns = self._console.width
        return sum(max(1, math.ceil(width / columns)) for width in self._widths)
