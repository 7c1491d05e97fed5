"""Lists of URLs: one a line, and aria2's input files, which are the same with options below a line.

    # a comment
    https://a.example/x.iso	https://b.example/x.iso
      out=x.iso
      checksum=sha-256=0123...

URLs on one line, separated by tabs, are of the same file and tried in turn. Indented lines are options of the line
above: ``out``, ``dir``, ``checksum`` and ``header`` (repeatable). aria2's other options are left out, which is said
once for each. A line that cannot be used is told with its number, and the rest go on; a URL whose options cannot be
used is not fetched, for it might be fetched unchecked or under a wrong name. A row is known to be complete only when
the next one begins, so it comes one line late, or at a `PAUSE`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from penstock.core.digests import parse_checksum
from penstock.core.rows import BadRow, Row
from penstock.core.urls import check, check_header, escape, is_plain, redact
from penstock.errors import InvalidRequest

#: Characters in a line, at most.
MAX_LINE: Final = 128 * 1024
#: Options of one row, at most.
MAX_OPTIONS: Final = 1000


class _Pause(str):
    """Of its own class, so that no line is it."""

    __slots__ = ()


#: Stands among the lines, and is none, where nothing more has come for a moment: the row above is taken as complete.
PAUSE: Final[str] = _Pause()
#: Names of options that are remembered as told.
_MOST_TOLD: Final = 1000
_EXCERPT: Final = 120
_BOM: Final = "\ufeff"
_SUPPORTED: Final = frozenset({"out", "dir", "checksum", "header"})
#: The names of aria2's options.
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,40}")


def read_uris(lines: Iterable[str], note: Callable[[str], None] = lambda _text: None) -> Iterator[Row | BadRow]:
    """The rows of a list, as its lines come. `note` is told of options that are left out."""
    above = _Above(note)
    number = 0
    for line in lines:
        if line is PAUSE:
            if above.row is not None:
                yield above.row
                above.end("came too late: its URL is being fetched without it")
            continue
        number += 1
        text = line.removeprefix(_BOM) if number == 1 else line
        text = text.rstrip(" \t\r\n")
        if is_plain(text):
            if above.row is not None:
                yield above.row
            above.begin(Row((text,), number))
            continue
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        if text[0] in " \t":
            bad = above.take(text.strip(), number)
            if bad is not None:
                yield bad
            continue
        if above.row is not None:
            yield above.row
        urls, bad_ones = _parted(text, number)
        yield from bad_ones
        above.begin(Row(urls, number) if urls else None)
    if above.row is not None:
        yield above.row


class _Above:
    """The row that the options of the next lines are of, as long as there is one."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.row: Row | None = None
        #: Why there is none, for an option that looks for it; None: options are passed over with their rejected row.
        self._why: str | None = "an option without a URL above it"
        self._count = 0
        self._note = note
        self._told: set[str] = set()

    def begin(self, row: Row | None) -> None:
        """A line with URLs came; None when none of them can be used."""
        self.row, self._why, self._count = row, None, 0

    def end(self, why: str) -> None:
        """The row is given away."""
        self.row, self._why = None, why

    def take(self, text: str, number: int) -> BadRow | None:
        """Take an option; what cannot be used rejects the row, and is returned."""
        if (trouble := unusable(text)) is not None:
            return self._reject(number, f"an option that is {trouble}")
        name, equals, value = text.partition("=")
        name, value = name.strip().removeprefix("--"), value.strip()
        if not equals or not _NAME.fullmatch(name):
            return BadRow(number, option_name(text), "not an option; write name=value (and URLs without spaces before)")
        if name not in _SUPPORTED:
            self._leave_out(name, number)
            return None
        if self.row is None:
            return self._reject(number, f"{name}=")
        self._count += 1
        if self._count > MAX_OPTIONS:
            return self._reject(number, f"more than {MAX_OPTIONS} options")
        try:
            self.row = _with_option(self.row, name, value)
        except InvalidRequest as error:
            return self._reject(number, f"{name}=: {error.message}")
        return None

    def _reject(self, number: int, what: str) -> BadRow | None:
        """The row is not fetched, since `what`; where there is none, the option alone is bad, if it is not passed over
        with its row."""
        row, self.row = self.row, None
        if row is None:
            return None if self._why is None else BadRow(number, "", f"{what}: {self._why}")
        self._why = None
        return BadRow(number, excerpt(row.urls[0]), f"not fetched: {what}")

    def _leave_out(self, name: str, number: int) -> None:
        if name not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(name)
            self._note(f"line {number}: the option {name}= is not supported in lists and left out wherever it stands")


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


def option_name(text: str) -> str:
    """As much of an option as may be shown: its value may be a secret."""
    return escape(re.split(r"[\s:;=]", text.strip(), maxsplit=1)[0][:40]) + "="


def _parted(text: str, number: int) -> tuple[tuple[str, ...], list[BadRow]]:
    """The URLs of a line, and those that are none."""
    if (trouble := unusable(text)) is not None:
        return (), [BadRow(number, excerpt(text), trouble)]
    urls: list[str] = []
    bad: list[BadRow] = []
    for part in filter(str.strip, text.split("\t")):
        try:
            check(part)
        except InvalidRequest as error:
            bad.append(BadRow(number, excerpt(part), error.message))
        else:
            urls.append(part.strip())
    return tuple(urls), bad


def _with_option(row: Row, name: str, value: str) -> Row:
    """The row with one of the supported options. Raises InvalidRequest."""
    if not value:
        raise InvalidRequest("it has no value")
    match name:
        case "out":
            return row._replace(output=value)
        case "dir":
            return row._replace(directory=value)
        case "checksum":
            return row._replace(checksum=parse_checksum(value))
    return row._replace(headers=(*row.headers, check_header(value)))
