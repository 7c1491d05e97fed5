"""The live display, seen as the characters that reach a terminal."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from penstock.cli.bars import Bar, shorten
from penstock.cli.display import Display
from penstock.cli.live import REDRAWS
from penstock.cli.row import Row, updated
from penstock.cli.streams import SturdyStream
from penstock.errors import DownloadError
from penstock.events import AnyEvent, Cancelled, Failed, Retried, Warned
from tests.cli.command import ROOT, environment
from tests.cli.stories import MIB, finished, probed, progressed, started, under_way

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Terminal(io.StringIO):
    """A terminal that keeps what was written, and can be waited on."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._changed:
            count = super().write(text)
            self._changed.notify_all()
        return count

    def wait_for(self, text: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: text in self.getvalue(), timeout=20), self.getvalue()[-500:]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def row_of(events: Iterable[AnyEvent]) -> Row:
    row = Row("")
    for event in events:
        row = updated(row, event)
    return row


#: Moves of the cursor along the line, which keep the columns where they are.
ALONG = re.compile(r"\x1b\[\d+G")


def drawn(row: Row, width: int, *, color: bool = False) -> list[str]:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system="256" if color else None, no_color=not color
    )
    console.print(Bar(row, 2.5))
    assert isinstance(console.file, io.StringIO)
    return ALONG.sub("", console.file.getvalue()).splitlines()


def test_a_line_tells_name_bytes_speed_time_left_and_connections() -> None:
    [line] = drawn(row_of(under_way()), 80)
    assert line.startswith("big.iso  ━")
    assert line.partition("╸")[2].split() == ["50.0/100.0", "MiB", "10.0", "MiB/s", "0:05", "4x"]


def test_the_bar_grows_with_the_bytes() -> None:
    lengths = [
        drawn(row_of([started(), probed(), progressed(done * MIB)]), 100)[0].count("━") for done in (0, 25, 50, 100)
    ]
    assert lengths == sorted(set(lengths))
    assert lengths[0] == 0


def test_on_forty_columns_the_name_has_its_own_line_and_nothing_is_lost() -> None:
    name, numbers = drawn(row_of(under_way("a-name-of-thirty-seven-characters.iso")), 40)
    assert name.strip() == "a-name-of-thirty-seven-characters.iso"
    assert numbers.partition("╸")[2].split() == ["50M/100M", "10M/s", "0:05", "4x"]
    assert cell_len(numbers) <= 37


@pytest.mark.parametrize("width", [20, 39, 40, 41, 71, 72, 73, 80, 100, 200])
@pytest.mark.parametrize("name", ["a.iso", "n" * 300 + ".iso", "長い名前" * 50 + ".iso"])
@pytest.mark.parametrize("length", [100 * MIB, 2**50, None])
def test_every_line_leaves_room_for_an_echoed_control_c(width: int, name: str, length: int | None) -> None:
    assert all(cell_len(line) <= width - 3 for line in drawn(row_of(under_way(name, length)), width))


def test_an_unknown_length_shows_a_pulse_and_the_bytes() -> None:
    [line] = drawn(row_of(under_way(length=None)), 80)
    assert "━" in line
    assert line.split("━")[-1].split()[-5:] == ["50.0", "MiB", "10.0", "MiB/s", "4x"]


def test_a_standstill_is_called_stalled() -> None:
    for width in (80, 40):
        assert "stalled" in drawn(row_of([*under_way(), progressed(50 * MIB, speed=0)]), width)[-1]


def test_before_the_first_answer_the_url_stands_in_the_names_place() -> None:
    [line] = drawn(Row("https://e.org/a"), 80)
    assert line.startswith("https://e.org/a")
    assert line.endswith("connecting     ")


def test_colours_are_used_where_there_are_any_and_not_otherwise() -> None:
    assert "\x1b[" in drawn(row_of(under_way()), 80, color=True)[0]
    assert "\x1b[3" not in drawn(row_of(under_way()), 80)[0]


@given(st.text(), st.integers(1, 50))
def test_a_shortened_name_fits_in_its_cells(name: str, width: int) -> None:
    short = shorten(name, width)
    assert cell_len(short) <= width
    assert cell_len(name) > width or short == name


def test_a_long_name_keeps_its_beginning_and_its_extension() -> None:
    assert shorten("debian-12.5.0-amd64-netinst.iso", 16) == "debian-1…nst.iso"


@pytest.mark.parametrize("width", [80, 100])
def test_the_columns_stay_where_they_are_whatever_happens(width: int) -> None:
    lines = [
        drawn(row_of([*under_way(), event]), width)[0]
        for event in (
            progressed(99 * MIB, speed=1023 * MIB, at=3.0),
            progressed(51 * MIB, speed=0.0, at=3.0),
            Retried(download=1, at=2.0, why="refused", wait=200.0, attempt=1),
            progressed(100 * MIB),
        )
    ]
    assert {line.index("/100.0 MiB") for line in lines} == {lines[0].index("/100.0 MiB")}
    assert {line.rindex("x") for line in lines} == {len(lines[0].rstrip()) - 1}


def test_a_name_of_another_width_than_ours_moves_nothing() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    console.print(Bar(row_of(under_way("中文é🚀.bin")), 2.5))
    assert isinstance(console.file, io.StringIO)
    name, _, rest = console.file.getvalue().partition("\x1b[")
    column, _, _ = rest.partition("G")
    assert cell_len(name) == int(column) - 1


def test_a_wait_for_the_next_try_is_counted_down() -> None:
    waiting = [*under_way(), Retried(download=1, at=2.0, why="HTTP 503", wait=30.0, attempt=1)]
    assert "trying again in 0:30" in drawn(row_of(waiting), 80)[0]
    assert "again in 0:30" in drawn(row_of(waiting), 40)[1]
    assert "again in 0:30" in drawn(row_of(waiting), 20)[1]


def test_twenty_columns_tell_percents_speed_and_time_left() -> None:
    name, numbers = drawn(row_of(under_way()), 20)
    assert name.strip() == "big.iso"
    assert numbers.split() == ["50%", "10M/s", "0:05"]


def test_wide_terminals_tell_percents_too() -> None:
    assert " 50%  " in drawn(row_of(under_way()), 100)[0]


def test_a_shortened_name_begins_no_piece_with_a_mark() -> None:
    assert shorten("n" * 20 + "e\u0301" * 20, 11) == "nnnnn…" + "e\u0301" * 5
    assert "…\u0301" not in shorten("e\u0301" * 40, 10)


def test_messages_appear_above_the_live_line(terminal: Terminal) -> None:
    display = Display(SturdyStream(terminal), patience=0)
    for event in under_way():
        display.show(event)
    terminal.wait_for("big.iso")
    display.show(Retried(download=1, at=2, why="refused", wait=1.0, attempt=2))
    display.tell("saved")
    terminal.wait_for("saved")
    display.close()
    text = terminal.getvalue()
    assert text.index("big.iso") < text.index("trying again in 1.0 s (attempt 2): refused") < text.index("saved")


@pytest.mark.parametrize(
    "end",
    [finished(), Failed(download=1, at=2, error=DownloadError("x")), Cancelled(download=1, at=2, resumable=True), None],
)
def test_every_end_gives_the_cursor_back(terminal: Terminal, end: AnyEvent | None) -> None:
    display = Display(SturdyStream(terminal), patience=0)
    for event in [*under_way(), *([end] if end is not None else [])]:
        display.show(event)
        terminal.wait_for(HIDE)
    display.close()
    display.close()
    assert terminal.getvalue().rindex(SHOW) > terminal.getvalue().rindex(HIDE)
    assert display.rows() == ([] if end is not None else display.rows())


def test_a_download_that_ends_at_once_draws_nothing(terminal: Terminal) -> None:
    display = Display(SturdyStream(terminal), patience=60)
    for event in [*under_way(), finished()]:
        display.show(event)
    display.tell("saved")
    display.close()
    assert terminal.getvalue() == "saved\n"


def test_rich_is_imported_only_for_a_download_that_takes_its_time() -> None:
    script = """
import io, sys, threading
from penstock.cli.display import Display
from penstock.cli.streams import SturdyStream
from tests.cli.command import ROOT, environment
from tests.cli.stories import finished, started
display = Display(SturdyStream(io.StringIO()), patience=0.2)
display.show(started())
display.show(finished())
[timer] = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
timer.join()
assert "rich" not in sys.modules
display.show(started(download=2))
[timer] = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
timer.join()
assert "rich" in sys.modules
display.close()
"""
    subprocess.run([sys.executable, "-c", script], env=environment(), cwd=ROOT, check=True)


def test_redraws_are_bounded_however_many_events_come(terminal: Terminal) -> None:
    display = Display(SturdyStream(terminal), patience=0)
    display.show(started())
    display.show(probed())
    terminal.wait_for("big.iso")
    before, begun = terminal.getvalue().count("big.iso"), time.monotonic()
    for done in range(20_000):
        display.show(progressed(done))
    took = time.monotonic() - begun
    display.close()
    assert REDRAWS <= 10
    assert terminal.getvalue().count("big.iso") - before <= REDRAWS * took + 3


def test_names_are_neither_markup_nor_terminal_commands(terminal: Terminal) -> None:
    display = Display(SturdyStream(terminal), patience=0)
    for event in under_way("[red]x[bold]\x1b[2J"):
        display.show(event)
    terminal.wait_for("[red]x[bold]")
    display.show(Warned(download=1, at=2, message="[bold]y[/bold]\x1b]0;title\x07"))
    terminal.wait_for("[bold]y[/bold]")
    display.close()
    assert "\x1b[2J" not in terminal.getvalue()
    assert "\x07" not in terminal.getvalue()


def test_no_color_is_obeyed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    display = Display(SturdyStream(terminal), patience=0)
    for event in under_way():
        display.show(event)
    terminal.wait_for("big.iso")
    display.close()
    assert "\x1b[3" not in terminal.getvalue()
    assert "\x1b[38" not in terminal.getvalue()


def test_a_terminal_that_goes_away_raises_nothing(terminal: Terminal) -> None:
    stream = SturdyStream(terminal)
    display = Display(stream, patience=0)
    for event in under_way():
        display.show(event)
    terminal.wait_for("big.iso")
    terminal.close()
    display.tell("saved")
    display.close()
    assert stream.broken
