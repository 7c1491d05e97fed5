"""The display in a real terminal, with a shell around it. Needs tmux."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from rich.cells import cell_len

from tests.cli.tmux import Tmux, find_tmux
from tests.conftest import sha256
from tests.engine.helpers import at_rate, soundly
from tests.servers.content import Content
from tests.servers.fault import FaultServer

pytestmark = pytest.mark.skipif(find_tmux() is None, reason="no tmux here")

MB = 1_000_000
CONTENT = Content(60 * MB)
NAME = "debian-13.1.0-amd64-netinst.iso"
#: The end of a live line: time left, connections.
LIVE = re.compile(r"\d:\d\d +\d+x$", re.MULTILINE)
GONE = "interrupted; the same command goes on"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Tmux]:
    (tmp_path / "work").mkdir()
    with Tmux(80, 24, tmp_path / "work", tmp_path / "bin") as tmux:
        # a screen that is full, as after a while of work: near its top tmux itself pushes broken lines out of reach
        tmux.type("seq 40")
        tmux.wait_for(lambda screen: screen.endswith("\n40\n$"))
        yield tmux


@pytest.fixture
def url(fault_server: FaultServer) -> str:
    """A file that takes its time."""
    fault_server.script = at_rate(0.3 * MB)
    return fault_server.serve(f"/{NAME}", CONTENT)


def fits(screen: str, columns: int, lines: int = 1) -> bool:
    """True when so many live lines are there that were drawn for a terminal so wide."""
    live = [line for line in screen.splitlines() if LIVE.search(line)]
    return len(live) == lines and all(cell_len(line) == columns - 3 for line in live)


def test_other_widths_leave_no_broken_lines_behind(terminal: Tmux, url: str) -> None:
    terminal.type("echo the line above")
    terminal.wait_for(lambda screen: screen.endswith("\nthe line above\n$"))
    terminal.type(f"penstock {url}")
    terminal.wait_for(lambda screen: fits(screen, 80))
    for columns in (77, 40, 60, 38, 100, 74, 37, 80):
        terminal.resize(columns, 24)
        terminal.wait_for(lambda screen, columns=columns: fits(screen, columns))  # type: ignore[misc]
        everything = terminal.screen(history=True)
        assert len(LIVE.findall(everything)) == 1
        assert everything.count("the line above") == 2
    terminal.press("C-c")
    screen = terminal.wait_for(GONE)
    assert [line.split()[0] for line in screen.splitlines()[-3:]] == ["$", "interrupted;", "$"]
    assert "━" not in terminal.screen(history=True)


def test_so_it_is_with_many_files(terminal: Tmux, fault_server: FaultServer, url: str) -> None:
    urls = [fault_server.serve(f"/{quote(name)}.bin", CONTENT) for name in ("a", "中文", "🚀é", "d" * 60)]
    terminal.type(f"penstock -j 4 {' '.join(urls)}")
    terminal.wait_for(lambda screen: fits(screen, 80, 4))
    for columns in (40, 100, 60, 80):
        terminal.resize(columns, 24)
        terminal.wait_for(lambda screen, columns=columns: fits(screen, columns, 4))  # type: ignore[misc]
        assert len(LIVE.findall(terminal.screen(history=True))) == 4
    assert len(re.findall(r"0/4 files", terminal.screen(history=True))) == 1
    terminal.press("C-c")
    terminal.wait_for("interrupted: 0 files there")
    assert "━" not in terminal.screen(history=True)


def test_a_stopped_process_leaves_the_terminal_to_the_shell(terminal: Tmux, url: str) -> None:
    terminal.type(f"penstock {url}")
    terminal.wait_for(lambda screen: fits(screen, 80))
    assert not terminal.shows_cursor()
    terminal.press("C-z")
    screen = terminal.wait_for("Stopped")
    assert "━" not in screen
    terminal.wait_for(lambda screen: screen.endswith("$"))
    assert terminal.shows_cursor()
    terminal.type("fg")
    screen = terminal.wait_for(lambda screen: fits(screen, 80))
    assert "$ fg" in screen
    assert "Stopped" in screen
    terminal.press("C-c")
    terminal.wait_for(GONE)
    assert terminal.shows_cursor()


def test_a_job_in_the_background_says_how_it_ended_and_draws_nothing(
    terminal: Tmux, fault_server: FaultServer, url: str, tmp_path: Path
) -> None:
    terminal.type(f"penstock {url}")
    terminal.wait_for(lambda screen: fits(screen, 80))
    terminal.press("C-z")
    terminal.wait_for("Stopped")
    terminal.type("bg; clear; echo mine")
    before = fault_server.bytes_sent
    fault_server.wait_for(lambda: fault_server.bytes_sent > before + 6 * MB)
    assert "━" not in terminal.screen()
    terminal.type("kill -INT %1")
    terminal.wait_for(GONE)
    fault_server.script = soundly
    terminal.type(f"penstock {url} &")
    screen = terminal.wait_for("saved")
    assert "going on from" in screen
    assert "━" not in screen
    assert sha256(tmp_path / "work" / NAME) == CONTENT.sha256


def test_what_ends_at_once_shows_no_bar(terminal: Tmux, fault_server: FaultServer) -> None:
    url = fault_server.serve("/small.bin", Content(1 * MB))
    terminal.type(f"script -qec 'penstock {url}' /dev/null | cat -v")  # what a terminal would be sent, to be read
    screen = terminal.wait_for(lambda screen: "saved small.bin" in screen and screen.endswith("$"))
    assert "^[" not in screen


def test_warnings_go_above_the_live_lines_and_are_kept(terminal: Tmux, fault_server: FaultServer) -> None:
    fault_server.script = at_rate(0.3 * MB)
    urls = [fault_server.serve("/large.bin", CONTENT), *(fault_server.url(f"/none-{number}") for number in range(12))]
    terminal.type(f"penstock {' '.join(urls)}; echo")
    terminal.wait_for(lambda screen: screen.count("HTTP 404") == 12 and "large.bin " in screen)
    screen = terminal.wait_for(lambda screen: fits(screen, 80))
    assert screen.splitlines()[-2].startswith("large.bin ")
    assert "12/13 files  12 failed" in screen.splitlines()[-1]
