"""Medians, and ratios of pairs: a round that one of them did not come through counts for neither."""

from __future__ import annotations

from bench.figures import difference, largest, median_of, pairs, per, ratio
from bench.results import Row

from tests.bench.reports import case, samples


def test_the_median_leaves_failed_rounds_out() -> None:
    row = Row("penstock", ({"wall": 3.0}, {}, {"wall": 1.0}, {"wall": 2.0}))
    assert median_of(row, "wall") == 2.0
    assert largest(row, "wall") == 3.0


def test_what_took_no_part_has_no_figures() -> None:
    assert median_of(None, "wall") is None
    assert median_of(Row("axel", note="not installed"), "wall") is None
    assert largest(Row("axel"), "memory") is None
    assert ratio(None, "penstock", "aria2", "wall") is None
    assert ratio(case("a4", Row("penstock", samples("wall", 1.0))), "penstock", "aria2", "wall") is None


def test_a_ratio_is_the_median_over_the_pairs_and_not_of_the_medians() -> None:
    slow_round = case("a4", Row("penstock", samples("wall", 1.0, 10.0, 2.0)), Row("cp", samples("wall", 2.0, 5.0, 4.0)))
    assert ratio(slow_round, "penstock", "cp", "wall") == 0.5  # of the medians: 2 / 4; of the pairs: 0.5, 2, 0.5
    lopsided = case("a4", Row("penstock", samples("wall", 1.0, 9.0, 9.0)), Row("cp", samples("wall", 2.0, 3.0, 9.0)))
    assert ratio(lopsided, "penstock", "cp", "wall") == 1.0  # of the medians: 3


def test_pairs_are_of_the_same_round() -> None:
    ours = Row("penstock", ({"wall": 1.0}, {}, {"wall": 3.0}))
    theirs = Row("aria2", ({"wall": 10.0}, {"wall": 20.0}))
    assert pairs(ours, theirs, "wall") == [(1.0, 10.0)]


def test_a_difference_is_of_pairs_too() -> None:
    start = case("e", Row("penstock", samples("wall", 0.2, 0.5)), Row("bare Python", samples("wall", 0.1, 0.2)))
    found = difference(start, "penstock", "bare Python", "wall")
    assert found is not None
    assert round(found, 6) == 0.2


def test_a_cost_is_over_a_fact_of_the_case() -> None:
    files = case("d", Row("penstock", samples("user", 2.0)), files=1000.0)
    assert per(files, files.row("penstock"), "user", "files") == 0.002
    assert per(files, files.row("penstock"), "user", "bytes") is None
