"""Sizes and times in words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core import words

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (1.5 * MIB, "1.5 MiB"),
        (2**50, "1.0 PiB"),
    ],
)
def test_a_size_has_a_binary_unit(count: float, text: str) -> None:
    assert words.size(count) == text


@given(st.integers(0, 2**59))
def test_a_short_size_has_at_most_four_characters(count: int) -> None:
    assert len(words.short_size(count)) <= 4


@given(st.floats(0, 1e12))
def test_a_clock_has_at_most_seven_characters(seconds: float) -> None:
    assert len(words.clock(seconds)) <= 7


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (9.2, "0:10"), (3600, "1:00:00"), (86_400, "1d 00h"), (1e15, ">99d"), (math.inf, ">99d")],
)
def test_a_clock_rounds_up(seconds: float, text: str) -> None:
    assert words.clock(seconds) == text


@pytest.mark.parametrize(
    ("done", "length", "text"),
    [(0, None, "0 B"), (MIB // 2, 12 * MIB, "0.5/12.0 MiB"), (3, 10, "3/10 B"), (0, 0, "0/0 B")],
)
def test_amounts_share_the_unit_of_the_whole(done: int, length: int | None, text: str) -> None:
    assert words.amounts(done, length) == text


def test_only_the_whole_is_a_hundred_percent() -> None:
    assert [words.percent(done, 1000) for done in (0, 999, 1000)] == [0, 99, 100]
