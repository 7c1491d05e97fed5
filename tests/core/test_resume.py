"""Old bytes are kept only when something proves what they are of."""

from __future__ import annotations

import pytest

from penstock.core.answer import Partial, Refusal, Unsatisfied, Whole
from penstock.core.ranges import Range, RangeSet
from penstock.core.resume import (
    Continue,
    Record,
    Refuse,
    Restart,
    Trust,
    Unreadable,
    plan_resume,
    settle_resume,
)
from penstock.model import Representation, Validator

TAG = Validator("etag", '"1"')
RECORD = Record("http://e.org/a", 1000, TAG, '"1"', None, ((0, 100), (500, 600)))
NO_TRUST = Trust()
BARE = RECORD._replace(validator=None, etag=None)


def planned(
    record: Record | Unreadable | None, *, size: int = 1000, source: str = "http://e.org/a", trust: Trust = NO_TRUST
) -> Continue | Restart | Refuse:
    return plan_resume(record, source=source, part_size=size, trust=trust)


def test_F38_the_journal_is_believed() -> None:
    assert planned(RECORD) == Continue(RangeSet([(0, 100), (500, 600)]), TAG)


def test_nothing_found_is_a_silent_beginning() -> None:
    assert planned(None, size=0) == Restart("")


def test_F40_a_part_without_a_journal_is_not_believed() -> None:
    plan = planned(None, size=1000)
    assert isinstance(plan, Restart)
    assert plan.why


def test_F40_a_journal_that_cannot_be_believed_restarts_and_says_why() -> None:
    plan = planned(Unreadable("its checksum does not match"))
    assert isinstance(plan, Restart)
    assert "checksum" in plan.why


def test_F40_a_newer_journal_is_left_alone() -> None:
    assert isinstance(planned(Unreadable("format 2", newer=True)), Refuse)


def test_F40_another_url_is_refused_and_named() -> None:
    plan = planned(RECORD, source="http://other.org/a")
    assert isinstance(plan, Refuse)
    assert "http://e.org/a" in plan.why


def test_another_url_may_be_adopted_under_a_strong_etag_only() -> None:
    trust = Trust(adopt=True)
    assert isinstance(planned(RECORD, source="http://other.org/a", trust=trust), Continue)
    dated = RECORD._replace(validator=Validator("last-modified", "x"))
    assert isinstance(planned(dated, source="http://other.org/a", trust=trust), Refuse)


def test_another_url_s_empty_beginning_is_no_obstacle() -> None:
    assert planned(RECORD._replace(done=()), source="http://other.org/a") == Restart("")


@pytest.mark.parametrize(
    ("size", "done"), [(1000, [(0, 100), (500, 600)]), (550, [(0, 100), (500, 550)]), (50, [(0, 50)])]
)
def test_F41_bytes_that_are_not_there_are_not_claimed(size: int, done: list[tuple[int, int]]) -> None:
    assert planned(RECORD, size=size) == Continue(RangeSet(done), TAG)


def test_F41_a_part_that_went_missing_restarts_and_says_so() -> None:
    plan = planned(RECORD, size=0)
    assert isinstance(plan, Restart)
    assert plan.why


def test_F12_without_a_validator_only_proof_or_daring_keeps_bytes() -> None:
    plan = planned(BARE)
    assert isinstance(plan, Restart)
    assert "ETag" in plan.why
    assert isinstance(planned(BARE, trust=Trust(unsafe=True)), Continue)
    assert isinstance(planned(BARE, trust=Trust(proven_later=True)), Continue)


def test_F16_a_stream_of_unknown_size_cannot_be_continued() -> None:
    assert isinstance(planned(RECORD._replace(length=None)), Restart)


def answered(now: Representation) -> Partial:
    return Partial(Range(100, 500), now)


def test_an_answer_of_the_same_bytes_continues() -> None:
    settled = settle_resume(RECORD, answered(Representation(length=1000, etag='"1"')), strict=False)
    assert isinstance(settled, Continue)


@pytest.mark.parametrize(
    "now", [Representation(length=999, etag='"1"'), Representation(length=1000, etag='"2"'), Representation(etag='"1"')]
)
def test_F05_F13_a_206_of_other_bytes_restarts(now: Representation) -> None:
    settled = settle_resume(RECORD, answered(now), strict=False)
    assert isinstance(settled, Restart)


def test_F07_416_with_our_own_length_confirms() -> None:
    assert isinstance(settle_resume(RECORD, Unsatisfied(1000, Representation(length=1000)), strict=False), Continue)


def test_F08_416_with_another_length_restarts() -> None:
    assert isinstance(settle_resume(RECORD, Unsatisfied(50, Representation(length=50)), strict=False), Restart)


def test_a_200_of_the_same_bytes_keeps_what_is_there() -> None:
    settled = settle_resume(RECORD, Whole(Representation(length=1000, etag='"1"')), strict=False)
    assert isinstance(settled, Continue)


def test_F18_a_compressed_200_does_not() -> None:
    settled = settle_resume(RECORD, Whole(Representation(etag='"1"', encoded=True)), strict=False)
    assert isinstance(settled, Restart)


def test_adopted_bytes_need_the_etag_repeated() -> None:
    assert isinstance(settle_resume(RECORD, answered(Representation(length=1000)), strict=True), Restart)
    assert isinstance(settle_resume(RECORD, answered(Representation(length=1000, etag='"1"')), strict=True), Continue)


def test_a_refusal_says_nothing_about_old_bytes() -> None:
    assert settle_resume(RECORD, Refusal(503, None), strict=False) is None
