"""Live lines can be taken back, whatever became of the terminal's width meanwhile."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from penstock.cli.live import _Lines, breaks_lines, open_live
from penstock.cli.streams import SturdyStream


@pytest.mark.parametrize(
    ("environ", "breaks"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(390)"}, False),
        ({"TERM": "screen-256color"}, False),
        ({"TERM": "screen-256color", "TMUX": "/tmp/x"}, True),
        ({"TERM": "st-256color"}, False),
        ({}, True),
    ],
)
def test_which_terminals_break_their_lines(environ: dict[str, str], breaks: bool) -> None:
    assert breaks_lines(environ) is breaks


def taken_back(before: int, after: int, widths: list[int], *, breaks: bool) -> tuple[int, int]:
    """How many lines up and how many erased, for lines drawn on `before` columns and taken back on `after`."""
    console = Console(file=io.StringIO(), width=before, height=24, force_terminal=True)
    lines = _Lines(console, breaks=breaks)
    lines.set_renderable(Group(*(Text("x" * width, no_wrap=True) for width in widths)))
    console.print(lines)
    console.width = after
    controls = lines.position_cursor().segment.control or []
    kinds = [control[0] for control in controls]
    return kinds.count(ControlType.CURSOR_UP), kinds.count(ControlType.ERASE_IN_LINE)


@pytest.mark.parametrize(
    ("after", "breaks", "up"), [(80, True, 2), (120, True, 2), (40, True, 4), (20, True, 7), (40, False, 2)]
)
def test_broken_lines_are_counted_as_the_terminal_broke_them(after: int, breaks: bool, up: int) -> None:
    assert taken_back(80, after, [77, 60, 5], breaks=breaks) == (up, up + 1)


def test_before_the_first_drawing_nothing_is_taken_back() -> None:
    lines = _Lines(Console(file=io.StringIO()), breaks=True)
    assert not lines.position_cursor().segment.control


def test_rich_asks_these_lines_and_no_others() -> None:
    """`Live` has no door for this: that it still takes what is put in its place is shown here."""
    console_file = io.StringIO()
    live = open_live(SturdyStream(console_file), lambda: Text("x" * 70, no_wrap=True))
    assert isinstance(live, Live)
    live.console.size = ConsoleDimensions(80, 24)
    live.start(refresh=True)
    live.console.size = ConsoleDimensions(40, 24)
    begun = len(console_file.getvalue())
    live.refresh()
    assert console_file.getvalue()[begun:].count("\x1b[1A") == 1
    live.stop()


def test_when_nothing_is_left_to_draw_nothing_above_is_taken() -> None:
    stream = io.StringIO()
    lines = [Text("live")]
    live = open_live(SturdyStream(stream), lambda: Group(*lines))
    live.start(refresh=True)
    lines.clear()
    live.console.print("saved")
    begun = len(stream.getvalue())
    live.stop()
    assert "\x1b[1A" not in stream.getvalue()[begun:]
