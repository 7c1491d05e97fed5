"""From URLs on the command line and lists to rows, one after another: nothing is read before it is needed."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from penstock.core.globs import fill, parse_glob
from penstock.core.lists import read_uris
from penstock.core.rows import BadRow, Row
from penstock.core.tables import read_table
from penstock.errors import InvalidRequest

STDIN: Final = "-"
#: The formats of lists, and the extensions that tell them.
FORMATS: Final = ("uris", "csv", "tsv", "jsonl")
_EXTENSIONS: Final = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def rows_of_urls(urls: Sequence[str], *, globs: bool, output: str | None) -> Iterator[Row | BadRow]:
    """A row for each URL, or with `globs` for each URL that its ranges and sets stand for.

    ``#1`` in `output` is replaced by what the first of them stands for. Raises InvalidRequest for a bad range.
    """
    for url in urls:
        if not globs:
            yield Row((url,), output=output)
            continue
        for match in parse_glob(url):
            yield Row((match.url,), output=None if output is None else fill(output, match.parts))


def count_urls(urls: Sequence[str], *, globs: bool) -> int:
    """How many URLs these stand for; raises InvalidRequest for a bad range."""
    return sum(parse_glob(url).count if globs else 1 for url in urls)


class List:
    """An open list. Raises InvalidRequest when it cannot be opened."""

    def __init__(self, name: str, kind: str | None, url_column: str) -> None:
        self.name = name
        self._kind = kind or _EXTENSIONS.get(Path(name).suffix.lower(), "uris")
        self._url_column = url_column
        self._stream = _open(name)

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, as they are read; raises InvalidRequest for a table without the URL column."""
        with self._stream as lines:
            if self._kind == "uris":
                yield from read_uris(lines)
            else:
                yield from read_table(lines, kind=self._kind, url_column=self._url_column)


def chained(*parts: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """The rows of all `parts`, one part after another."""
    for part in parts:
        yield from part


def _open(name: str) -> TextIO:
    if name == STDIN:
        if sys.stdin is None:
            raise InvalidRequest("-i -: there is no standard input")
        return io.TextIOWrapper(sys.stdin.buffer, "utf-8", errors="surrogateescape", newline="\n")
    try:
        return Path(name).open(encoding="utf-8", errors="surrogateescape", newline="\n")
    except OSError as error:
        raise InvalidRequest(f"-i {name}: {error.strerror or error}") from error
