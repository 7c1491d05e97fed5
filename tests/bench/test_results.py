"""Results come back from JSON as they were."""

from __future__ import annotations

from bench.results import Row, from_json, to_json

from tests.bench.reports import case, report, samples


def test_a_report_survives_json() -> None:
    whole = report(
        case("a4", Row("penstock", samples("wall", 1.25, 1.5), command="penstock URL"), bytes=1.0),
        case("b4", Row("axel", ({}, {"wall": 2.0}), note="failed (exit 1)"), columns=("wall", "our wall")),
    )
    assert from_json(to_json(whole)) == whole


def test_floats_are_kept_to_the_microsecond() -> None:
    whole = report(case("a4", Row("penstock", samples("wall", 1.23456789))))
    kept = from_json(to_json(whole)).case("a4")
    assert kept is not None
    assert kept.rows[0].samples == ({"wall": 1.234568},)
