"""F50: CSV, TSV and JSON Lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.digests import parse_checksum
from penstock.core.rows import BadRow, Row
from penstock.core.tables import read_table
from penstock.errors import InvalidRequest

A = "https://e.org/a"
HASH = "cd" * 32


def read(text: str, kind: str, column: str = "url") -> list[Row | BadRow]:
    return list(read_table(text.splitlines(keepends=True), kind=kind, url_column=column))


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_named_columns_in_any_order_and_case(kind: str) -> None:
    text = f"\ufeffName,x,URL,sha256,size\r\na b.jpg,1,{A},{HASH},12\r\n"
    text = text if kind == "csv" else text.replace(",", "\t")
    assert read(text, kind) == [Row((A,), 2, output="a b.jpg", checksum=parse_checksum(HASH), size=12)]


def test_F50_a_quoted_field_may_span_lines_and_the_number_is_that_of_its_first() -> None:
    rows = read(f'url,note\n{A},"two\nlines"\nnonsense,x\n', "csv")
    assert [row.line for row in rows] == [2, 4]
    assert isinstance(rows[1], BadRow)


def test_a_table_without_the_column_is_refused_naming_those_it_has() -> None:
    with pytest.raises(InvalidRequest, match="link, size"):
        read(f"link,size\n{A},1\n", "csv")


def test_another_column_may_hold_the_urls() -> None:
    assert read(f"link\n{A}\n", "csv", "Link") == [Row((A,), 2)]


def test_objects_one_a_line() -> None:
    text = f'{{"url": "{A}", "out": "x", "size": 3}}\n\nnonsense\n[1]\n{{"u": 1}}\n{{"url": "{A}", "size": -1}}\n'
    rows = read(text, "jsonl")
    assert rows[0] == Row((A,), 1, output="x", size=3)
    assert [(type(row), row.line) for row in rows[1:]] == [(BadRow, 3), (BadRow, 4), (BadRow, 5), (BadRow, 6)]


def test_F50_an_endless_quoted_field_does_not_swallow_memory() -> None:
    rows = read('url\n"' + "x\n" * 5000, "csv")
    assert any(isinstance(row, BadRow) and "more than" in row.why for row in rows)


@given(st.text(max_size=200), st.sampled_from(["csv", "tsv", "jsonl"]))
def test_nothing_but_our_own_error_is_raised(text: str, kind: str) -> None:
    try:
        rows = read("url\n" + text, kind)
    except InvalidRequest:
        return
    assert all(isinstance(row, Row | BadRow) for row in rows)


@pytest.mark.parametrize("cell", ['"checksum": 7', '"sha256": ["x"]', '"name": 1', '"dir": {}', '"out": true'])
def test_a_cell_that_is_not_text_rejects_its_row_rather_than_going_unused(cell: str) -> None:
    bad, good = read(f'{{"url": "{A}", {cell}}}\n{{"url": "{A}", "checksum": null, "name": ""}}\n', "jsonl")
    assert isinstance(bad, BadRow)
    assert "is not text" in bad.why
    assert good == Row((A,), 2)
