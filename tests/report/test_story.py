"""Records to facts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.report import story as stories
from penstock.report.bins import MOST_COLUMNS, Bins
from penstock.report.histogram import Histogram
from penstock.report.judged import judge
from penstock.report.page import page
from penstock.report.story import tell
from penstock.report.text import text
from tests.report.traces import MB, ORIGIN, Trace, batch, eventful


def test_one_file_is_told_with_its_transfers_pieces_and_states() -> None:
    story = eventful().story()
    assert story.is_whole
    assert not story.is_batch
    assert story.seconds == pytest.approx(4.2)
    [download] = story.downloads
    assert download.name == "ubuntu-24.04.iso"
    assert download.state == "done"
    assert download.kept == 4 * MB
    assert download.first_byte == pytest.approx(0.06)
    assert [name for name, _, _ in download.states] == ["preparing", "probing", "fetching", "verifying"]
    assert len(story.transfers) == 8
    assert len(download.pieces) == 7  # the silent one brought nothing
    assert story.rows == 7
    assert (story.counts.steals, story.counts.races, story.counts.retries) == (1, 1, 1)
    seconds, count = story.paused["disk"]
    assert seconds == pytest.approx(0.15)
    assert count == 1


def test_a_killed_run_is_told_as_far_as_it_came() -> None:
    trace = eventful()
    trace.records = [each for each in trace.records if each["ts"] < 3_000_000 and each.get("cat") != "transfer"]
    story = tell(trace.records)
    assert not story.is_whole
    assert [download.state for download in story.downloads] == ["open"]
    assert story.counts.unended == 1
    assert story.size > 30 * MB  # by the samples: its transfers had not ended
    assert story.last_at > 2.5


def test_raced_cut_broken_and_dropped_bytes_are_told_apart() -> None:
    trace = Trace()
    trace.begin(1, 0.0)
    trace.transfer(0, 0.0, 1.0, 1000, filled=(0, 1000))
    trace.transfer(1, 0.0, 1.0, 1200, filled=(1000, 2000), ending="cut")
    trace.transfer(2, 0.0, 1.0, 300, filled=(2000, 2100), ending="failed", why="reset")
    trace.transfer(3, 0.0, 1.0, 500, filled=(2100, 2600))
    trace.transfer(4, 0.5, 1.0, 400, filled=(2100, 2500), ending="lost")
    trace.note(1, 1.0, "restarted", why="changed", dropped=50)
    waste = trace.story().waste
    assert (waste.cut, waste.broken, waste.raced, waste.restarted) == (200, 200, 400, 50)
    assert waste.total == 850


def test_a_batch_is_counted_file_by_file() -> None:
    story = batch(500, hosts=3, failing=10).story()
    assert story.is_batch
    assert (story.counts.done, story.counts.failed) == (450, 50)
    assert sum(count for _, _, count in story.failures) == 50
    assert {reason for _, reason, _ in story.failures} == {"http-status"}
    assert len(story.hosts) == 3
    assert story.wholes.count == 450
    assert 0.03 < story.wholes.percentile(0.5) < 0.08
    assert story.ends.total("done") == 450


def test_a_small_file_that_a_download_takes_over_is_counted_once() -> None:
    trace = Trace()
    for number in range(3):
        trace.transfer(0, number, number + 0.5, 10, download=0, url=f"{ORIGIN}/{number}", ending="")
    trace.begin(7, 2.5, f"{ORIGIN}/2")  # it was not as expected
    trace.finish(7, 3.0, "failed", reason="checksum")
    story = trace.story()
    assert (story.counts.done, story.counts.failed) == (2, 1)
    assert story.failures == ((ORIGIN, "checksum", 1),)


def test_downloads_that_count_at_different_moments_are_summed() -> None:
    trace = Trace()
    for tick in range(1, 20):
        trace.sample(tick / 10, {0: MB}, download=1)
        trace.sample(tick / 10 + 0.06, {1: 2 * MB}, download=2)
    trace.end(2.0)
    samples = trace.story().samples
    assert [sample.rate for sample in samples[1:]] == [3 * MB] * (len(samples) - 1)
    assert samples[5].flowing == 2


def test_a_batch_s_samples_follow_its_own_counter() -> None:
    trace = Trace()
    for tick in range(1, 30):
        trace.sample(tick / 10 + 0.03, {0: MB}, download=1)
        trace.event("C", tick / 10, "files", args={"done": tick, "size": tick * MB, "total": 99, "active": 4})
    trace.end(3.0)
    samples = trace.story().samples
    assert all(sample.rate == pytest.approx(10 * MB) for sample in samples)
    assert [sample.active for sample in samples] == [4] * 29


def test_too_many_transfers_are_not_kept() -> None:
    assert len(batch(stories.MOST_TRANSFERS).story().transfers) == stories.MOST_TRANSFERS
    many = batch(stories.MOST_TRANSFERS + 1).story()
    assert many.transfers == ()
    assert many.counts.transfers == stories.MOST_TRANSFERS + 1
    assert len(many.downloads) == stories.MOST_DOWNLOADS


def test_the_slowest_files_are_those_that_are_kept() -> None:
    trace = Trace()
    for number in range(stories.MOST_DOWNLOADS + 50):
        trace.transfer(0, number, number + 0.001 * (1 + number), 10, download=0, url=f"{ORIGIN}/{number}")
    kept = trace.story().downloads
    assert {each.url for each in kept} == {f"{ORIGIN}/{number}" for number in range(50, stories.MOST_DOWNLOADS + 50)}


def test_transfers_told_after_their_download_s_end_are_still_its_pieces() -> None:
    trace = Trace()
    trace.begin(1, 0.0)
    trace.finish(1, 1.0, name="f", size=2000)
    trace.transfer(0, 0.0, 1.0, 2000, filled=(0, 2000))
    assert [piece.stop for piece in trace.story().downloads[0].pieces] == [2000]


def test_pauses_that_are_open_at_the_end_last_until_it() -> None:
    trace = Trace()
    trace.begin(1, 0.0)
    trace.event("b", 1.0, "retry", "pause", id="1", args={"origin": ORIGIN})
    trace.end(4.0)
    story = trace.story()
    assert story.paused["retry"][0] == pytest.approx(3.0)
    assert story.hosts[0].held_back == pytest.approx(3.0)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_spoilt_fields_never_break_the_reading(data: st.DataObject) -> None:
    records: list[dict[str, Any]] = json.loads(json.dumps(eventful().records))
    for _ in range(5):
        record = data.draw(st.sampled_from(records))
        target = record["args"] if isinstance(record.get("args"), dict) and data.draw(st.booleans()) else record
        if target:
            target[data.draw(st.sampled_from(sorted(target)))] = data.draw(JUNK)
    judged = judge(records)
    assert "<h1>" in page(judged)
    assert text(judged)


def test_columns_grow_wider_and_lose_nothing() -> None:
    bins: Bins[str] = Bins()
    for second in range(5000):
        bins.spread("a", second, second + 0.7, 2.0)
    assert bins.total("a") == pytest.approx(10_000)
    assert bins.width * MOST_COLUMNS >= 5000
    assert bins.between("a", 0, 5000) == pytest.approx(10_000, rel=0.01)
    assert bins.between("a", 1000, 2000) == pytest.approx(2000, rel=0.02)


def test_a_run_that_ends_with_a_column_touches_no_further_one() -> None:
    bins: Bins[str] = Bins(width=0.02)
    assert [bins.columns(seconds) for seconds in (0.001, 0.02, 0.021, 4.2, 4.201)] == [1, 1, 2, 210, 211]


def test_keys_past_the_most_are_counted_together() -> None:
    bins: Bins[str] = Bins("others", 2)
    for key in "abcd":
        bins.add(key, 1.0)
    assert bins.names() == ["a", "b", "others"]
    assert bins.total("others") == 2


@given(st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_percentile_is_right_to_two_hundredths(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
    assert histogram.percentile(share) == pytest.approx(exact, rel=0.021)
    assert sum(histogram.below([0.001, 0.1, 10.0, 1e5])) == len(values)
