"""What an answer to a range request means, and which bytes may be used."""

from __future__ import annotations

import pytest

from penstock.core.answer import (
    Accept,
    Broken,
    Changed,
    Partial,
    Refusal,
    Reject,
    Turned,
    Unsatisfied,
    Whole,
    difference,
    judge_segment,
    read_answer,
)
from penstock.core.ranges import Range
from penstock.model import Head, Representation

KNOWN = Representation(length=1000, etag='"1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT")
ASKED = Range(100, 200)


def head(status: int, **fields: str) -> Head:
    return Head(status, tuple((name.replace("_", "-"), value) for name, value in fields.items()))


def judged(status: int, **fields: str) -> object:
    return judge_segment(read_answer(head(status, **fields), 0.0), ASKED, KNOWN)


def test_what_was_asked_for_is_accepted() -> None:
    assert judged(206, content_range="bytes 100-199/1000", etag='"1"') == Accept(200)


def test_F04_a_shorter_range_is_accepted_for_what_it_is() -> None:
    assert judged(206, content_range="bytes 100-149/1000") == Accept(150)


def test_F15_a_longer_range_is_cut_to_what_was_asked() -> None:
    assert judged(206, content_range="bytes 100-999/1000") == Accept(200)


@pytest.mark.parametrize("value", ["", "bytes 100-199", "bytes 199-100/1000", "bytes 100-1000/1000", "bytes */1000"])
def test_F03_206_without_a_valid_content_range_is_refused(value: str) -> None:
    assert isinstance(judged(206, content_range=value), Reject)


def test_F03_another_range_than_asked_is_refused() -> None:
    assert isinstance(judged(206, content_range="bytes 0-99/1000"), Reject)


def test_F02_200_of_the_same_file_means_that_ranges_are_lost() -> None:
    verdict = judged(200, content_length="1000", etag='"1"')
    assert isinstance(verdict, Reject)
    assert verdict.no_ranges


def test_F02_200_of_another_file_means_that_it_changed() -> None:
    assert isinstance(judged(200, content_length="1000", etag='"2"'), Changed)
    assert isinstance(judged(200, content_length="999", etag='"1"'), Changed)


@pytest.mark.parametrize(
    "fields",
    [
        {"content_range": "bytes 100-199/1001", "etag": '"1"'},
        {"content_range": "bytes 100-199/1000", "etag": '"2"'},
        {"content_range": "bytes 100-199/1000", "etag": 'W/"1"'},
        {"content_range": "bytes 100-199/1000", "last_modified": "Mon, 01 Jan 2024 00:00:01 GMT"},
    ],
)
def test_F05_another_total_or_validator_means_that_it_changed(fields: dict[str, str]) -> None:
    assert isinstance(judged(206, **fields), Changed)


def test_F06_multipart_is_refused_for_good() -> None:
    verdict = judged(206, content_type="multipart/byteranges; boundary=x", content_range="bytes 100-199/1000")
    assert isinstance(verdict, Reject)
    assert verdict.no_ranges


def test_F08_416_because_the_file_shrank() -> None:
    assert isinstance(judged(416, content_range="bytes */50"), Changed)
    assert isinstance(judged(416, content_range="bytes */1000"), Reject)


def test_F18_a_range_of_a_compressed_form_is_refused_for_good() -> None:
    verdict = judged(206, content_range="bytes 100-199/1000", content_encoding="gzip")
    assert isinstance(verdict, Reject)
    assert verdict.no_ranges


def test_F18_the_length_of_a_compressed_form_says_nothing_about_ours() -> None:
    answer = read_answer(head(200, content_length="10", content_encoding="gzip"), 0.0)
    assert isinstance(answer, Whole)
    assert (answer.representation.encoded, answer.representation.length) == (True, None)


def test_F16_a_chunked_body_has_no_length() -> None:
    answer = read_answer(head(200, content_length="10", transfer_encoding="chunked"), 0.0)
    assert isinstance(answer, Whole)
    assert answer.representation.length is None


def test_F22_a_refusal_carries_its_retry_after() -> None:
    assert read_answer(head(503, retry_after="7"), 0.0) == Refusal(503, 7.0)
    assert judged(429) == Turned(Refusal(429, None))


@pytest.mark.parametrize("ours", [0.0, 1704067200.0, 4e9])
def test_F22_F43_a_date_in_retry_after_is_read_by_the_server_s_own_clock(ours: float) -> None:
    later = "Mon, 01 Jan 2024 00:00:07 GMT"
    assert read_answer(head(503, date="Mon, 01 Jan 2024 00:00:00 GMT", retry_after=later), ours) == Refusal(503, 7.0)


def test_F22_without_a_date_of_the_server_s_ours_must_do() -> None:
    later = "Mon, 01 Jan 2024 00:00:07 GMT"
    assert read_answer(head(503, retry_after=later), 1704067200.0) == Refusal(503, 7.0)


def test_F29_an_empty_file_has_no_range() -> None:
    answer = read_answer(head(416, content_range="bytes */0"), 0.0)
    assert isinstance(answer, Unsatisfied)
    assert answer.total == 0


@pytest.mark.parametrize("lengths", [("5", "6"), ("+5",), ("-5",), ("5x",), ("18446744073709551616",), ("5, 6",)])
def test_S24_conflicting_lengths_are_refused(lengths: tuple[str, ...]) -> None:
    fields = tuple(("content-length", length) for length in lengths)
    assert isinstance(read_answer(Head(200, fields), 0.0), Broken)


def test_an_unknown_total_is_unknown() -> None:
    answer = read_answer(head(206, content_range="bytes 0-99/*"), 0.0)
    assert isinstance(answer, Partial)
    assert answer.representation.length is None


def test_a_missing_validator_shows_no_difference() -> None:
    assert difference(KNOWN, Representation(length=1000)) is None
    assert difference(KNOWN, Representation(etag='"1"', last_modified="another")) is None
