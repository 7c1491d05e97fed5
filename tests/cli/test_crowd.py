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
from tests.cli.stories import MIB, finished, probed, progressed, started

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
    for at in (event.at - 2.0, event.at):
        crowd.show(dataclasses.replace(event, at=at))
    crowd.close()
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, height=height, color_system=None)
    console.print(crowd_bars.Drawing(crowd))
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
    assert drawn(40, 24, BATCH, 0) == [" 37/502  1 failed  3.7M/s   1:02"]


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


def test_files_to_come_are_taken_to_be_as_large_as_those_so_far() -> None:
    event = batch(total=500, done=180, failed=0, size=140 * MIB, speed=20.0 * MIB, pace=30.0)
    # 120 MiB in 180 files and 200 in four: each of the other 316 has 1.74 MiB
    assert time_left(event, Known(4, 200 * MIB, 180 * MIB)) == "0:37"


def test_a_lull_in_which_no_file_ends_does_not_make_all_files_large() -> None:
    crowd = crowd_of(under_way(1), [batch(done=300, at=at, size=300 * MIB, pace=30.0) for at in (90.0, 100.0)])
    crowd.show(batch(done=300, at=100.1, size=301 * MIB, pace=0.0))
    total = crowd.total()
    assert total is not None
    assert total.left == "1:17", "50 MiB, and 200 times the mean of 1.16, at 3.7 MiB/s"


def test_once_all_sizes_are_known_the_bytes_alone_tell_the_time() -> None:
    event = batch(total=5, done=1, failed=0, speed=10.0 * MIB, pace=0.2)
    assert time_left(event, Known(4, 400 * MIB, 70 * MIB)) == "0:07"
    assert time_left(event, Known(3, 400 * MIB, 70 * MIB)) == "0:20", "nothing is known of the fourth"


def test_the_bar_of_few_large_files_moves_before_the_first_has_ended() -> None:
    crowd = crowd_of(under_way(1), under_way(2, done=10 * MIB), [batch(total=2, done=0, failed=0)])
    total = crowd.total()
    assert total is not None
    assert round(total.amount, 6) == 0.6


def test_the_count_of_files_keeps_its_width() -> None:
    events = [batch(done=done, failed=0) for done in (0, 9, 10, 99, 100, 502)]
    lines = [drawn(80, 24, event, 0)[0] for event in events]
    assert len({line.index("files/s") for line in lines}) == 1
    assert len({line.index(" files ") for line in lines}) == 1


def crowd_of(*stories: list[AnyEvent]) -> Crowd:
    """A crowd that heard all this, and whose clock stands at 100 s."""
    crowd = Crowd(SturdyStream(io.StringIO()), patience=1000.0)
    for event in [event for story in stories for event in story]:
        crowd.show(event)
    if crowd.total() is None:
        crowd.show(BATCH)
    crowd.close()
    return crowd


def under_way(number: int, *, done: int = 50 * MIB, since: float = 1.0) -> list[AnyEvent]:
    """A file that began at `since` and will take long."""
    return [
        started(since, url=f"https://e.org/{number}", download=number),
        probed(f"{number}.bin", download=number),
        progressed(done, download=number, speed=1 * MIB),
    ]


def names(crowd: Crowd, room: int = 10) -> list[str]:
    return [f"{row.name} {row.ended}".strip() for row in crowd.rows(room)]


def test_each_file_keeps_its_line_until_another_needs_it() -> None:
    crowd = crowd_of(*(under_way(number) for number in range(1, 8)))
    assert names(crowd) == ["1.bin", "2.bin", "3.bin", "4.bin", "5.bin"]
    crowd.show(finished(download=2))
    assert names(crowd) == ["1.bin", "6.bin", "3.bin", "4.bin", "5.bin"]


def test_an_ended_file_stays_for_a_moment_where_no_other_needs_its_line() -> None:
    crowd = crowd_of(under_way(1), under_way(2), under_way(3))
    assert names(crowd) == ["1.bin", "2.bin", "3.bin"]
    crowd.show(dataclasses.replace(finished(download=2), at=100.0))
    assert names(crowd) == ["1.bin", "2.bin saved", "3.bin"]
    crowd.show(batch(at=101.5))
    assert names(crowd) == ["1.bin", "3.bin"]


def test_young_files_and_those_that_are_nearly_there_have_no_line() -> None:
    assert names(crowd_of(under_way(1, since=99.5), under_way(2), under_way(3, done=100 * MIB - 1))) == ["2.bin"]


def test_names_and_numbers_stay_in_their_columns_when_the_longest_name_is_gone() -> None:
    crowd = crowd_of(under_way(1), [*under_way(2)[:1], probed("a-much-longer-name.bin", download=2), *under_way(2)[2:]])
    drawing = crowd_bars.Drawing(crowd)

    def column() -> int:
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=True, width=100, height=24, color_system=None)
        console.print(drawing)
        return stream.getvalue().splitlines()[0].index("MiB")

    before = column()
    crowd.show(finished(download=2))
    crowd.show(batch(at=103.0))
    assert names(crowd) == ["1.bin"]
    assert column() == before


def test_a_list_that_is_still_read_has_no_end() -> None:
    assert time_left(batch(listed=False), Known(1, 1, 1)) == ""


def test_what_is_known_of_the_files_under_way_comes_from_their_events() -> None:
    teller = Teller(NORMAL, None)
    for event in (started(), probed(), progressed(60 * MIB), started(download=2), probed(download=2, length=None)):
        teller.line(event)
    assert teller.running.known() == Known(1, 100 * MIB, 40 * MIB, 0.6)


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
