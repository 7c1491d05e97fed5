"""A trace file as records: whole, cut, or no trace at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import InvalidRequest
from penstock.report.reading import records
from tests.report.traces import Trace, eventful


def test_every_event_from_the_run_s_first_on_is_read(tmp_path: Path) -> None:
    trace = eventful()
    found = list(records(trace.write(tmp_path / "t.json")))
    assert found == trace.records[1:]  # what names the process comes before


def test_a_killed_run_gives_its_whole_lines(tmp_path: Path) -> None:
    trace = eventful()
    text = "\n".join(trace.lines()[:-2])
    for cut in (0, 1, 7, 60):
        path = tmp_path / "t.json"
        path.write_text(text[: len(text) - cut])
        found = list(records(path))
        expected = trace.records[1:-1]
        assert found == (expected if cut <= 1 else expected[:-1])


def test_a_trace_on_one_line_s_brackets_is_read_too(tmp_path: Path) -> None:
    trace = eventful()
    lines = trace.lines()
    path = tmp_path / "t.json"
    path.write_text("\n".join([lines[0] + lines[1], *lines[2:-2], lines[-2] + lines[-1]]))
    assert list(records(path)) == trace.records[1:]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[\n]\n",
        b"hello\n",
        b"\x00\xff\xfe" * 1000,
        b'{"ph": "X"}\n',
        b"[" * 5000,
        b'[{"ph": 3}]',
        b"[" * 3_000_000,
    ],
)
def test_what_is_no_trace_says_so_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"x\.json: not a trace of Penstock's"):
        list(records(path))


def test_a_trace_of_another_program_is_none_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[\n" + '{"ph": "X", "name": "a", "ts": 1},\n' * 5000)
    with pytest.raises(InvalidRequest, match="not a trace of Penstock's"):
        list(records(path))


def test_what_is_not_there_and_what_is_a_directory_say_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no such file"):
        list(records(tmp_path / "x"))
    with pytest.raises(InvalidRequest, match="is a directory"):
        list(records(tmp_path))


def test_a_newer_format_is_told_and_not_guessed_at(tmp_path: Path) -> None:
    path = Trace(format=2).write(tmp_path / "t.json")
    with pytest.raises(InvalidRequest, match="format 2; this Penstock reads format 1"):
        list(records(path))
