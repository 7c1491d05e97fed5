from __future__ import annotations

from itertools import cycle, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.limits import MAX_BYTES, TokenBucket, parse_rate, parse_size
from penstock.errors import InvalidRequest

WINDOW = 10.0
KIB, MIB = 1024, 1024**2


def grants(rate: int, chunks: list[int], late: list[float], seconds: float) -> list[tuple[float, int]]:
    """(time, bytes) of a reader that takes chunks until it must wait, then comes back a little late."""
    bucket = TokenBucket(rate, 0.0)
    now = 0.0
    granted = []
    sizes, delays = cycle(chunks), cycle(late)
    while now < seconds:
        while not (delay := bucket.delay(now)):
            chunk = next(sizes)
            bucket.take(chunk, now)
            granted.append((now, chunk))
        now += delay + next(delays)
    return granted


@given(
    rate=st.integers(100 * KIB, 10 * MIB),
    chunks=st.lists(st.integers(8 * KIB, 64 * KIB), min_size=1, max_size=8),
    late=st.lists(st.floats(0.001, 0.3), min_size=1, max_size=8),
)
def test_no_ten_seconds_bring_more_than_5_percent_over_the_rate(
    rate: int, chunks: list[int], late: list[float]
) -> None:
    granted = grants(rate, chunks, late, 3 * WINDOW)
    begin, inside = 0, 0
    for now, chunk in granted:
        inside += chunk
        while granted[begin][0] < now - WINDOW:
            inside -= granted[begin][1]
            begin += 1
        assert inside <= 1.05 * rate * WINDOW + max(chunks)


@given(
    rate=st.integers(100 * KIB, 10 * MIB),
    late=st.lists(st.floats(0.001, 0.1), min_size=1, max_size=8),
)
def test_timers_up_to_a_tenth_of_a_second_late_keep_the_rate_within_5_percent(rate: int, late: list[float]) -> None:
    total = sum(chunk for _, chunk in grants(rate, [16 * KIB], late, WINDOW))
    assert total == pytest.approx(rate * WINDOW, rel=0.05)


def test_a_debt_is_waited_for_exactly() -> None:
    bucket = TokenBucket(1000, 0.0, burst=0)
    assert bucket.delay(0.0) == 0.0
    bucket.take(500, 0.0)
    assert bucket.delay(0.0) == pytest.approx(0.5)
    assert bucket.delay(0.2) == pytest.approx(0.3)
    assert bucket.delay(0.5) == 0.0


def test_a_wait_of_the_said_length_is_enough() -> None:
    bucket = TokenBucket(3, 1e6)
    bucket.take(1000, 1e6)
    assert bucket.delay(1e6 + bucket.delay(1e6)) == 0.0


def test_a_long_rest_saves_up_only_the_burst() -> None:
    bucket = TokenBucket(1000, 0.0, burst=100)
    bucket.take(1100, 3600.0)
    assert bucket.delay(3600.0) == pytest.approx(1.0)


@given(st.lists(st.floats(0, 100), min_size=2))
def test_F43_a_clock_that_goes_backwards_earns_nothing(times: list[float]) -> None:
    bucket = TokenBucket(1000, times[0], burst=0)
    bucket.take(10**9, times[0])
    latest = times[0]
    waits = []
    for now in times:
        latest = max(latest, now)
        waits.append(bucket.delay(now))
    assert all(later <= earlier for earlier, later in pairwise(waits))
    assert waits[-1] == pytest.approx(10**6 - (latest - times[0]))


def test_a_new_rate_holds_from_its_moment_on() -> None:
    bucket = TokenBucket(1000, 0.0, burst=0)
    bucket.take(2000, 0.0)
    bucket.set_rate(100, 1.0)
    assert bucket.rate == 100
    assert bucket.delay(1.0) == pytest.approx(10.0)


def test_a_lower_rate_shrinks_what_was_saved() -> None:
    bucket = TokenBucket(1_000_000, 0.0)
    bucket.set_rate(1000, 0.0)
    bucket.take(1200, 0.0)
    assert bucket.delay(0.0) == pytest.approx(1.0)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_bucket_refuses_a_rate_that_is_not_positive(rate: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        TokenBucket(rate, 0.0)
    with pytest.raises(ValueError, match="must be positive"):
        TokenBucket(1, 0.0).set_rate(rate, 0.0)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1),
        ("4096", 4096),
        ("4096B", 4096),
        ("500K", 500 * KIB),
        ("500k", 500 * KIB),
        ("2M", 2 * MIB),
        ("2m", 2 * MIB),
        ("2MB", 2 * MIB),
        ("2MiB", 2 * MIB),
        ("2 MiB", 2 * MIB),
        (" 2M ", 2 * MIB),
        ("1.5M", 3 * MIB // 2),
        ("1G", 1024**3),
        ("3g", 3 * 1024**3),
        ("1T", 1024**4),
        (str(MAX_BYTES), MAX_BYTES),
    ],
)
def test_amounts_mean_what_curl_and_aria2_mean(text: str, amount: int) -> None:
    assert parse_rate(text) == amount
    assert parse_size(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "0",
            "0.0001",
            "0K",
            "-1",
            "+1",
            "nan",
            "inf",
            "M",
            "B",
            "1iB",
            "2Mb",
            "2x",
            "1e6",
            "1,5M",
        ),
        *(
            "1.M",
            ".5M",
            "0x10",
            "1_000",
            "٣",
            "2M\n2M",
            "9" * 21,
            str(MAX_BYTES + 1),
            "9999999P",
            "1" * 100_000,
        ),
    ],
)
def test_anything_else_is_an_invalid_request_with_one_helpful_line(text: str) -> None:
    for parse in (parse_rate, parse_size):
        with pytest.raises(InvalidRequest, match=r"give|most") as caught:
            parse(text)
        assert len(str(caught.value).splitlines()) == 1
        assert len(str(caught.value)) < 200


def test_the_message_says_what_a_rate_looks_like() -> None:
    with pytest.raises(InvalidRequest, match=r"'fast' is not a rate; give bytes per second, such as 500K or 2M"):
        parse_rate("fast")
