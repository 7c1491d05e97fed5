"""Made-up content is the same however it is read, and a byte in the wrong place shows."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.content import Content

WHOLE = Content(5_000_000, seed=3).read(0, 5_000_000)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 5_000_100), st.integers(0, 2_200_000))
def test_any_piece_is_that_piece_of_the_whole(start: int, length: int) -> None:
    assert Content(5_000_000, seed=3).read(start, start + length) == WHOLE[start : start + length]


def test_the_digest_is_that_of_the_bytes() -> None:
    assert Content(5_000_000, seed=3).sha256 == hashlib.sha256(WHOLE).hexdigest()


def test_no_two_places_hold_the_same_bytes() -> None:
    content = Content(3_000_000_000)
    pieces = {content.read(start, start + 64) for start in range(0, content.size, 999_983)}
    assert len(pieces) == len(range(0, content.size, 999_983))


def test_other_seeds_hold_other_bytes() -> None:
    assert Content(100, seed=1).read(0, 100) != Content(100, seed=2).read(0, 100)


def test_places_past_four_gibibytes_can_be_read_at_once() -> None:
    content = Content(2**32 + 1)
    assert len(content.read(2**32 - 10, 2**32 + 50)) == 11
