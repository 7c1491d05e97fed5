"""The page says what was measured, word for word."""

from __future__ import annotations

from bench.page.columns import COLUMNS, table_of
from bench.page.markdown import page, targets_rows
from bench.results import Row

from tests.bench.reports import case, report, samples


def test_a_table_has_medians_spreads_and_ratios_of_pairs() -> None:
    both = case(
        "a4",
        Row("penstock", samples("wall", 1.0, 3.0, 2.0)),
        Row("aria2", samples("wall", 4.0, 4.0)),
        Row("axel", note="not installed"),
        columns=("wall", "our wall"),
    )
    lines = table_of(both).splitlines()
    assert lines[0] == "| program | wall s | penstock's wall / its | rounds |"
    assert lines[2:] == [
        "| penstock | 2.00 (1.00..3.00) |  | 3 |",
        "| aria2 | 4.00 (4.00..4.00) | 0.50 | 2 |",
        "| axel | not installed |  |  |",
    ]


def test_a_program_that_failed_once_says_so_beside_its_figures() -> None:
    line = table_of(case("a4", Row("penstock", ({"wall": 1.0}, {}), note="failed (exit 1)"))).splitlines()[-1]
    assert line == "| penstock | 1.00 (1.00..1.00) | 1; failed (exit 1) |"


def test_growth_is_over_the_first_row_of_the_same_program() -> None:
    rows = [
        Row(f"{name}, {count} files", samples("unit", unit))
        for count, name, unit in [(1, "penstock", 10.0), (1, "curl", 2.0), (9, "penstock", 12.0), (9, "curl", 1.0)]
    ]
    lines = table_of(case("i-files", *rows, columns=("growth",))).splitlines()[2:]
    assert [line.split("|")[2].strip() for line in lines] == ["1.00", "1.00", "1.20", "0.50"]


def test_every_column_can_do_without_figures() -> None:
    empty = case("a4", Row("penstock", ({"nothing": 1.0},)), columns=("wall",))
    for name, column in COLUMNS.items():
        if name != "growth":
            assert column.cell(empty, empty.rows[0]) == ""


def test_the_page_begins_with_the_targets_and_ends_with_the_commands() -> None:
    fast = case(
        "a4",
        Row("penstock", samples("wall", *[1.0] * 5), command="penstock URL"),
        Row("cp", samples("wall", *[1.0] * 5)),
    )
    text = page(report(fast), ["a.svg"])
    assert text.index("## Targets") < text.index("## Machine") < text.index("## (a)") < text.index("## Command lines")
    assert "| 1 GiB, 4 connections: wall / `cp` of the file | at most 1.6 | 1.00 | 5 | met |" in text
    assert "![job a](benchmarks/a.svg)" in text
    assert "penstock URL" in text


def test_a_run_of_other_sizes_meets_and_misses_nothing() -> None:
    quick = report(
        case("a4", Row("penstock", samples("wall", 9.0)), Row("cp", samples("wall", 1.0))),
        call="python -m bench --quick",
    )
    [row] = targets_rows(quick)
    assert row[-1] == ""
    assert "nothing is met or missed" in page(quick)
