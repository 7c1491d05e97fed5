"""The one sentence, on made-up runs: one for each cause, with noise, and where nothing can be said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.report.finding import Cause
from tests.report.traces import MB, ORIGIN, Trace, batch, one_file

NOISE = st.floats(0.0, 0.3)


def said(trace: Trace, cause: Cause) -> str:
    """The sentence and its advice, once the cause is the one expected."""
    finding = trace.judged().finding
    assert finding.cause is cause, finding
    assert finding.sentence.endswith(".")
    assert finding.advice.endswith(".")
    return f"{finding.sentence} {finding.advice}"


@given(NOISE)
@settings(max_examples=20)
def test_a_flat_total_with_more_connections_is_the_link(noise: float) -> None:
    trace = one_file(12, [(0, 4, 2.5 * MB), (2, 8, 1.25 * MB), (5, 6, 1.67 * MB)], allowed=6, noise=noise)
    assert "The link was the bottleneck" in said(trace, Cause.LINK)


@pytest.mark.parametrize(("gain", "cause"), [(0.05, Cause.LINK), (0.95, Cause.CONNECTIONS)])
def test_a_step_that_was_too_quick_for_the_samples_is_told_by_who_made_it(gain: float, cause: Cause) -> None:
    trace = one_file(6, [(0, 8, MB)], most=8)
    for record in trace.records:
        if record["name"].startswith("connections"):
            record["args"]["gain"] = gain
    said(trace, cause)


def test_a_ramp_that_stopped_below_its_ceiling_is_the_link() -> None:
    said(one_file(12, [(0, 5, 2 * MB)], allowed=5, most=16), Cause.LINK)


def test_the_link_is_the_cause_even_at_the_ceiling_when_more_brought_nothing() -> None:
    said(one_file(12, [(0, 4, 2.5 * MB), (3, 8, 1.25 * MB)], allowed=8, most=8), Cause.LINK)


@given(NOISE)
@settings(max_examples=20)
def test_connections_that_each_brought_their_share_were_too_few(noise: float) -> None:
    trace = one_file(12, [(0, 4, MB), (2, 8, MB)], most=8, noise=noise)
    assert "Try -x 32:" in said(trace, Cause.CONNECTIONS)


def test_the_only_connection_that_was_allowed_was_too_few() -> None:
    sentence = said(one_file(8, [(0, 1, MB)], most=1), Cause.CONNECTIONS)
    assert "the only connection" in sentence
    assert "Try -x 8:" in sentence


@given(NOISE)
@settings(max_examples=20)
def test_pauses_by_the_rate_limit_are_a_limit_you_set(noise: float) -> None:
    pauses = [(n / 4, n / 4 + 0.12, "rate limit") for n in range(2, 38)]
    trace = one_file(10, [(0, 4, 0.5 * MB)], pauses=pauses, noise=noise, rate_limit=2 * MB)
    sentence = said(trace, Cause.LIMIT)
    assert "--limit-rate of 1.9 MiB/s" in sentence
    assert "Raise --limit-rate" in sentence


def test_a_rate_limit_that_is_just_reached_needs_no_long_pauses() -> None:
    trace = one_file(10, [(0, 4, 0.48 * MB)], pauses=[(3.0, 3.1, "rate limit")], rate_limit=2 * MB)
    assert "it was reached all the time" in said(trace, Cause.LIMIT)


def test_a_rate_limit_far_above_is_not_blamed() -> None:
    said(one_file(10, [(0, 4, MB), (2, 8, MB)], most=8, rate_limit=100 * MB), Cause.CONNECTIONS)


def test_politeness_by_rate_per_host_is_a_limit_you_set() -> None:
    trace = batch(60, at_once=1, rate_per_host=5.0)
    for number in range(10):
        trace.wait(number * 0.25, number * 0.25 + 0.2, "politeness", number=number)
    trace.end(3.0)
    assert "--rate-per-host 5/s" in said(trace, Cause.LIMIT)


@given(NOISE)
@settings(max_examples=20)
def test_a_disk_that_is_behind(noise: float) -> None:
    pauses = [(n + 0.1, n + 0.6, "disk") for n in range(1, 9)]
    assert "The disk was the bottleneck" in said(one_file(10, [(0, 4, MB)], pauses=pauses, noise=noise), Cause.DISK)


def test_writes_that_take_the_network_thread_s_time_are_the_disk() -> None:
    assert "held up by writes for 60 %" in said(one_file(10, [(0, 4, MB)], writing=0.6), Cause.DISK)


def test_long_checking_after_the_last_byte_is_the_disk() -> None:
    assert "after the last byte" in said(one_file(10, [(0, 4, MB)], tail=4.0), Cause.DISK)


@given(st.floats(0.93, 1.0), NOISE)
@settings(max_examples=20)
def test_a_network_thread_that_never_rests_is_the_processor(network: float, noise: float) -> None:
    trace = one_file(10, [(0, 4, 200 * MB), (3, 8, 100 * MB)], network=network, noise=noise)
    assert "The processor was the bottleneck" in said(trace, Cause.CPU)


def test_retries_in_which_nothing_comes_are_the_host_s() -> None:
    trace = Trace()
    trace.begin(1, 0.0)
    trace.transfer(0, 0.0, 0.1, 300, status=503, ending="failed", why="HTTP 503")
    trace.decide(0.1, "refused")
    trace.wait(0.1, 8.1, "retry")
    for tick in range(2, 81):
        trace.sample(tick / 10, {})
    trace.transfer(0, 8.1, 10.0, 2 * MB, filled=(0, 2 * MB))
    for tick in range(82, 101):
        trace.sample(tick / 10, {0: MB})
    trace.finish(1, 10.0, name="f", size=2 * MB)
    trace.end(10.0)
    sentence = said(trace, Cause.HOST)
    assert f"{ORIGIN} made us wait after 1 refusal" in sentence


def test_the_last_host_of_a_batch_alone_is_one_slow_host() -> None:
    trace = batch(400, hosts=2)
    last = max(record["ts"] for record in trace.records) / 1e6
    for number in range(8):
        begin = last + number * 1.0
        trace.transfer(0, begin, begin + 1.0, 100_000, origin="https://slow.test:443", download=0, url="u", wait=0.8)
    trace.end(last + 8.1)
    sentence = said(trace, Cause.HOST)
    assert "only https://slow.test was left" in sentence


def test_a_host_that_only_has_more_files_is_not_slow() -> None:
    trace = batch(3000, hosts=2, network=0.2)
    for record in trace.records:  # all later ones are of the first host
        if record["cat"] == "transfer" and record["ts"] > 3_000_000:
            record["name"] = "http://h0.test:80"
    said(trace, Cause.CONNECTIONS)


def test_crawling_connections_that_come_and_go_do_not_look_like_a_full_link() -> None:
    trace = Trace(max_connections=8)
    trace.begin(1, 0.0)
    for tick in range(1, 101):
        rates = dict.fromkeys(range(6), 4.0 * MB)
        if tick % 20 < 12:
            rates |= {6: 0.1 * MB, 7: 0.1 * MB}
        trace.sample(tick / 10, rates, allowed=8, most=8)
    trace.transfer(0, 0.0, 10.0, 240 * MB, filled=(0, 240 * MB))
    trace.finish(1, 10.0, size=240 * MB)
    trace.end(10.0)
    said(trace, Cause.CONNECTIONS)


def test_a_ramp_that_went_back_a_little_and_lost_nothing_is_the_link() -> None:
    """As the ramp does it: it checks a lower level for half a second, then goes on at its ceiling."""
    levels = [(0, 8, 0.75 * MB), (0.6, 6, MB), (1.2, 7, 0.86 * MB), (1.8, 8, 0.75 * MB)]
    said(one_file(7, levels, most=8, noise=0.06), Cause.LINK)


def test_where_a_redirect_led_is_no_slow_host_of_one_file() -> None:
    trace = one_file(12, [(0, 4, MB), (2, 8, MB)], most=8)
    trace.transfer(0, 0.0, 0.05, 0, origin="http://other.test:80", status=302)
    said(trace, Cause.CONNECTIONS)


def test_an_answer_that_takes_long_each_time_is_a_slow_host() -> None:
    trace = Trace()
    trace.begin(1, 0.0)
    for number in range(10):
        trace.transfer(0, number, number + 1, MB // 10, wait=0.9, filled=(number * MB // 10, (number + 1) * MB // 10))
        trace.sample(number + 1.0, {0: MB / 10})
    trace.finish(1, 10.0, size=MB)
    trace.end(10.0)
    assert "to begin an answer" in said(trace, Cause.HOST)


def test_a_server_that_cannot_send_parts_is_the_host() -> None:
    assert "cannot send a part" in said(one_file(8, [(0, 1, MB)], allowed=1, ranges=False), Cause.HOST)


def test_a_batch_that_mostly_waits_for_answers_had_too_few_at_once() -> None:
    trace = batch(2000, at_once=16, wait=0.045, body=0.005, per_host=16, max_connections=16)
    sentence = said(trace, Cause.CONNECTIONS)
    assert "16 at a time" in sentence
    assert "Try --per-host 64," in sentence or "Try -j 64," in sentence


def test_writes_that_take_long_on_a_busy_processor_are_not_the_disk_s() -> None:
    pauses = [(n / 4, n / 4 + 0.1, "write") for n in range(2, 38)]
    said(one_file(10, [(0, 4, 200 * MB)], network=0.97, writing=0.4, pauses=pauses), Cause.CPU)


def test_a_processor_that_others_have_is_the_cause_of_late_writes_too() -> None:
    pauses = [(n + 0.1, n + 0.6, "disk") for n in range(1, 9)]
    sentence = said(one_file(10, [(0, 4, 20 * MB)], network=0.4, process=0.14, pauses=pauses), Cause.CPU)
    assert "got 14 % of one" in sentence


def test_a_busy_batch_is_the_processor() -> None:
    said(batch(2000, network=0.97), Cause.CPU)


@pytest.mark.parametrize("seconds", [0.3, 0.9])
def test_a_short_run_says_that_it_was_too_short(seconds: float) -> None:
    assert "Too short to tell" in said(one_file(seconds, [(0, 4, MB)]), Cause.NOTHING)


def test_a_run_in_which_nothing_came_says_so() -> None:
    trace = Trace()
    trace.begin(1, 0.0)
    trace.finish(1, 5.0, "failed", reason="connection", message="refused")
    trace.end(5.0)
    assert "Nothing came" in said(trace, Cause.NOTHING)


def test_one_odd_sample_decides_nothing() -> None:
    trace = one_file(12, [(0, 4, MB), (2, 8, MB)], most=8)
    trace.records.sort(key=lambda record: record["ts"])
    for record in trace.records:
        if record["name"] == "machine" and 5_000_000 <= record["ts"] <= 5_200_000:
            record["args"].update(network=1.0, writing=1.0)
        if record["name"] == "throughput 1" and record["ts"] == 6_000_000:
            record["args"] = {"10": 10**12}
    said(trace, Cause.CONNECTIONS)


def test_the_tail_in_which_connections_run_dry_decides_nothing() -> None:
    said(one_file(12, [(0, 4, MB), (2, 8, MB), (11.4, 2, 4 * MB)], most=8), Cause.CONNECTIONS)
