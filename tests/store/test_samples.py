from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.ranges import RangeSet
from penstock.store.directory import Directory
from penstock.store.part import PartFile
from penstock.store.samples import SAMPLE_BYTES, SAMPLES, bears_out, take_samples


def part_of(directory: Path, content: bytes) -> PartFile:
    part = PartFile.open(Directory.open(directory), "a")
    assert part is not None
    part.write(0, [content])
    return part


PIECES = st.lists(st.tuples(st.integers(0, 50_000), st.integers(1, 9000)), max_size=20)


@given(PIECES)
def test_F41_samples_are_few_and_lie_within_what_is_done(
    pieces: list[tuple[int, int]],
) -> None:
    done = RangeSet((start, start + size) for start, size in pieces)
    with tempfile.TemporaryDirectory() as folder:
        part = part_of(Path(folder), b"x" * 60_000)
        samples = take_samples(part, done)
        part.close()
    assert bool(samples) == bool(done)
    assert len(samples) <= SAMPLES
    assert len({sample.start for sample in samples}) == len(samples)
    assert all(0 < sample.size <= SAMPLE_BYTES for sample in samples)
    assert all(done.covers(sample.start, sample.start + sample.size) for sample in samples)


def test_F41_other_bytes_do_not_bear_samples_out_and_missing_ones_say_nothing(tmp_path: Path) -> None:
    part = part_of(tmp_path, b"x" * 100_000)
    samples = take_samples(part, RangeSet([(0, 10_000), (50_000, 100_000)]))
    assert bears_out(part, samples)
    part.truncate(20_000)
    assert bears_out(part, samples), "the length says what is missing"
    part.write(5_000, [b"y" * 15_000])
    assert not bears_out(part, samples)
    part.close()
