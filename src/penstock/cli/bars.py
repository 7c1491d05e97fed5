"""Draw the rows of the display with rich: one line each, two on narrow terminals."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import ControlType, Segment
from rich.style import Style
from rich.text import Text

from penstock.cli.live import open_live
from penstock.cli.row import SAVED, STOPPED, Row, seconds_left, standing
from penstock.cli.streams import SturdyStream
from penstock.core import words

#: Below this many columns the name has a line of its own, and the numbers are short.
NARROW: Final = 72
#: From this many columns on there is room for percents too.
_WIDE: Final = 100
#: Columns left free at the right, so that the ``^C`` that a terminal echoes does not break the line.
FREE: Final = 3
#: Of ``1023.9 MiB``, and the least for bytes of how many.
_AMOUNT, _LEAST_AMOUNTS = 10, 13
_LEAST_NAME: Final = 8
_MOST_NAME: Final = 40
_LEAST_BAR: Final = 4
_GOOD_BAR: Final = 12
_MOST_BAR: Final = 40
_GAP: Final = "  "
_TROUBLE: Final = Style(color="yellow")
#: Of bars to come, on their way and done: the terminal's own colours, which suit light and dark ones alike.
_TO_COME, _ON_THE_WAY, _DONE = "bright_black", "cyan", "green"
#: Cells of speed and time left together, in full and in short.
_MOVING, _SHORT_MOVING = 21, 14
#: Words that are no reason to worry.
_GOOD: Final = {"", "connecting", "starting", "saving", SAVED, STOPPED}


def open_bars(stream: SturdyStream, rows: Callable[[], list[Row]]) -> Live:
    """A live display of `rows` on a terminal, not started yet; it redraws itself and vanishes when stopped."""
    return open_live(stream, lambda: Group(*(Bar(row, time.monotonic()) for row in rows())))


class Columns(NamedTuple):
    """Cells of what is not as wide in every row: names, and bytes so far."""

    name: int = 0
    amounts: int = 0

    def united(self, other: Columns) -> Columns:
        """Wide enough for both."""
        return Columns(max(self.name, other.name), max(self.amounts, other.amounts))


class Bar:
    """One row as it is at `now`, drawn as wide as it may be; `columns` are those of all rows, where there are more."""

    def __init__(self, row: Row, now: float, columns: Columns | None = None) -> None:
        self._row = row
        self._now = now
        self._columns = columns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width - FREE
        ellipsis = "..." if options.ascii_only else "…"
        row, line = self._row, list[Segment]()
        still = standing(row, self._now)
        if options.max_width < NARROW:
            yield Text(shorten(row.name, width, ellipsis), no_wrap=True, overflow="crop")
            numbers, column = short_numbers(row, self._now, width), 0
        else:
            columns = fitting(columns_of(row) if self._columns is None else self._columns, options.max_width)
            numbers = full_numbers(row, self._now, columns.amounts, percents=options.max_width >= _WIDE)
            column = columns.name + len(_GAP)
            name = shorten(row.name, columns.name, ellipsis)
            line = [Segment(name + " " * (column - cell_len(name)))]
            if not name.isascii():  # a terminal may have another idea of its width: what follows keeps its place
                line.append(_to_column(column))
        bar_width = min(_MOST_BAR, width - column - len(numbers) - len(_GAP))
        if bar_width >= _LEAST_BAR:
            # of unknown length: it wanders only while bytes come
            total, done = (row.length, row.done) if row.length is not None else (1 if still else None, 0)
            line += [*drawn_bar(total, done, bar_width, console, options), Segment(_GAP)]
        style = None if still in _GOOD else _TROUBLE
        yield from Segment.adjust_line_length([*line, Segment(numbers, style)], width, pad=False)
        yield Segment.line()


def columns_of(row: Row) -> Columns:
    """What `row` would like."""
    most = _AMOUNT if row.length is None else len(words.amounts(row.length, row.length))
    return Columns(cell_len(row.name), max(most, _LEAST_AMOUNTS))


def fitting(columns: Columns, width: int) -> Columns:
    """As much of `columns` as there is room for on a terminal so wide."""
    numbers = len(full_numbers(Row(""), 0.0, columns.amounts, percents=width >= _WIDE))
    room = max(_LEAST_NAME, width - FREE - numbers - _GOOD_BAR - 2 * len(_GAP))
    return columns._replace(name=min(_MOST_NAME, room, columns.name))


def drawn_bar(
    total: float | None, completed: float, width: int, console: Console, options: ConsoleOptions
) -> list[Segment]:
    """The bar alone, in exactly `width` cells; without a total it wanders."""
    bar = ProgressBar(total, completed, width, style=_TO_COME, complete_style=_ON_THE_WAY, finished_style=_DONE)
    bar.pulse_style = _ON_THE_WAY
    # without colours the bar stops where it ends, so the place of what follows is made sure of here
    return Segment.adjust_line_length(list(console.render(bar, options.update(width=width))), width)


def full_numbers(row: Row, now: float, amounts_width: int, *, percents: bool = False) -> str:
    """Bytes, speed, time left and connections in columns of their own widths, so that they do not jump."""
    parts = [f"{_percent(row):>4}"] if percents else []
    amounts = words.amounts(row.done, row.length) if row.is_answered else ""
    moving = standing(row, now) or f"{_speed(row, words.speed):>12}{_GAP}{_left(row):>7}"
    return _GAP.join([*parts, f"{amounts:>{amounts_width}}", f"{moving:>{_MOVING}}", _connections(row)])


def short_numbers(row: Row, now: float, width: int) -> str:
    """As `full_numbers`, in 28 cells, or in fewer where `width` is less."""
    amounts = words.short_amounts(row.done, row.length) if row.is_answered else ""
    rate = _speed(row, lambda speed: f"{words.short_size(speed)}/s")
    still, left = standing(row, now, briefly=True), _left(row)
    moving = still or f"{rate:>6} {left:>7}"
    so_far = f"{_percent(row) or (words.short_size(row.done) if row.is_answered else ''):>4}"
    for numbers in (
        f"{amounts:>9} {moving:>{_SHORT_MOVING}} {_connections(row)}",
        f"{so_far} {moving:>{_SHORT_MOVING}}",
        f"{so_far} {still or f'{rate:>6} {left:>5}':>12}",
        f"{so_far} {still or left:>7}",
    ):
        if len(numbers) <= width:
            return numbers
    return still or so_far


def shorten(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` in at most `width` cells, its middle left out: beginning and extension say most."""
    if cell_len(text) <= width:
        return text
    room = width - cell_len(ellipsis)
    if room <= 0:
        return ""
    head = _fitting(text, room - room // 2)
    tail = _fitting(text[::-1], room - cell_len(head))[::-1]
    while tail and unicodedata.category(tail[0]).startswith("M"):
        tail = tail[1:]  # a mark without its letter would sit on the ellipsis
    return f"{head}{ellipsis}{tail}"


def _fitting(text: str, width: int) -> str:
    """The longest beginning of `text` in `width` cells."""
    end = 0
    while end < len(text) and cell_len(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def _to_column(column: int) -> Segment:
    """Move the cursor to `column`, counted from 0."""
    return Segment(f"\x1b[{column + 1}G", None, [(ControlType.CURSOR_MOVE_TO_COLUMN, column)])


def _percent(row: Row) -> str:
    return "" if row.length is None else f"{words.percent(row.done, row.length)}%"


def _speed(row: Row, say: Callable[[float], str]) -> str:
    return say(row.speed.shown) if row.speed is not None and row.speed.shown else ""


def _left(row: Row) -> str:
    return "" if row.length is None or row.speed is None or row.speed.is_young else words.clock(seconds_left(row))


def _connections(row: Row) -> str:
    return f"{row.connections:>2}x" if row.is_answered and not row.ended else "   "
