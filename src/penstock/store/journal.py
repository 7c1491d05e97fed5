"""The journal: what the part file durably holds, and of which representation.

One line of header with a format number and a SHA-256 of the rest, then JSON. It is replaced whole (written aside,
synced, renamed), so that a reader finds the old one or the new one. On restart we believe it and nothing else.
Invariant: it never vouches for bytes that were not synced before it; see `checkpoint`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from typing import Any, Final

from penstock.core.headers import MAX_LENGTH, is_validator
from penstock.core.ranges import RangeSet
from penstock.core.resume import Record, Sample, Unreadable
from penstock.core.urls import escape
from penstock.model import Validator
from penstock.store.directory import Directory
from penstock.store.part import PART_SUFFIX, PartFile
from penstock.store.samples import SAMPLE_BYTES, SAMPLES, take_samples

JOURNAL_SUFFIX: Final = PART_SUFFIX + ".journal"
_ASIDE_SUFFIX: Final = JOURNAL_SUFFIX + "~"
_MAGIC: Final = "penstock-journal"
VERSION: Final = 1
#: A journal grows by some 30 bytes a range; this is far beyond any that we write, and bounds a planted one.
MAX_JOURNAL_BYTES: Final = 4 * 1024 * 1024


def encode(record: Record) -> bytes:
    """The journal's bytes."""
    validator = None if record.validator is None else [record.validator.kind, record.validator.value]
    body = json.dumps(
        {
            "source": record.source,
            "length": record.length,
            "validator": validator,
            "etag": record.etag,
            "last_modified": record.last_modified,
            "done": record.done,
            "samples": record.samples,
        },
        separators=(",", ":"),
    ).encode("ascii")
    return f"{_MAGIC} {VERSION} {hashlib.sha256(body).hexdigest()}\n".encode("ascii") + body


def decode(content: bytes) -> Record | Unreadable:
    """What the journal's bytes say, or why they cannot be believed. Raises nothing."""
    header, newline, body = content.partition(b"\n")
    words = header.split(b" ")
    if not newline or len(words) != 3 or words[0] != _MAGIC.encode():
        return Unreadable("it is not a journal of Penstock's")
    if words[1] != str(VERSION).encode():
        newer = words[1].isdigit() and len(words[1]) < 6 and int(words[1]) > VERSION
        return Unreadable(
            f"it has format {escape(words[1][:8].decode('ascii', 'replace'))}, this is {VERSION}", newer=newer
        )
    if hashlib.sha256(body).hexdigest().encode() != words[2]:
        return Unreadable("its checksum does not match")
    try:
        return _from_json(json.loads(body))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Unreadable("its content makes no sense")


def _from_json(fields: dict[str, Any]) -> Record:
    length = fields["length"]
    _require(length is None or (type(length) is int and 0 <= length <= MAX_LENGTH))
    _require(isinstance(fields["source"], str))
    for name in ("etag", "last_modified"):
        _require(fields[name] is None or isinstance(fields[name], str))
    validator = fields["validator"]
    if validator is not None:
        kind, value = validator
        # it goes into If-Range: nothing but what `core/headers.py` would have taken from an answer
        _require(kind in {"etag", "last-modified"} and isinstance(value, str) and is_validator(kind, value))
        validator = Validator(kind, value)
    done = []
    last = -1
    for start, stop in fields["done"]:
        _require(type(start) is int and type(stop) is int and last < start < stop)
        _require(stop <= (MAX_LENGTH if length is None else length))
        done.append((start, stop))
        last = stop
    samples = tuple(Sample(*fields_of) for fields_of in fields.get("samples", ()))
    for sample in samples:
        _require(type(sample.start) is int and type(sample.size) is int and isinstance(sample.digest, str))
        _require(0 < sample.size <= SAMPLE_BYTES and 0 <= sample.start <= MAX_LENGTH - sample.size)
    _require(len(samples) <= SAMPLES)
    return Record(fields["source"], length, validator, fields["etag"], fields["last_modified"], tuple(done), samples)


def _require(truth: bool) -> None:
    if not truth:
        raise ValueError


class Journal:
    """``NAME.part.journal`` in a held directory."""

    def __init__(self, directory: Directory, target: str) -> None:
        self._directory = directory
        self.name = target + JOURNAL_SUFFIX
        self._aside = target + _ASIDE_SUFFIX

    def load(self) -> Record | Unreadable | None:
        """What it says, why it cannot be believed, or None when there is none. Raises OSError."""
        try:
            descriptor = self._directory.open_file(self.name, os.O_RDONLY)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            if hasattr(os, "geteuid") and os.fstat(descriptor).st_uid not in {os.geteuid(), 0}:
                return Unreadable("it belongs to another user")
            content = file.read(MAX_JOURNAL_BYTES + 1)
        if len(content) > MAX_JOURNAL_BYTES:
            return Unreadable("it is too large")
        return decode(content)

    def replace(self, record: Record) -> None:
        """Put `record` in place of what was there, atomically and durably. Raises OSError."""
        self._directory.remove(self._aside)
        descriptor = self._directory.open_file(self._aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encode(record))
            file.flush()
            os.fsync(descriptor)
        self._directory.replace(self._aside, self.name)
        self._directory.sync()

    def remove(self) -> None:
        """Delete it, and a copy left aside by a crash."""
        self._directory.remove(self.name)
        self._directory.remove(self._aside)


def checkpoint(part: PartFile, journal: Journal, record: Callable[[RangeSet], Record]) -> int:
    """Make what was written durable, then let the journal vouch for it; returns the bytes it vouches for.

    Raises OSError, FileNotFoundError among them when the part's name is not its own any more.
    """
    done = part.written()  # before the sync: bytes that land after it may be lost
    part.sync()
    if not part.is_there:  # a journal beside another's part would vouch for bytes that are not in it
        part.check_untouched()
    journal.replace(record(done)._replace(samples=take_samples(part, done)))
    return done.size
