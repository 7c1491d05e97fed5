"""Byte ranges against the plainest model there is: a set of integers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.ranges import Range, RangeSet

SIZE = 40
spans = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)).map(lambda pair: (min(pair), max(pair)))
changes = st.lists(st.tuples(st.booleans(), spans), max_size=30)


def built(steps: list[tuple[bool, tuple[int, int]]]) -> tuple[RangeSet, set[int]]:
    ranges, model = RangeSet(), set[int]()
    for adds, (start, stop) in steps:
        if adds:
            ranges.add(start, stop)
            model |= set(range(start, stop))
        else:
            ranges.remove(start, stop)
            model -= set(range(start, stop))
    return ranges, model


def bytes_of(ranges: RangeSet) -> set[int]:
    return {byte for piece in ranges for byte in range(*piece)}


@given(changes)
def test_it_holds_what_a_set_of_integers_would_hold(steps: list[tuple[bool, tuple[int, int]]]) -> None:
    ranges, model = built(steps)
    assert bytes_of(ranges) == model
    assert ranges.size == len(model)
    assert bool(ranges) == bool(model)


@given(changes)
def test_ranges_are_sorted_and_never_touch(steps: list[tuple[bool, tuple[int, int]]]) -> None:
    ranges, _ = built(steps)
    pieces = list(ranges)
    assert all(piece.start < piece.stop for piece in pieces)
    assert all(left.stop < right.start for left, right in itertools.pairwise(pieces))


@given(changes, spans)
def test_questions_about_a_span(steps: list[tuple[bool, tuple[int, int]]], span: tuple[int, int]) -> None:
    ranges, model = built(steps)
    inside = set(range(*span))
    assert bytes_of(ranges.within(*span)) == model & inside
    assert bytes_of(ranges.missing(span[1], span[0])) == inside - model
    assert ranges.covers(*span) == (inside <= model)


@given(changes)
def test_the_prefix_ends_at_the_first_gap(steps: list[tuple[bool, tuple[int, int]]]) -> None:
    ranges, model = built(steps)
    assert ranges.prefix() == next(byte for byte in range(SIZE + 1) if byte not in model)


@given(changes)
def test_a_copy_lives_its_own_life(steps: list[tuple[bool, tuple[int, int]]]) -> None:
    ranges, model = built(steps)
    twin = ranges.copy()
    twin.add(0, SIZE + 1)
    assert bytes_of(ranges) == model


def test_the_wire_form_is_inclusive() -> None:
    assert Range(0, 500).to_header() == "bytes=0-499"
    assert Range(2**32, 2**32 + 1).to_header() == f"bytes={2**32}-{2**32}"


@pytest.mark.parametrize("bad", [Range(5, 5), Range(6, 5), Range(-1, 5)])
def test_an_empty_or_negative_range_cannot_be_asked_for(bad: Range) -> None:
    with pytest.raises(ValueError, match="cannot ask"):
        bad.to_header()


def test_nothing_lies_in_a_span_that_ends_before_it_begins() -> None:
    assert not list(RangeSet([(0, 10)]).within(7, 1))
