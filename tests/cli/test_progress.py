"""tqdm bars driven by events."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest
import tqdm.std

from penstock.errors import DownloadError
from penstock.events import AnyEvent, Cancelled, Failed, Restarted, Resumed
from penstock.progress import tqdm_progress
from tests.cli.command import environment
from tests.cli.stories import MIB, finished, probed, progressed, started

FAILED = Failed(download=1, at=2, error=DownloadError("x"))
CANCELLED = Cancelled(download=1, at=2, resumable=True)


class Recorder(tqdm.std.tqdm):  # type: ignore[misc]
    """A bar that remembers itself."""

    made: list[Recorder]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.closed = False
        self.arguments = kwargs
        super().__init__(*args, **kwargs)
        type(self).made.append(self)

    def close(self) -> None:
        self.closed = True
        super().close()


@pytest.fixture
def bars() -> list[Recorder]:
    Recorder.made = []
    return Recorder.made


def play(*events: AnyEvent, **kwargs: Any) -> str:
    stream = io.StringIO()
    listen = tqdm_progress(Recorder, file=stream, mininterval=0, **kwargs)
    for event in events:
        listen(event)
    return stream.getvalue()


def test_a_bar_shows_name_bytes_and_total(bars: list[Recorder]) -> None:
    text = play(started(), probed(), progressed(50 * MIB))
    assert "big.iso:  50%" in text
    assert "50.0M/100M" in text
    assert (bars[0].n, bars[0].total, bars[0].unit) == (50 * MIB, 100 * MIB, "B")


def test_resumed_bytes_count_as_done_but_not_as_speed(bars: list[Recorder]) -> None:
    play(started(), probed(), Resumed(download=1, at=0.2, kept=40 * MIB))
    assert (bars[0].n, bars[0].initial) == (40 * MIB, 40 * MIB)


def test_a_restart_begins_at_zero(bars: list[Recorder]) -> None:
    kept = Resumed(download=1, at=0.2, kept=40 * MIB)
    play(started(), probed(), kept, Restarted(download=1, at=1, why="changed", dropped=9))
    assert (bars[0].n, bars[0].initial, bars[0].total) == (0, 0, 100 * MIB)


def test_an_unknown_length_is_learnt_on_the_way(bars: list[Recorder]) -> None:
    play(started(), probed(length=None), progressed(MIB, None))
    assert bars[0].total is None
    play(started(), probed(length=None), progressed(MIB, 3 * MIB))
    assert bars[1].total == 3 * MIB


@pytest.mark.parametrize("end", [finished(), FAILED, CANCELLED])
def test_each_ending_closes_the_bar(bars: list[Recorder], end: AnyEvent) -> None:
    play(started(), probed(), progressed(MIB), end)
    assert bars[0].closed


def test_a_finished_bar_is_full(bars: list[Recorder]) -> None:
    play(started(), probed(), progressed(MIB), finished())
    assert bars[0].n == 100 * MIB


def test_each_download_has_its_own_bar(bars: list[Recorder]) -> None:
    play(started(), started(download=2), probed(download=2), progressed(MIB, download=2), finished(download=2))
    assert [bar.n for bar in bars] == [0, 100 * MIB]
    assert [bar.closed for bar in bars] == [False, True]


def test_arguments_of_the_caller_win(bars: list[Recorder]) -> None:
    play(started(), probed(), unit="o", desc="mine")
    assert (bars[0].unit, bars[0].desc) == ("o", "mine")


def test_a_disabled_bar_is_no_error(bars: list[Recorder]) -> None:
    text = play(
        started(), probed(), Resumed(download=1, at=0, kept=5), Restarted(download=1, at=1, why="x", dropped=1),
        progressed(MIB), finished(), disable=True,
    )  # fmt: skip
    assert text == ""


def test_events_of_a_download_begun_unseen_are_no_error() -> None:
    assert play(progressed(MIB), finished()) == ""


def test_a_name_cannot_command_the_terminal(bars: list[Recorder]) -> None:
    assert "\x1b[2J" not in play(started(), probed("\x1b[2J"), progressed(MIB))


def test_tqdm_is_imported_only_when_used() -> None:
    script = (
        "import sys, penstock; penstock.tqdm_progress; assert 'tqdm' not in sys.modules; "
        "penstock.tqdm_progress(); assert 'tqdm' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], env=environment(), check=True)
