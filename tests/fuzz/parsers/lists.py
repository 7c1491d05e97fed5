"""Input lists: a row or a reason for each line, none of them lost, and no secret shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from penstock.core.lists import read_uris
from penstock.core.rows import BadRow, Row
from penstock.core.tables import read_table
from penstock.core.template import Template
from penstock.core.urls import check, escape, redact
from penstock.engine.intake import prepared
from penstock.errors import InvalidRequest
from tests.fuzz.parsers.names import is_inside
from tests.fuzz.parsers.urls import SECRET
from tests.fuzz.target import Target, as_typed, only_refused

_TEMPLATE = Template()


def uris(data: bytes) -> None:
    lines = as_typed(data).split("\n")
    rows = _sound(read_uris(lines), len(lines))
    said = {row.line for row in rows}
    last = 0
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\ufeff").rstrip(" \t\r\n") if number == 1 else line.rstrip(" \t\r\n")
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        if text[0] not in " \t":  # a line with URLs: told of itself, or rejected by one of the options below it
            assert not last, lines[last - 1]
            last = number
        if number in said:
            last = 0
    assert not last, lines[last - 1]
    good = [row for row in rows if isinstance(row, Row)]
    if not any("\n" in (row.output or "") + (row.directory or "") for row in good):
        again = [row for row in read_uris(_written(good)) if isinstance(row, Row)]
        assert [row._replace(line=0) for row in again] == [row._replace(line=0) for row in good]


def _written(rows: Iterable[Row]) -> list[str]:
    """The rows as an aria2 input file."""
    lines = ["# so that no URL stands where a byte order mark is left out"]
    for row in rows:
        lines.append("\t".join(row.urls))
        lines.extend(f" {name}={value}" for name, value in (("out", row.output), ("dir", row.directory)) if value)
        lines.extend([] if row.checksum is None else [f" checksum={row.checksum}"])
        lines.extend(f" header={name}: {value}" if value else f" header={name};" for name, value in row.headers)
    return lines


def _sound(rows: Iterable[Row | BadRow], most_lines: int) -> list[Row | BadRow]:
    """All rows, each of them fit for the engine or fit to be shown."""
    found = list(rows)
    for row in found:
        assert 0 < row.line <= most_lines
        if isinstance(row, BadRow):
            _may_be_shown(row)
            continue
        assert row.urls
        entry = prepared(row, _TEMPLATE)
        if isinstance(entry, BadRow):
            _may_be_shown(entry)
            continue
        assert is_inside(entry.target.rpartition("/")[2]), entry.target
        assert not entry.target.startswith("/")
        assert ".." not in entry.target.split("/")
        assert all("@" not in url.split("/")[2] for url in entry.urls)
    return found


def _may_be_shown(row: BadRow) -> None:
    assert escape(row.text) == row.text
    assert escape(row.why) == row.why
    assert len(row.text) < 3000
    assert len(row.why) < 3000


def csv_table(data: bytes) -> None:
    _table(data, "csv", ",")


def tsv_table(data: bytes) -> None:
    _table(data, "tsv", "\t")


def _table(data: bytes, kind: str, delimiter: str) -> None:
    lines = [f"{line}\n" for line in as_typed(data).split("\n")]
    with only_refused():
        rows = _sound(read_table(lines, kind=kind), len(lines))
        good = [row for row in rows if isinstance(row, Row)]
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
        writer.writerow(["URL", "name", "dir", "checksum", "size"])
        for row in good:
            writer.writerow([row.urls[0], row.output or "", row.directory or "", row.checksum or "", _size(row)])
        again = _read_again(buffer.getvalue(), kind)
        assert again is None or again == [row._replace(line=0) for row in good]


def _size(row: Row) -> str:
    return "" if row.size is None else str(row.size)


def _read_again(text: str, kind: str) -> list[Row] | None:
    """What was written, read; None when a field has a line's end in it, which no reader by lines keeps as it was."""
    if "\r" in text:
        return None
    rows = list(read_table([f"{line}\n" for line in text.split("\n")], kind=kind)) if "\n\n" not in text else []
    return [row._replace(line=0) for row in rows if isinstance(row, Row)] if rows else None


def json_lines(data: bytes) -> None:
    lines = as_typed(data).split("\n")
    rows = _sound(read_table(lines, kind="jsonl"), len(lines))
    good = [row for row in rows if isinstance(row, Row)]
    written = [
        json.dumps(
            {
                "url": row.urls[0],
                "name": row.output,
                "dir": row.directory,
                "checksum": None if row.checksum is None else str(row.checksum),
                "size": row.size,
            }
        )
        for row in good
    ]
    again = [row for row in read_table(written, kind="jsonl") if isinstance(row, Row)]
    assert [row._replace(line=0) for row in again] == [row._replace(line=0) for row in good]


def secrets_of_lists(data: bytes) -> None:
    """A password in a URL, and a header's value, in lines that are bad for any other reason (S12)."""
    text = as_typed(data)
    first = text.replace("\n", "").replace("\t", "").replace(SECRET, "-")
    rest = text.partition("@")[0].replace("\t", "").replace(SECRET, "-")
    lines = [f"https://u:{SECRET}@e.org/{first}", f" header=A: {SECRET}{first}", f"  header=A {SECRET}", f" {rest}"]
    for row in read_uris(lines):
        if isinstance(row, BadRow):
            assert SECRET not in row.text + row.why, row
    for url in (f"https://u:{SECRET}@e.org/{first}", f"https://u:{SECRET}@{first}"):
        for row in read_table([json.dumps({"url": url, "size": first, "sha256": rest})], kind="jsonl"):
            shown = prepared(row, _TEMPLATE)
            if isinstance(shown, BadRow):
                assert SECRET not in shown.text + shown.why, shown
        assert SECRET not in redact(url)
        try:
            check(url)
        except InvalidRequest as error:
            assert SECRET not in error.message, error.message


_LINES = (
    "https://e.org/a", "http://u:pw@e.org/", "\n", "\r\n", "\t", " ", "#", "\ufeff", "out=", "dir=", "checksum=",
    "header=", "--out=", "A: b", "sha-256=" + "0" * 64, "../", "/", "\udc80", "\x1b", "=", "x", "@", "\0", "\u00a0",
)  # fmt: skip
_CELLS = (
    "url", "name", "out", "dir", "sha256", "checksum", "size", "https://e.org/a", "https://u:pw@e.org/b", "0" * 64,
    "\n", "\r", '"', '""', "12", "-1", "9" * 20, " ", "\ufeff", "../", "\0", "\udc80", "\u0663", "x.txt",
)  # fmt: skip
TARGETS = (
    Target("uris", uris, _LINES),
    Target("csv", csv_table, (*_CELLS, ",", "\t", ";")),
    Target("tsv", tsv_table, (*_CELLS, "\t", ",")),
    Target(
        "json-lines",
        json_lines,
        (*_CELLS, "{", "}", "[", "]", ":", ",", "null", "true", "1e999", "NaN", "\\ud800", "\\u0000", "9" * 5000,
         '"url":'),
    ),
    Target("list-secrets", secrets_of_lists, (*_LINES, SECRET, "[", "]", "\\", '"')),
)  # fmt: skip
