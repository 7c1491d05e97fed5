"""Draw the rows of the display with rich: one line each, two on narrow terminals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import IO, Final, cast

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from penstock.cli.display import REDRAWS, Row
from penstock.cli.streams import SturdyStream
from penstock.core import words

#: Below this many columns the name has a line of its own, and the numbers are short.
NARROW: Final = 72
#: Columns left free at the right, so that the ``^C`` that a terminal echoes does not break the line.
_FREE: Final = 3
_LEAST_NAME: Final = 8
_MOST_NAME: Final = 40
_LEAST_BAR: Final = 4
_GOOD_BAR: Final = 12
_MOST_BAR: Final = 40
_DIM: Final = Style(dim=True)


def open_live(stream: SturdyStream, rows: Callable[[], list[Row]]) -> Live:
    """A live display of `rows` on a terminal, not started yet; it redraws itself and vanishes when stopped."""
    console = Console(file=cast("IO[str]", stream), force_terminal=True, highlight=False, markup=False, emoji=False)
    return Live(
        console=console,
        get_renderable=lambda: Group(*(Bar(row) for row in rows())),
        refresh_per_second=REDRAWS,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class Bar:
    """One row, drawn as wide as it may be."""

    def __init__(self, row: Row) -> None:
        self._row = row

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width - _FREE
        ellipsis = "..." if options.ascii_only else "…"
        row = self._row
        if options.max_width < NARROW:
            yield Text(shorten(row.name, width, ellipsis), no_wrap=True, overflow="crop")
            numbers, name = short_numbers(row), ""
        else:
            numbers = full_numbers(row)
            room = max(_LEAST_NAME, width - len(numbers) - _GOOD_BAR - 4)
            name_width = min(_MOST_NAME, cell_len(row.name), room)
            name = _padded(shorten(row.name, name_width, ellipsis), name_width) + "  "
        bar_width = min(_MOST_BAR, width - cell_len(name) - len(numbers) - 2)
        line: Iterable[Segment] = [Segment(name)]
        if bar_width >= _LEAST_BAR:
            bar = ProgressBar(total=row.length, completed=row.done, width=bar_width)
            # without colours the bar stops where it ends, so the numbers' place is made sure of here
            line = [*line, *_exactly(console.render(bar, options.update(width=bar_width)), bar_width), Segment("  ")]
        yield from Segment.adjust_line_length([*line, Segment(numbers, _DIM)], width, pad=False)
        yield Segment.line()


def full_numbers(row: Row) -> str:
    """Bytes, speed, time left and connections in columns of their own widths, so that they do not jump."""
    parts = [f"{words.amounts(row.done, row.length):>17}", f"{_speed(row, words.speed):>12}"]
    return "  ".join([*parts, f"{_left(row):>7}", f"{row.connections:>2}x"])


def short_numbers(row: Row) -> str:
    """As `full_numbers`, in at most 29 columns."""
    amounts = words.short_amounts(row.done, row.length)
    rate = _speed(row, lambda speed: f"{words.short_size(speed)}/s")
    return f"{amounts:>9} {rate:>6} {_left(row):>7} {row.connections:>2}x"


def shorten(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` in at most `width` cells, its middle left out: beginning and extension say most."""
    if cell_len(text) <= width:
        return text
    room = width - cell_len(ellipsis)
    if room <= 0:
        return ""
    head = _fitting(text, room - room // 2)
    tail = _fitting(text[::-1], room - cell_len(head))[::-1]
    return f"{head}{ellipsis}{tail}"


def _fitting(text: str, width: int) -> str:
    """The longest beginning of `text` in `width` cells."""
    end = 0
    while end < len(text) and cell_len(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _exactly(segments: Iterable[Segment], width: int) -> list[Segment]:
    return Segment.adjust_line_length(list(segments), width)


def _speed(row: Row, say: Callable[[float], str]) -> str:
    return say(row.speed) if row.speed else ""


def _left(row: Row) -> str:
    return "" if row.speed is None else words.time_left(row.done, row.length, row.speed)
