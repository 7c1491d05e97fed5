"""What is shown of many files."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from penstock.cli import crowd_bars
from penstock.cli.crowd import MOST_ROWS, Crowd
from penstock.cli.crowd_plain import CrowdPlain, Teller
from penstock.cli.messages import NORMAL, VERBOSE
from penstock.cli.running import Known, time_left
from penstock.cli.streams import SturdyStream
from penstock.events import AnyEvent, BatchProgressed, Retried
from tests.cli.stories import MIB, probed, progressed, started

BATCH = BatchProgressed(
    download=0, at=100.0, total=502, listed=True, done=36, skipped=0, failed=1, active=8,
    size=18 * MIB, speed=3.7 * MIB, pace=7.5,
)  # fmt: skip
NOTHING = Known()


def batch(**changes: Any) -> BatchProgressed:
    return dataclasses.replace(BATCH, **changes)


def drawn(width: int, height: int, event: BatchProgressed, files: int) -> list[str]:
    """The lines that a terminal of this size shows, with so many files under way."""
    crowd = Crowd(SturdyStream(io.StringIO()), patience=1000.0)
    for number in range(1, files + 1):
        crowd.show(started(float(number), url=f"https://e.org/{number}", download=number))
        crowd.show(probed(f"{number}.bin", download=number))
    crowd._total = event
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, height=height, color_system=None)
    console.print(crowd_bars._Drawing(crowd))
    return [line.rstrip() for line in stream.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize(
    "event", [BATCH, batch(total=250_000, done=12_000, failed=1_000, size=1800 * MIB, pace=833.0), batch(listed=False)]
)
def test_on_eighty_columns_the_total_tells_files_bytes_and_both_speeds(event: BatchProgressed) -> None:
    [line] = drawn(80, 24, event, 0)
    assert "files/s" in line
    assert "M/s" in line
    assert f"{event.done + event.failed:,}/{event.total:,}" in line
    assert not event.listed or line.endswith(time_left(event, NOTHING))
    assert len(line) <= 77


def test_on_forty_columns_it_fits_too() -> None:
    assert drawn(40, 24, BATCH, 0) == ["37/502 files  1 failed  3.7M/s  1:02"]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("height", [2, 3, 4, 6, 8, 24])
def test_the_total_is_there_however_low_the_terminal(width: int, height: int) -> None:
    lines = drawn(width, height, BATCH, 8)
    assert len(lines) < height
    assert "37/502" in lines[-1]
    assert all(cell_len(line) <= width - 3 for line in lines)
    assert len(lines) <= 1 + MOST_ROWS * (2 if width == 40 else 1)


def test_few_large_files_at_the_end_take_as_long_as_their_bytes() -> None:
    event = batch(total=340, done=300, failed=0, speed=5.0 * MIB, pace=13.0)
    assert time_left(event, NOTHING) == "0:04"
    assert time_left(event, Known(40, 40 * 47 * MIB, 40 * 47 * MIB)) == "6:16"


def test_equal_large_files_show_a_time_before_the_first_has_ended() -> None:
    event = batch(total=5, done=0, failed=0, speed=10.0 * MIB, pace=0.0)
    assert time_left(event, Known(5, 500 * MIB, 400 * MIB)) == "0:40"
    assert (
        time_left(batch(total=10, done=0, failed=0, speed=10.0 * MIB, pace=0.0), Known(5, 500 * MIB, 400 * MIB))
        == "1:30"
    )
    assert time_left(event, NOTHING) == ""
    assert time_left(dataclasses.replace(event, speed=0.0), Known(5, 500 * MIB, 400 * MIB)) == ""


def test_a_list_that_is_still_read_has_no_end() -> None:
    assert time_left(batch(listed=False), Known(1, 1, 1)) == ""


def test_what_is_known_of_the_files_under_way_comes_from_their_events() -> None:
    teller = Teller(NORMAL, None)
    for event in (started(), probed(), progressed(60 * MIB), started(download=2), probed(download=2, length=None)):
        teller.line(event)
    assert teller.running.known() == Known(1, 100 * MIB, 40 * MIB)


def told(level: int, *events: AnyEvent) -> list[str]:
    stream = io.StringIO()
    plain = CrowdPlain(SturdyStream(stream), level)
    for event in events:
        plain.show(event)
    return stream.getvalue().splitlines()


def retried(wait: float, download: int = 1) -> Retried:
    return Retried(download=download, at=1.0, why="HTTP 429", wait=wait, attempt=1)


def test_with_details_every_line_says_which_file_it_is_about() -> None:
    [line] = told(VERBOSE, started(), retried(2.0))
    assert line == "https://e.org/dir/big.iso: trying again in 2.0 s (attempt 1): HTTP 429"


def test_an_origin_that_keeps_us_waiting_is_told_once() -> None:
    lines = told(
        NORMAL,
        started(), retried(0.5), retried(30.0), started(download=2), retried(30.0, 2),
        started(url="http://f.org/x", download=3), retried(60.0, 3),
    )  # fmt: skip
    assert lines == [
        "https://e.org: HTTP 429; trying again in 30 s (this is said once)",
        "http://f.org: HTTP 429; trying again in 1:00 (this is said once)",
    ]
