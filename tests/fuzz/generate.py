"""Inputs for hypothesis: seeds, seeds with a piece changed, sequences of the grammar's tokens, and bytes at random."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fuzz.target import Target


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Inputs for `target`."""
    piece = st.sampled_from(target.pieces) | st.binary(max_size=4)
    pieces = st.lists(piece, max_size=16).map(b"".join)
    changed = st.builds(_spliced, st.sampled_from(target.seeds), pieces, st.integers(0, 2**16), st.integers(0, 8))
    return changed | pieces | st.binary(max_size=200)


def _spliced(seed: bytes, piece: bytes, at: int, dropped: int) -> bytes:
    at %= len(seed) + 1
    return seed[:at] + piece + seed[at + dropped :]
