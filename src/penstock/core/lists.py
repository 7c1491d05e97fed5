"""Lists of URLs: one a line, and aria2's input files, which are the same with options below a line.

    # a comment
    https://a.example/x.iso	https://b.example/x.iso
      out=x.iso
      checksum=sha-256=0123...

URLs on one line, separated by tabs, are of the same file and tried in turn. Indented lines are options of the line
above: ``out``, ``dir``, ``checksum`` and ``header`` (repeatable). A line that cannot be used is told with its number,
and the rest go on. A row is known to be complete only when the next one begins, so it comes one line late.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from penstock.core.digests import parse_checksum
from penstock.core.rows import BadRow, Row
from penstock.core.urls import check, check_header, escape, is_plain, redact
from penstock.errors import InvalidRequest

#: Characters in a line, at most.
MAX_LINE: Final = 128 * 1024
#: Options of one row, at most.
MAX_OPTIONS: Final = 1000
_EXCERPT: Final = 120
_BOM: Final = "\ufeff"


def read_uris(lines: Iterable[str]) -> Iterator[Row | BadRow]:
    """The rows of a list, as its lines come."""
    row: Row | None = None
    count = 0
    for number, line in enumerate(lines, 1):
        text = line.removeprefix(_BOM) if number == 1 else line
        text = text.rstrip(" \t\r\n")
        if is_plain(text):
            if row is not None:
                yield row
            row, count = Row((text,), number), 0
            continue
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        if (trouble := unusable(text)) is not None:
            yield BadRow(number, _option_name(text) if text[0] in " \t" else excerpt(text), trouble)
            continue
        if text[0] in " \t":
            count += 1
            result = _with_option(row, text.strip(), number, count)
            if isinstance(result, BadRow):
                yield result
            else:
                row = result
            continue
        if row is not None:
            yield row
        row, count = None, 0
        urls = []
        for part in text.split("\t"):
            if not part.strip():
                continue
            try:
                check(part)
            except InvalidRequest as error:
                yield BadRow(number, excerpt(part), error.message)
            else:
                urls.append(part.strip())
        if urls:
            row = Row(tuple(urls), number)
    if row is not None:
        yield row


def unusable(text: str) -> str | None:
    """Why a line is not even looked at; None when it is."""
    if len(text) > MAX_LINE:
        return f"longer than {MAX_LINE} characters"
    if not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
        return "not UTF-8"
    return None


def excerpt(text: str) -> str:
    """The beginning of a line, fit to be shown: escaped, and without credentials."""
    return escape(redact(text)[:_EXCERPT])  # cut before, a long password would lose the sign that it is one


def _option_name(text: str) -> str:
    """As much of an option as may be shown: its value may be a secret."""
    return escape(re.split(r"[\s:;=]", text.strip(), maxsplit=1)[0][:40]) + "="


def _with_option(row: Row | None, text: str, number: int, count: int) -> Row | BadRow:
    name, equals, value = text.partition("=")
    name, value = name.strip().removeprefix("--"), value.strip()
    shown = _option_name(text)
    if row is None:
        return BadRow(number, shown, "an option without a URL above it")
    if not equals or not value or count > MAX_OPTIONS:
        return BadRow(number, shown, "not an option; write name=value")
    try:
        match name:
            case "out":
                return row._replace(output=value)
            case "dir":
                return row._replace(directory=value)
            case "checksum":
                return row._replace(checksum=parse_checksum(value))
            case "header":
                return row._replace(headers=(*row.headers, check_header(value)))
    except InvalidRequest as error:
        return BadRow(number, shown, f"{error.message}; the line's URL is fetched without it")
    return BadRow(number, shown, "this option is not supported; the line's URL is fetched without it")
