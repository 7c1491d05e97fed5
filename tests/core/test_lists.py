"""F50: lists of URLs and aria2's input files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.digests import parse_checksum
from penstock.core.lists import MAX_LINE, PAUSE, read_uris
from penstock.core.rows import BadRow, Row

A, B = "https://e.org/a", "https://e.org/b"
HASH = "ab" * 32


def read(text: str) -> list[Row | BadRow]:
    return list(read_uris(text.splitlines(keepends=True)))


def test_F50_blank_lines_comments_bom_and_crlf_do_not_count() -> None:
    assert read(f"\ufeff{A}\r\n\r\n# c\r\n  # d\n{B}  \n") == [Row((A,), 1), Row((B,), 5)]


def test_alternatives_are_separated_by_tabs() -> None:
    assert read(f"{A}\t{B}\n") == [Row((A, B), 1)]


def test_indented_lines_are_options_of_the_row_above() -> None:
    text = f"{A}\n  out=x y.iso\n\tdir=d\n  checksum=sha-256={HASH}\n  header=A: b\n  header=C: d\n{B}\n"
    first, second = read(text)
    assert first == Row((A,), 1, "x y.iso", "d", parse_checksum(HASH), None, (("A", "b"), ("C", "d")))
    assert second == Row((B,), 7)


def test_F50_a_bad_line_is_told_with_its_number_and_the_rest_go_on() -> None:
    rows = read(f"{A}\nftp://e.org/x\nnot a url\n  out=x\n{B}\n  no option\n")
    assert [(type(row).__name__, row.line) for row in rows] == [
        ("Row", 1), ("BadRow", 2), ("BadRow", 3), ("BadRow", 6), ("Row", 5),
    ]  # fmt: skip


@pytest.mark.parametrize("rejected", ["ftp://e.org/x", "https://e.org/\udcff.csv", "https://e.org/" + "a" * MAX_LINE])
def test_options_below_a_rejected_line_are_not_those_of_the_row_before_it(rejected: str) -> None:
    first, bad, last = read(f"{A}\n{rejected}\n  out=STOLEN\n  checksum=sha-256={HASH}\n  dir=\udcff\n  header=\n{B}\n")
    assert (first, last) == (Row((A,), 1), Row((B,), 7))
    assert isinstance(bad, BadRow)


@pytest.mark.parametrize(
    "option", ["checksum=zz", "checksum=", "header=no colon", "out=", "out=\udcff", "header=A: " + "a" * MAX_LINE]
)
def test_a_row_is_not_fetched_without_an_option_that_cannot_be_used(option: str) -> None:
    bad, other = read(f"{A}\n  {option}\n  dir=d\n{B}\n")
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.text, bad.why[:13]) == (2, A, "not fetched: ")
    assert other == Row((B,), 4)


def test_an_option_that_only_aria2_knows_is_left_out_and_told_once() -> None:
    notes: list[str] = []
    text = f"{A}\n  split=4\n  gid=1\n{B}\n  --split=5\n  out=x\n"
    assert list(read_uris(text.splitlines(), notes.append)) == [Row((A,), 1), Row((B,), 4, "x")]
    assert [note.partition(" is ")[0] for note in notes] == ["line 2: the option split=", "line 3: the option gid="]


def test_an_option_that_belongs_to_no_row_is_not_shown_as_a_url() -> None:
    assert read(f"  out=x\n{A}\n") == [BadRow(1, "", "out=: an option without a URL above it"), Row((A,), 2)]


def test_an_empty_line_is_no_pause() -> None:
    assert list(read_uris(["", A, "", " out=x", "", B])) == [Row((A,), 2, "x"), Row((B,), 6)]


def test_an_indented_url_is_no_option() -> None:
    row, bad = sorted(read(f"{A}\n  {B}?split=4\n"), key=lambda row: row.line)
    assert row == Row((A,), 1)
    assert isinstance(bad, BadRow)


def test_a_pause_gives_the_row_away_and_options_that_come_later_are_told() -> None:
    rows = read_uris(iter([f"{A}\n", PAUSE, "  split=4\n", f"{B}\n", "  out=x\n", PAUSE, PAUSE, "  dir=d\n"]))
    assert next(rows) == Row((A,), 1)
    assert next(rows) == Row((B,), 3, "x")
    late = next(rows)
    assert isinstance(late, BadRow)
    assert late.line == 5
    assert "too late" in late.why


def test_S12_a_password_in_a_bad_line_is_not_shown() -> None:
    [bad] = read("ftp://me:secret@e.org/x\n")
    assert isinstance(bad, BadRow)
    assert "secret" not in bad.text + bad.why


def test_F50_spaces_inside_a_url_are_kept_for_escaping() -> None:
    assert read("https://e.org/a b.jpg\n") == [Row(("https://e.org/a b.jpg",), 1)]


def test_F50_undecodable_and_endless_lines_are_refused() -> None:
    bad = read(f"https://e.org/\udcff\nhttps://e.org/{'a' * MAX_LINE}\n")
    assert [type(row) for row in bad] == [BadRow, BadRow]


@given(st.lists(st.text(max_size=60), max_size=20))
def test_F50_every_line_with_a_url_gives_exactly_one_row(lines: list[str]) -> None:
    rows = list(read_uris(lines))
    assert all(isinstance(row, Row | BadRow) for row in rows)
    numbers = [row.line for row in rows if isinstance(row, Row)]
    assert numbers == sorted(set(numbers))


def test_S12_no_reason_shows_what_may_be_a_secret() -> None:
    lines = [
        f"https://user:{'x' * 300}@e.org/\udcff",
        "https://e.org/a",
        " header=Authorization: Bearer xxxx\udcff",
        " Authorization: Bearer xxxx",
        " header xxxx",
    ]
    bad = [row for row in read_uris(lines) if isinstance(row, BadRow)]
    assert [row.line for row in bad] == [1, 3, 4, 5]
    assert "xxx" not in "".join(row.text + row.why for row in bad)
