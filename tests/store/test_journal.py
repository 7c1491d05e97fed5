"""The journal is believed whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.ranges import RangeSet
from penstock.core.resume import Record, Sample, Unreadable
from penstock.model import Validator
from penstock.store.directory import Directory
from penstock.store.journal import MAX_JOURNAL_BYTES, Journal, checkpoint, decode, encode
from penstock.store.part import PartFile
from penstock.store.samples import SAMPLE_BYTES, SAMPLES

RECORD = Record("https://example.org/a.iso", 1000, Validator("etag", '"1"'), '"1"', None, ((0, 10), (20, 1000)))

ranges = st.lists(st.integers(0, 2**40), unique=True, max_size=20).map(sorted)
records = st.builds(
    Record,
    source=st.text(max_size=50),
    length=st.just(2**41) | st.none(),
    validator=st.none()
    | st.builds(Validator, st.just("etag"), st.from_regex(r'"[!#-~\x80-\xff]{0,20}"', fullmatch=True))
    | st.just(Validator("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")),
    etag=st.none() | st.text(max_size=20),
    last_modified=st.none() | st.text(max_size=20),
    done=ranges.map(lambda at: tuple(zip(at[::2], at[1::2], strict=False))),
    samples=st.lists(
        st.builds(Sample, st.integers(0, 2**62), st.integers(1, SAMPLE_BYTES), st.text(max_size=20)), max_size=SAMPLES
    ).map(tuple),
)


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory.open(tmp_path)


@given(records)
def test_what_is_written_is_read(record: Record) -> None:
    assert decode(encode(record)) == record


@given(records, st.data())
def test_F40_a_torn_journal_is_never_believed(record: Record, data: st.DataObject) -> None:
    whole = encode(record)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert isinstance(decode(whole[:cut]), Unreadable)


@given(records, st.data())
def test_F40_a_flipped_bit_is_seen(record: Record, data: st.DataObject) -> None:
    whole = bytearray(encode(record))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert isinstance(decode(bytes(whole)), Unreadable)


@given(st.binary(max_size=300))
def test_F40_anything_else_is_refused_without_a_traceback(content: bytes) -> None:
    assert isinstance(decode(content), Unreadable)


def test_F40_a_newer_format_says_so() -> None:
    newer = encode(RECORD).replace(b"penstock-journal 1 ", b"penstock-journal 2 ", 1)
    verdict = decode(newer)
    assert isinstance(verdict, Unreadable)
    assert verdict.newer


@pytest.mark.parametrize(
    "done",
    [((5, 5),), ((5, 4),), ((-1, 4),), ((0, 1001),), ((0, 10), (5, 20)), ((20, 30), (0, 10))],
)
def test_F40_ranges_that_make_no_sense_are_refused(done: tuple[tuple[int, int], ...]) -> None:
    crafted = Record(RECORD.source, 1000, RECORD.validator, None, None, done)
    assert isinstance(decode(encode(crafted)), Unreadable)


@pytest.mark.parametrize(
    "samples",
    [((-1, 5, "x"),), ((0, 0, "x"),), ((0, SAMPLE_BYTES + 1, "x"),), ((0, 5, 6),), ((0, 5),), ((0, 5, "x"),) * 9],
)
def test_F40_S16_samples_that_make_no_sense_are_refused(samples: tuple[Any, ...]) -> None:
    assert isinstance(decode(encode(RECORD._replace(samples=samples))), Unreadable)


def test_F40_a_journal_of_before_there_were_samples_is_read() -> None:
    body = encode(RECORD).partition(b"\n")[2].replace(b',"samples":[]', b"")
    header = f"penstock-journal 1 {hashlib.sha256(body).hexdigest()}\n".encode()
    assert b"samples" not in body
    assert decode(header + body) == RECORD


def test_there_is_none_at_first(directory: Directory) -> None:
    assert Journal(directory, "a.iso").load() is None


def test_F38_it_is_replaced_whole_and_private(directory: Directory) -> None:
    journal = Journal(directory, "a.iso")
    journal.replace(RECORD)
    journal.replace(RECORD)
    assert journal.load() == RECORD
    path = directory.path / "a.iso.part.journal"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(directory.path) == ["a.iso.part.journal"]


def test_F40_a_crash_between_writing_and_renaming_keeps_the_old_one(directory: Directory) -> None:
    journal = Journal(directory, "a.iso")
    journal.replace(RECORD)
    (directory.path / "a.iso.part.journal~").write_bytes(b"half a jour")
    assert journal.load() == RECORD
    journal.replace(RECORD)
    assert journal.load() == RECORD


def test_S16_an_oversized_journal_is_refused(directory: Directory) -> None:
    (directory.path / "a.part.journal").write_bytes(b"x" * (MAX_JOURNAL_BYTES + 1))
    assert isinstance(Journal(directory, "a").load(), Unreadable)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_S16_a_journal_of_another_user_is_refused(directory: Directory) -> None:
    journal = Journal(directory, "a")
    journal.replace(RECORD)
    os.chown(directory.path / journal.name, 12345, 12345)
    verdict = journal.load()
    assert isinstance(verdict, Unreadable)
    assert "another user" in verdict.why


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no such flag here")
def test_S04_a_link_in_its_place_is_not_followed(directory: Directory, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", directory.path / "a.part.journal")
    with pytest.raises(OSError, match=r"a\.part\.journal"):
        Journal(directory, "a").load()


def test_F39_a_checkpoint_vouches_only_for_what_was_written_before_the_sync(directory: Directory) -> None:
    opened = PartFile.open(directory, "a")
    assert opened is not None
    part = opened
    journal = Journal(directory, "a")
    order: list[str] = []

    class Watched(PartFile):
        def sync(self, *, times: bool = False) -> None:
            order.append("sync")
            part.write(500, [b"late"])  # lands while the sync runs

    watched = Watched(directory, part.name, part._fd)
    watched._written = part._written
    part.write(0, [b"0123456789"])

    def record(done: RangeSet) -> Record:
        order.append("journal")
        return Record("s", 1000, None, None, None, tuple((piece.start, piece.stop) for piece in done))

    assert checkpoint(watched, journal, record) == 10
    assert order == ["sync", "journal"]
    found = journal.load()
    assert isinstance(found, Record)
    assert found.done == ((0, 10),)
    part.close()


@pytest.mark.parametrize(
    "record",
    [
        RECORD._replace(length=2**63),
        RECORD._replace(length=None, done=((0, 2**63),)),
        RECORD._replace(samples=(Sample(2**63, 10, "00"),)),
        RECORD._replace(validator=Validator("etag", '"1"\r\nCookie: a')),
    ],
)
def test_S16_what_no_server_can_have_said_is_not_believed(record: Record) -> None:
    assert isinstance(decode(encode(record)), Unreadable)
