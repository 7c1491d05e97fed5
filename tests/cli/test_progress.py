"""tqdm bars driven by events."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest
import tqdm.std

from penstock.errors import DownloadError
from penstock.events import AnyEvent, BatchProgressed, Cancelled, Failed, Restarted, Resumed
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


def test_resumed_bytes_are_no_part_of_the_speed_of_late_either(bars: list[Recorder]) -> None:
    play(started(), probed(), Resumed(download=1, at=0.2, kept=40 * MIB))
    assert bars[0].format_dict["rate"] is None
    assert bars[0].last_print_n == 40 * MIB


def test_before_the_answer_there_is_no_bar_without_a_name(bars: list[Recorder]) -> None:
    assert play(started()) == ""
    assert play(started(), probed()).lstrip("\r").startswith("big.iso:   0%")


def batch(total: int, done: int, *, failed: int = 0, listed: bool = True, ended: bool = False) -> BatchProgressed:
    return BatchProgressed(
        download=0, at=1.0, total=total, listed=listed, done=done, skipped=0, failed=failed, active=1,
        size=done * MIB, speed=1.0, pace=1.0, ended=ended,
    )  # fmt: skip


def test_a_list_has_one_bar_of_files_and_its_files_have_none(bars: list[Recorder]) -> None:
    text = play(
        batch(0, 0, listed=False), started(), probed(), progressed(MIB), batch(3, 0, listed=False), batch(4, 2),
        finished(), batch(4, 3, failed=1), batch(4, 3, failed=1),
    )  # fmt: skip
    [bar] = bars
    assert bar.closed
    assert (bar.n, bar.total, bar.unit) == (4, 4, "file")
    assert "3.0 MiB, 1 failed" in text


def test_after_a_list_downloads_have_bars_again_and_so_has_another_list(bars: list[Recorder]) -> None:
    play(batch(1, 0), batch(1, 1), batch(1, 1), started(), probed(), finished(), batch(2, 0), batch(2, 2))
    assert [bar.unit for bar in bars] == ["file", "B", "file"]
    assert all(bar.closed for bar in bars)


def test_after_a_list_that_was_stopped_downloads_have_bars_again(bars: list[Recorder]) -> None:
    play(batch(9, 0), batch(9, 2, listed=False, ended=True), started(), probed(), finished())
    assert [bar.unit for bar in bars] == ["file", "B"]
    assert all(bar.closed for bar in bars)


def test_an_empty_list_has_a_bar_that_is_closed(bars: list[Recorder]) -> None:
    play(batch(0, 0, listed=False), batch(0, 0))
    assert [bar.closed for bar in bars] == [True]


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
    play(probed(), progressed(MIB), probed(download=2), progressed(MIB, download=2), finished(download=2))
    assert [bar.n for bar in bars] == [MIB, 100 * MIB]
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
