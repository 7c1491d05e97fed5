"""Lists as they come from files and pipes."""

from __future__ import annotations

import io
import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.cli import rows
from penstock.cli.rows import List, lines, rows_of_urls
from penstock.core.lists import MAX_LINE, PAUSE
from penstock.core.rows import BadRow, Row
from penstock.errors import InvalidRequest

A, B = "https://e.org/a", "https://e.org/b"


def test_urls_are_numbered_over_all_that_they_stand_for() -> None:
    urls = [A, "https://e.org/[1-2].jpg"]
    numbered = [row.line for row in rows_of_urls(urls, globs=True, output=None)]
    assert numbered == [1, 2, 3]  # for {line} in names


@pytest.fixture
def pipe() -> Iterator[tuple[str, int]]:
    """The name of a pipe's end to read from, and its end to write to."""
    reading, writing = os.pipe()
    yield f"/dev/fd/{reading}", writing
    os.close(reading)


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="pipes by name")
def test_the_newest_url_of_a_slow_pipe_is_not_held_back(pipe: tuple[str, int]) -> None:
    name, writing = pipe
    found = List(name, None, "url").rows()
    os.write(writing, f"{A}\n  out=x\n{B}".encode())
    assert next(found) == Row((A,), 1, "x")
    os.write(writing, b"2\n")
    assert next(found) == Row((f"{B}2",), 3)
    os.close(writing)
    assert list(found) == []


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="pipes by name")
def test_a_pipe_that_comes_in_pieces_gives_whole_lines_and_options(
    pipe: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAUSE_SECONDS", 20.0)
    name, writing = pipe

    def write() -> None:
        for byte in f"{A}\n  out=ü\n{B}".encode():
            os.write(writing, bytes([byte]))
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    assert list(List(name, None, "url").rows()) == [Row((A,), 1, "ü"), Row((B,), 3)]
    thread.join()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="terminals")
def test_who_types_has_all_the_time_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    typing, terminal = os.openpty()
    with open(terminal, "rb") as stream:
        # a select that says at once that nothing has come
        monkeypatch.setattr(select, "select", lambda *_arguments: ([], [], []))
        os.write(typing, f"{A}\n".encode())
        found = lines(stream, pauses=True)
        assert next(found) == f"{A}\n"
        os.write(typing, b"  out=x\n")
        assert next(found) == "  out=x\n"
    os.close(typing)


class Endless:
    """A stream of `size` bytes without the end of a line, then another line; it counts what is held at once."""

    def __init__(self, size: int) -> None:
        self.left = size
        self._last = b"\nlast\n"

    def read1(self, count: int) -> bytes:
        if self.left:
            self.left -= count
            return b"x" * count
        last, self._last = self._last, b""
        return last


def test_a_line_without_an_end_is_cut_and_passed_over() -> None:
    stream = Endless(64 * MAX_LINE)
    found = lines(stream)  # type: ignore[arg-type]
    first = next(found)
    assert MAX_LINE < len(first) <= 5 * MAX_LINE
    assert stream.left > 50 * MAX_LINE
    assert list(found) == ["last\n"]


def test_an_endless_line_of_a_file_is_one_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(f"{A}\n".encode() + b"x" * 3_000_000 + f"\n{B}\n".encode())
    first, bad, last = List(str(path), None, "url").rows()
    assert isinstance(bad, BadRow)
    assert (first, bad.line, last) == (Row((A,), 1), 2, Row((B,), 3))


def test_a_file_has_no_pauses(tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"{A}\n{B}")
    with (tmp_path / "list").open("rb") as stream:
        assert PAUSE not in lines(stream, pauses=True)


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("size", [1, rows._CHUNK - 1, rows._CHUNK, rows._LONGEST - 1, rows._LONGEST, 3 * rows._LONGEST])
def test_what_follows_a_line_of_any_length_is_whole(size: int, count: int) -> None:
    after = b"\n" * count + b"\xff\r\n\xc3\xbc"
    _, *rest = lines(io.BufferedReader(io.BytesIO(b"x" * size + b"\n" + after)))
    assert rest == ["\n"] * count + ["\udcff\r\n", "ü"]


def test_a_file_of_a_table_is_refused_before_anything_begins(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("link,name\nhttps://e.org/a,a\n")
    with pytest.raises(InvalidRequest, match="no column 'url'"):
        List(str(tmp_path / "l.csv"), None, "url")
    assert [row.line for row in List(str(tmp_path / "l.csv"), None, "link").rows()] == [2]
