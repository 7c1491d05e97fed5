"""Tables of files: CSV and TSV with a line of column names, and JSON Lines with one object a line.

The URL column (``url`` unless named otherwise) must be there; ``name`` or ``out``, ``dir``, ``sha256`` or ``checksum``,
and ``size`` may be. Names of columns are compared without case. A row that cannot be used is told with its line's
number, and the rest go on.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from penstock.core.digests import parse_checksum
from penstock.core.lists import excerpt, unusable
from penstock.core.rows import BadRow, Row
from penstock.core.urls import check, escape
from penstock.errors import InvalidRequest

_MAX_SIZE: Final = 2**63 - 1
#: Lines that one quoted field of a CSV may span.
_MAX_LINES: Final = 1000


def read_table(lines: Iterable[str], *, kind: str, url_column: str = "url") -> Iterator[Row | BadRow]:
    """The rows of a table as its lines come; `kind` is ``csv``, ``tsv`` or ``jsonl``.

    Raises InvalidRequest when a CSV or TSV has no URL column.
    """
    if kind == "jsonl":
        return _read_objects(lines, url_column.lower())
    return _read_csv(lines, "\t" if kind == "tsv" else ",", url_column.lower())


def _read_csv(lines: Iterable[str], delimiter: str, url_column: str) -> Iterator[Row | BadRow]:
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=False)
    names: list[str] | None = None
    while True:
        begins = source.number + 1
        source.allowance = _MAX_LINES
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(begins, "", f"not {'TSV' if delimiter != ',' else 'CSV'}: {error}")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if names is None:
            names = [cell.strip().lower() for cell in cells]
            if url_column not in names:
                shown = ", ".join(escape(name[:40]) for name in names[:20])
                raise InvalidRequest(f"the table has no column {url_column!r}; it has {shown} (--url-column names one)")
            continue
        yield _row(dict(zip(names, cells, strict=False)), url_column, begins)


class _Lines:
    """Lines, counted; one record may take only so many of them."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.number = 0
        self.allowance = _MAX_LINES

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.allowance -= 1
        if self.allowance < 0:
            raise csv.Error(f"a quoted field of more than {_MAX_LINES} lines")
        if self.number == 1:
            line = line.removeprefix("\ufeff")
        return line.rstrip("\r\n") + "\n"


def _read_objects(lines: Iterable[str], url_column: str) -> Iterator[Row | BadRow]:
    for number, line in enumerate(lines, 1):
        text = (line.removeprefix("\ufeff") if number == 1 else line).strip()
        if not text:
            continue
        if (trouble := unusable(text)) is not None:
            yield BadRow(number, excerpt(text), trouble)
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            yield BadRow(number, excerpt(text), "not JSON")
            continue
        if not isinstance(value, dict):
            yield BadRow(number, excerpt(text), "not a JSON object")
            continue
        yield _row({str(key).lower(): cell for key, cell in value.items()}, url_column, number)


def _row(cells: Mapping[str, Any], url_column: str, line: int) -> Row | BadRow:
    url = cells.get(url_column)
    if not isinstance(url, str) or not url.strip():
        return BadRow(line, "", f"no {escape(url_column[:40])}")
    url = url.strip()
    if (trouble := unusable(url)) is not None:
        return BadRow(line, excerpt(url), trouble)
    try:
        check(url)
        checksum = _text(cells, "checksum")
        sha256 = _text(cells, "sha256")
        if checksum is None and sha256 is not None:
            checksum = f"sha-256:{sha256.removeprefix('sha256:')}"
        return Row(
            (url,),
            line,
            output=_text(cells, "name") or _text(cells, "out"),
            directory=_text(cells, "dir"),
            checksum=None if checksum is None else parse_checksum(checksum),
            size=_size(cells.get("size")),
        )
    except InvalidRequest as error:
        return BadRow(line, excerpt(url), error.message)


def _text(cells: Mapping[str, Any], name: str) -> str | None:
    """What a cell says, None when it is empty; raises InvalidRequest rather than pass over what was meant."""
    cell = cells.get(name)
    if cell is None:
        return None
    if not isinstance(cell, str):
        raise InvalidRequest(f"{name} is not text")
    return cell.strip() or None


def _size(cell: Any) -> int | None:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    text = str(cell).strip()
    if isinstance(cell, bool) or not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > _MAX_SIZE:
        raise InvalidRequest(f"size {escape(text[:40])!r} is not a number of bytes")
    return int(text)
