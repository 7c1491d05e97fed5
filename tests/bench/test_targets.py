"""A target is met by what was measured, and by nothing else."""

from __future__ import annotations

import pytest
from bench.jobs import JOBS
from bench.results import Case, Row
from bench.targets import ENOUGH_PAIRS, Verdict, targets, verdicts

from tests.bench.reports import case, report, samples


def verdict_of(text: str, *cases: Case) -> Verdict:
    [found] = [each for each in verdicts(report(*cases)) if text in each.target.text]
    return found


def copied(wall: float, rounds: int = ENOUGH_PAIRS) -> Case:
    ours, theirs = samples("wall", *[wall] * rounds), samples("wall", *[1.0] * rounds)
    return case("a4", Row("penstock", ours), Row("cp", theirs))


@pytest.mark.parametrize(
    ("wall", "word"), [(1.5, "met"), (1.6, "met"), (1.604, "met"), (1.61, "**not met**"), (3.0, "**not met**")]
)
def test_the_limit_itself_is_met(wall: float, word: str) -> None:
    assert verdict_of("`cp`", copied(wall)).word == word


def test_what_was_not_measured_is_neither() -> None:
    found = verdict_of("`cp`")
    assert (found.figure, found.word) == (None, "not measured")
    assert verdict_of("`cp`", case("a4", Row("penstock", note="failed (exit 1)"))).word == "not measured"


def test_too_few_rounds_are_told() -> None:
    assert verdict_of("`cp`", copied(1.0, 2)).word == "met, but too few rounds"


def test_cpu_and_memory_come_in_the_units_that_are_said() -> None:
    small = case("d-small-1", Row("penstock", samples("user", *[0.75] * 5)), files=10_000.0)
    assert verdict_of("user CPU a file", small).figure == pytest.approx(75)
    peak = case("f-million", Row("penstock", samples("memory", 119e6)))
    assert verdict_of("1,000,000", peak).figure == pytest.approx(119)
    share = case("g", Row("penstock", samples("share", 0.01, 0.03, 0.02)))
    assert verdict_of("verified", share).figure == pytest.approx(2)
    start = case("e", Row("penstock", samples("wall", 0.2)), Row("bare Python", samples("wall", 0.1)))
    assert verdict_of("one-byte", start).figure == pytest.approx(100)


def test_time_over_the_ideal_is_of_the_case_s_own_ideal() -> None:
    shaped = case("c-uneven-8", Row("penstock", samples("wall", *[4.2] * 5)), ideal=4.0)
    found = verdict_of("0.2 MB/s in turn), 8", shaped)
    assert found.figure == pytest.approx(1.05)
    assert found.word == "met"


def test_every_target_belongs_to_a_job() -> None:
    assert {target.case[0] for target in targets()} <= set(JOBS)
