"""From URLs on the command line and lists to rows, one after another: nothing is read before it is needed."""

from __future__ import annotations

import io
import itertools
import os
import select
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, cast

from penstock.core.globs import fill, parse_glob
from penstock.core.lists import MAX_LINE, PAUSE, read_uris
from penstock.core.rows import BadRow, Row
from penstock.core.tables import read_table
from penstock.errors import InvalidRequest

STDIN: Final = "-"
#: The formats of lists, and the extensions that tell them.
FORMATS: Final = ("uris", "csv", "tsv", "jsonl")
#: Seconds without another line after which a pipe's last URL is taken as complete: options below it come too late then.
PAUSE_SECONDS: Final = 0.2
#: Bytes that are read at once, and those of a line that are kept: what is longer is refused whatever it says.
_CHUNK: Final = 64 * 1024
_LONGEST: Final = 4 * MAX_LINE + 1
_EXTENSIONS: Final = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def rows_of_urls(urls: Sequence[str], *, globs: bool, output: str | None) -> Iterator[Row | BadRow]:
    """A row for each URL, or with `globs` for each URL that its ranges and sets stand for.

    ``#1`` in `output` is replaced by what the first of them stands for. Raises InvalidRequest for a bad range.
    """
    numbers = itertools.count(1)
    for url in urls:
        if not globs:
            yield Row((url,), next(numbers), output)
            continue
        for match in parse_glob(url):
            yield Row((match.url,), next(numbers), None if output is None else fill(output, match.parts))


def count_urls(urls: Sequence[str], *, globs: bool) -> int:
    """How many URLs these stand for; raises InvalidRequest for a bad range."""
    return sum(parse_glob(url).count if globs else 1 for url in urls)


class List:
    """An open list. Raises InvalidRequest when it cannot be opened, or is a file of a table without the URL column.
    `note` is told of what is left out of it."""

    def __init__(self, name: str, kind: str | None, url_column: str) -> None:
        self.name = name
        self.note: Callable[[str], None] = lambda _text: None
        self._kind = kind or _EXTENSIONS.get(Path(name).suffix.lower(), "uris")
        self._url_column = url_column
        self._stream = _open(name)
        self._rows: Iterator[Row | BadRow] = self._read()
        if self._kind != "uris" and name != STDIN and Path(name).is_file():  # which does not keep us waiting
            self._rows = itertools.chain(list(itertools.islice(self._rows, 1)), self._rows)

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, as they are read; raises InvalidRequest for a table without the URL column, if it comes from a
        pipe: a file's was looked for before."""
        return self._rows

    def _read(self) -> Iterator[Row | BadRow]:
        with self._stream as stream:
            if self._kind == "uris":
                yield from read_uris(lines(stream, pauses=True), self.note)
            else:
                yield from read_table(lines(stream), kind=self._kind, url_column=self._url_column)


def chained(*parts: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """The rows of all `parts`, one part after another."""
    for part in parts:
        yield from part


def lines(stream: io.BufferedIOBase, *, pauses: bool = False) -> Iterator[str]:
    """The lines of `stream` as they come, with their ends; of an endless one the beginning, so that it can be refused.

    With `pauses`, `PAUSE` where the next line keeps us waiting, if the stream is one that can be waited on.
    """
    rest = b""
    is_passing_over = False
    for chunk in _chunks(stream, pauses=pauses):
        if not chunk:
            if not rest[:1].isspace():  # the beginning of an option: it is of the row above
                yield PAUSE
            continue
        buffer = rest + chunk
        end = buffer.rfind(b"\n") + 1
        whole, rest = buffer[:end], buffer[end:]
        if whole and is_passing_over:
            whole, is_passing_over = whole.partition(b"\n")[2], False
        yield from io.StringIO(_decoded(whole), newline="\n")
        if is_passing_over:
            rest = b""
        elif len(rest) >= _LONGEST:
            yield _decoded(rest)
            rest, is_passing_over = b"", True
    if rest:
        yield _decoded(rest)


def _chunks(stream: io.BufferedIOBase, *, pauses: bool) -> Iterator[bytes]:
    """The bytes as they come; with `pauses` none where we wait."""
    descriptor = _waitable(stream) if pauses else None
    while True:
        if descriptor is not None and not select.select([descriptor], [], [], PAUSE_SECONDS)[0]:
            yield b""
        chunk = stream.read1(_CHUNK)
        if not chunk:
            return
        yield chunk


def _waitable(stream: io.BufferedIOBase) -> int | None:
    """The descriptor of a pipe or socket; None for a file, which never keeps us waiting, for a terminal, where options
    are typed slowly, and on Windows."""
    try:
        descriptor = stream.fileno()
        waits = not stat.S_ISREG(os.fstat(descriptor).st_mode) and not stream.isatty()
    except (OSError, ValueError):  # a stream that is none of the system's
        return None
    return descriptor if waits and sys.platform != "win32" else None


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


def _open(name: str) -> io.BufferedIOBase:
    if name == STDIN:
        if sys.stdin is None:
            raise InvalidRequest("-i -: there is no standard input")
        return cast("io.BufferedIOBase", sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise InvalidRequest(f"-i {name}: {_why_not(error)}; name a list, or - for stdin") from error


def _why_not(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return "that is a directory" if isinstance(error, IsADirectoryError) else error.strerror or str(error)
