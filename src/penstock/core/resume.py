"""May the bytes of an earlier run be kept? First from the journal alone, then with the server's answer in hand."""

from __future__ import annotations

from typing import NamedTuple

from penstock.core.answer import Broken, Partial, Refusal, Unsatisfied, Whole, difference
from penstock.core.ranges import RangeSet
from penstock.core.urls import redact
from penstock.model import Representation, Validator


class Sample(NamedTuple):
    """What `size` bytes of the part file from `start` on were: their digest, hexadecimal."""

    start: int
    size: int
    digest: str


class Record(NamedTuple):
    """What a journal says. `source` is the URL without credentials, `length` bytes or None while unknown."""

    source: str
    length: int | None
    validator: Validator | None
    etag: str | None
    last_modified: str | None
    done: tuple[tuple[int, int], ...]
    #: Of the bytes that are done; journals of before had none.
    samples: tuple[Sample, ...] = ()

    @property
    def representation(self) -> Representation:
        """What the recorded bytes are of."""
        return Representation(
            length=self.length, validator=self.validator, etag=self.etag, last_modified=self.last_modified
        )


class Unreadable(NamedTuple):
    """A journal that cannot be believed, and why, in words. `newer` when a later Penstock wrote it."""

    why: str
    newer: bool = False


class Trust(NamedTuple):
    """How far the caller lets old bytes count."""

    #: Bytes without a validator may be kept.
    unsafe: bool = False
    #: A checksum will prove the result, so bytes without a validator may be kept too.
    proven_later: bool = False
    #: Bytes that came from another URL may be kept under a strong ETag.
    adopt: bool = False


class Continue(NamedTuple):
    """Ask for what is missing from `done`; `validator` goes into If-Range, None when there is none to send."""

    done: RangeSet
    validator: Validator | None


class Restart(NamedTuple):
    """Drop the old bytes. `why` in words; empty when there was nothing to drop."""

    why: str


class Refuse(NamedTuple):
    """Neither continue nor overwrite: the caller must decide."""

    why: str


def plan_resume(
    record: Record | Unreadable | None, *, source: str, part_size: int, trust: Trust
) -> Continue | Restart | Refuse:
    """Before the request: what do the journal and the part file allow? `part_size` is the part's length in bytes."""
    if record is None:
        return Restart("its journal is missing" if part_size else "")
    if isinstance(record, Unreadable):
        if record.newer:
            return Refuse(f"its journal cannot be read ({record.why}); use the newer Penstock or delete it")
        return Restart(f"its journal cannot be believed: {record.why}")
    # the length on disk is law: bytes that are not there are not claimed
    done = RangeSet((start, min(stop, part_size)) for start, stop in record.done if start < part_size)
    if record.source != source and not _may_adopt(record, trust):
        if not done:
            return Restart("")
        return Refuse(
            f"it holds bytes from {redact(record.source)}; choose another name, delete it, or give --adopt to keep "
            "them if a strong ETag agrees"
        )
    if not done:
        return Restart("the part file no longer holds the bytes that its journal lists" if record.done else "")
    if record.length is None:
        return Restart("its length was unknown, so it cannot be continued")
    if record.validator is None and not (trust.unsafe or trust.proven_later):
        return Restart("the server gave no strong ETag or date to prove that the bytes are of the same file")
    return Continue(done, record.validator)


def _may_adopt(record: Record, trust: Trust) -> bool:
    return trust.adopt and record.validator is not None and record.validator.kind == "etag"


def settle_resume(
    record: Record, answer: Partial | Whole | Unsatisfied | Broken | Refusal, *, strict: bool
) -> Continue | Restart | None:
    """With the answer in hand: keep the recorded bytes, or drop them; None when the answer says nothing about them.

    `strict` demands that the answer repeats the validator: for bytes adopted from another URL.
    """
    match answer:
        case Partial(_, now) | Whole(now):
            why = difference(record.representation, now)
            if why is None and now.length is None and isinstance(answer, Partial):
                why = "the server no longer says its size"
            if why is None and now.encoded:
                why = "the server now sends it compressed"
            if why is None and strict and now.etag != record.etag:
                why = "its ETag does not agree"
            return (
                Restart(f"the file changed on the server: {why}")
                if why
                else Continue(RangeSet(record.done), record.validator)
            )
        case Unsatisfied(total, now):
            if total is not None and total == record.length and difference(record.representation, now) is None:
                return Continue(RangeSet(record.done), record.validator)
            return Restart(f"the file changed on the server: its size was {record.length} bytes and is now {total}")
        case _:
            return None
