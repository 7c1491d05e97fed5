"""Programs take turns; who fails is out, unless it persists."""

from __future__ import annotations

import pytest
from bench.process import OUT_OF_TIME, Run
from bench.results import Sample
from bench.rounds import Entry, RoundFailedError, play, sample_of


def test_programs_take_turns_and_the_first_turn_goes_round() -> None:
    calls: list[str] = []

    def step(name: str) -> Sample:
        calls.append(name)
        return {"wall": float(len(calls))}

    entries = [Entry("a", lambda: step("a"), 2), Entry("b", lambda: step("b"), 2), Entry("c", None, note="cannot")]
    rows = play(entries, warm_up=1)
    assert calls == ["a", "b", "a", "b", "b", "a"]
    assert [row.samples for row in rows] == [({"wall": 3.0}, {"wall": 6.0}), ({"wall": 4.0}, {"wall": 5.0}), ()]
    assert rows[2].note == "cannot"


def test_a_program_that_failed_has_no_more_rounds() -> None:
    def fail() -> Sample:
        raise RoundFailedError("too slow")

    [out, ours] = play([Entry("a", fail, 3), Entry("ours", fail, 3, persists=True)], warm_up=0)
    assert (out.samples, out.note) == (({},), "too slow")
    assert (ours.samples, ours.note) == (({}, {}, {}), "too slow")


def test_fewer_rounds_are_the_first_ones() -> None:
    [few, many] = play([Entry("few", lambda: {"wall": 1.0}, 1), Entry("many", lambda: {"wall": 1.0}, 3)], warm_up=0)
    assert (len(few.samples), len(many.samples)) == (1, 3)


@pytest.mark.parametrize(("code", "words"), [(OUT_OF_TIME, "too slow"), (7, "exit 7")])
def test_a_run_that_did_not_end_well_is_no_sample(code: int, words: str) -> None:
    with pytest.raises(RoundFailedError, match=words):
        sample_of(Run(1.0, 0.0, 0.5, 0.5, 1, code), 5.0)
