"""What lies on the disk between runs: journals and manifests that anybody may have been at."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from penstock.cli.manifests import _csv_line
from penstock.core.headers import MAX_LENGTH
from penstock.core.resume import Record, Unreadable
from penstock.core.urls import escape
from penstock.errors import InvalidRequest, StorageError
from penstock.store.entries import Entry, Outcome, Rules
from penstock.store.journal import decode, encode
from penstock.store.manifest import Manifest
from penstock.store.records import Records
from penstock.store.schema import State, row_key
from tests.fuzz.parsers.names import is_inside
from tests.fuzz.target import Target, as_typed


def journal(data: bytes) -> None:
    """The bytes as they are, and as the body of a journal whose checksum is right."""
    for content in (data, b"penstock-journal 1 " + hashlib.sha256(data).hexdigest().encode() + b"\n" + data):
        match decode(content):
            case Unreadable(why):
                assert why
                assert why.isprintable()
            case Record() as record:
                assert decode(encode(record)) == record
                assert all(0 <= start < stop <= MAX_LENGTH for start, stop in record.done)
                assert all(0 <= sample.start <= sample.start + sample.size <= MAX_LENGTH for sample in record.samples)
                assert record.length is None or record.length <= MAX_LENGTH
                assert record.validator is None or not set(record.validator.value) & set("\r\n\0"), "fit for a header"


@cache
def _place() -> Path:
    """A folder in memory where there is one; each process has its own."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="penstock-fuzz-", dir=memory if memory.is_dir() else None))


def forget_place() -> None:
    """Remove what was written."""
    shutil.rmtree(_place(), ignore_errors=True)
    _place.cache_clear()


@cache
def sound_manifest() -> bytes:
    """A manifest with a row in each state and a bad line."""
    path = _place() / "sound"
    (_place() / "root").mkdir()
    urls = [f"https://e.org/{number}.bin" for number in range(3)]
    manifest = Manifest.open(path, Rules(_place() / "root"), lambda _path, _name: "sha256:00")
    manifest.add([_entry(url, line) for line, url in enumerate(urls, 1)])
    manifest.add_bad([(4, "nonsense", "not a URL")])
    manifest.record([Outcome(1, "0.bin", 10, f"sha256:{'0' * 64}"), Outcome(2, "1.bin", reason="size", message="no")])
    manifest.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    (_place() / "root" / "0.bin").write_bytes(bytes(10))
    return path.read_bytes()


def _entry(url: str, line: int) -> Entry:
    return Entry(row_key(url, None), (url,), "https://e.org", url.rpartition("/")[2], False, line)


def manifest_cells(data: bytes) -> None:
    """Each line, ``TABLE.COLUMN=VALUE``, puts a value of any type where it does not belong: SQLite takes them all."""
    path = _place() / "cells"
    path.write_bytes(sound_manifest())
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    for line in data.split(b"\n")[:8]:
        place, equals, value = line.partition(b"=")
        table, _, column = place.partition(b".")
        if equals and table.isalpha() and column.isalpha():
            try:
                db.execute(f"UPDATE {table.decode()} SET {column.decode()} = ?", (_value(value),))
            except (sqlite3.Error, OverflowError):
                continue
    db.commit()
    db.close()
    _read_and_run(path)


def _value(text: bytes) -> Any:
    """SQLite's own types: a number, a blob (``x...``), null, or text that may not be UTF-8."""
    if text == b"null":
        return None
    if text[:1] == b"x":
        return text[1:]
    try:
        return float(text) if b"." in text else int(text)
    except ValueError:
        return text.decode("utf-8", "replace")


def manifest_bytes(data: bytes) -> None:
    """Each four bytes of the input change one byte of a sound manifest; what is left over is put at its end."""
    content = bytearray(sound_manifest())
    for at in range(0, len(data) - 3, 4):
        content[int.from_bytes(data[at : at + 3], "big") % len(content)] = data[at + 3]
    path = _place() / "bytes"
    path.write_bytes(bytes(content) + data[len(data) // 4 * 4 :])
    _read_and_run(path)


def _read_and_run(path: Path) -> None:
    """`status`, its exports and `verify`; then the next run."""
    try:
        _read(path)
    except (StorageError, InvalidRequest) as error:
        assert error.message
    try:
        _run(path)
    except StorageError as error:
        assert error.message
    finally:
        for suffix in ("", "-wal", "-shm", "-journal", ".lock"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def _read(path: Path) -> None:
    records = Records(path)
    try:
        records.counts()
        records.reasons()
        for fact in records.rows():
            assert fact.state in {state.name.lower() for state in State}
            [cells] = csv.reader(io.StringIO(_csv_line(fact), newline=""))
            assert cells == ["" if cell is None else escape(str(cell)) for cell in fact]
            assert list(json.loads(json.dumps(fact._asdict())).values())[1:] == list(fact)[1:]
            place = records.place(fact.target)
            assert place is None or is_inside(str(place.relative_to(records.root)))
    finally:
        records.close()


def _run(path: Path) -> None:
    manifest = Manifest.open(path, Rules(_place() / "root", rechecks=True), lambda _path, _name: "sha256:00")
    try:
        added = manifest.add([_entry(f"https://e.org/{number}.bin", number) for number in range(1, 4)])
        for origin, (count, first) in added.waiting.items():
            for job in manifest.take([(origin, first - 1, count)])[origin]:
                assert is_inside(job.target), job.target
    finally:
        manifest.close()


def manifest_text(data: bytes) -> None:
    """Whatever a run writes down is there for the next one, and in an export."""
    text = as_typed(data)[:1000]
    path = _place() / "text"
    url = "https://e.org/1.bin"
    manifest = Manifest.open(path, Rules(_place() / "root"), lambda _path, _name: "sha256:00")
    try:
        manifest.add([_entry(url, 1)])
        manifest.add_bad([(2, "x", text)])
        manifest.record([Outcome(1, "1.bin", reason="storage", message=text)])
    finally:
        manifest.close()
    try:
        _read(path)
    finally:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


_COLUMNS = (
    "file.state=", "file.target=", "file.url=", "file.others=", "file.expected=", "file.size=", "file.origin=",
    "file.run=", "file.line=", "file.digest=", "file.reason=", "file.mtime=", "run.root=", "bad.line=", "bad.why=",
    "origin.name=", "file.turn=", "run.run=", "file.message=",
)  # fmt: skip
TARGETS = (
    Target(
        "journal",
        journal,
        (
            '{"source":"https://e.org/a","length":', ',"validator":', ',"etag":', ',"last_modified":', ',"done":', "}",
            ',"samples":', '[0,10,"sha256:00"]', "null", "[", "]", "[0,10]", "[10,20]", ",", "-1", "1000",
            "1e3", "NaN", "true", '"\\"1\\""', '["etag","x"]',
            "9223372036854775808", '"\\r\\nA: b"', '"\\ud800"', "9" * 5000, "penstock-journal 1 ",
            "penstock-journal 2 ", "\n", "\udc80", '["last-modified","x"]',
        ),
    ),
    Target(
        "manifest-cells",
        manifest_cells,
        (*_COLUMNS, "\n", "../../x", "/etc/x", "a/../b", "", "x\xff", "7", "-1", "1.5", "null", "x", "[1]", "{", "0",
         "nan", "9223372036854775807", "sha256:00", "\x1b", "a.part", '["https://e.org/2"]', "[", "\0", "data/a"),
        is_slow=True,
    ),
    Target("manifest-bytes", manifest_bytes, ("\0\0\0\1", "\0\0\x10\x7f", "\x01\x02\x03\x04",
        "\xff" * 4), is_slow=True),
    Target("manifest-text", manifest_text, ("\udc80", "\0", "\ud7ff", '"', "\r", "\n", "'", ",", "a"), is_slow=True),
)  # fmt: skip
