"""Samples of the part's bytes, kept in the journal: a part replaced by other bytes of its length is not believed.

A journal lists ranges, and the file's length is checked against them; a backup put back, or a copy of another file
under the part's name, may have the right length and the wrong bytes. The file's number and times would say less: a
copy of part and journal on another disk is as good as they were. Reading a few samples costs next to nothing. They
are a hint, not a proof: a few bytes changed elsewhere are seen only by a checksum of the whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from penstock.core.ranges import RangeSet
from penstock.core.resume import Sample
from penstock.store.part import PartFile

#: Samples in a journal, spread evenly over the bytes that it lists.
SAMPLES: Final = 8
#: Bytes of a sample, at most.
SAMPLE_BYTES: Final = 4096


def take_samples(part: PartFile, done: RangeSet) -> tuple[Sample, ...]:
    """Samples of `done`, which must have been written. Raises OSError."""
    samples: list[Sample] = []
    step = max(1, done.size // SAMPLES)
    passed, next_at = 0, 0
    for piece in done:
        while next_at < passed + piece.size and len(samples) < SAMPLES:
            start = piece.start + next_at - passed
            size = min(SAMPLE_BYTES, piece.stop - start)
            samples.append(Sample(start, size, _digest(part, start, size)))
            next_at += step
        passed += piece.size
    return tuple(samples)


def bears_out(part: PartFile, samples: Sequence[Sample]) -> bool:
    """True when the part still holds every sample, but for those beyond its end. Raises OSError."""
    size = part.size
    return all(_digest(part, start, length) == was for start, length, was in samples if start + length <= size)


def _digest(part: PartFile, start: int, size: int) -> str:
    return hashlib.blake2b(part.read(start, size), digest_size=8).hexdigest()
