"""Header fields are read strictly, and nothing a server sends raises."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.headers import (
    ContentRange,
    conflicting_lengths,
    content_length,
    content_range,
    http_date,
    media_type,
    representation,
    retry_after,
    validator,
)
from penstock.core.ranges import Range
from penstock.model import Digest, Head, Representation, Validator

OLD = "Mon, 01 Jan 2024 00:00:00 GMT"


def head(**fields: str) -> Head:
    return Head(200, tuple((name.replace("_", "-"), value) for name, value in fields.items()))


@given(st.integers(0, 2**62), st.integers(1, 2**40), st.integers(0, 2**40))
def test_F30_content_range_reads_what_a_server_writes(start: int, size: int, more: int) -> None:
    stop, total = start + size, start + size + more
    assert content_range(f"bytes {start}-{stop - 1}/{total}") == ContentRange(Range(start, stop), total)
    assert content_range(f"bytes {start}-{stop - 1}/*") == ContentRange(Range(start, stop), None)
    assert content_range(f"bytes */{total}") == ContentRange(None, total)


@pytest.mark.parametrize(
    "value",
    [
        None, "", "bytes", "bytes 0-1", "bytes 1-0/5", "bytes 0-5/5", "bytes +0-1/5", "bytes 0-1/-5",
        "items 0-1/5", "bytes 0-1/5, bytes 2-3/5", "\x0bbytes 0-1/5", "bytes\t0-1/5", "bytes 0-1/5\u00a0",
        "bytes 0 - 1/5", "bytes */*", "bytes 0-18446744073709551615/*", f"bytes 0-1/{2**63}", "bytes ٠-١/5",
        "bytes 0x0-0x1/5", "bytes 0-1/5 junk", "bytes=0-1/5",
    ],
)  # fmt: skip
def test_F03_S24_anything_else_is_no_content_range(value: str | None) -> None:
    assert content_range(value) is None


@pytest.mark.parametrize(
    ("values", "length"),
    [
        (["5"], 5), (["5", "5"], 5), (["5, 5"], 5), ([], None), (["5", "6"], None), (["+5"], None), (["-5"], None),
        ([""], None), (["5.0"], None), ([str(2**63 - 1)], 2**63 - 1), ([str(2**63)], None), ([str(2**64)], None),
        (["٥"], None), (["0"], 0), (["\u00a05"], None), ([" 5\t"], 5), (["5", ""], None),
    ],
)  # fmt: skip
def test_S24_content_length(values: list[str], length: int | None) -> None:
    assert content_length(values) == length
    assert conflicting_lengths(values) == (bool(values) and length is None)


@given(st.integers(0, 4_000_000_000))
def test_an_http_date_in_each_of_its_forms(at: int) -> None:
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(at, UTC)
    assert http_date(formatdate(at, usegmt=True)) == at
    assert http_date(moment.strftime("%a %b %e %H:%M:%S %Y")) == at
    if 1970 <= moment.year < 2070:
        assert http_date(moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")) == at


def test_F22_retry_after_in_both_forms() -> None:
    assert retry_after("120", 0) == 120
    assert retry_after(formatdate(1_000_060, usegmt=True), 1_000_000) == 60
    assert retry_after(formatdate(999_000, usegmt=True), 1_000_000) == 0
    assert retry_after("9" * 400, 0) is not None
    assert retry_after("0" * 30 + "120", 0) == 120
    assert retry_after("000", 0) == 0
    assert retry_after("Fri, 31 Dec 9999 23:59:59 GMT", 0) == 253402300799
    for bad in (None, "", "soon", "-1", "1.5", "٣", "Mon, 99 Foo 2024 00:00:00 GMT"):
        assert retry_after(bad, 0) is None


@given(st.text(max_size=100))
def test_nothing_raises(text: str) -> None:
    content_range(text)
    content_length([text])
    http_date(text)
    retry_after(text, 0.0)
    media_type(text)
    representation(head(etag=text, last_modified=text, content_disposition=text, repr_digest=text, date=text), None)


def test_F10_a_strong_etag_validates_and_a_weak_one_does_not() -> None:
    assert validator(head(etag='"abc"')) == Validator("etag", '"abc"')
    for weak in ('W/"abc"', "abc", "'abc'", '"a"b"', ""):
        assert validator(head(etag=weak)) is None


def test_F10_a_weak_etag_falls_back_to_a_strong_date() -> None:
    fields = head(etag='W/"x"', last_modified=OLD, date="Mon, 01 Jan 2024 00:10:00 GMT")
    assert validator(fields) == Validator("last-modified", OLD)


@pytest.mark.parametrize(
    ("date", "strong"),
    [
        ("Mon, 01 Jan 2024 00:01:00 GMT", True),
        ("Mon, 01 Jan 2024 00:00:59 GMT", False),
        ("Sun, 31 Dec 2023 00:00:00 GMT", False),
        ("whenever", False),
    ],
)
def test_F11_a_date_is_strong_a_minute_later(date: str, strong: bool) -> None:
    assert (validator(head(last_modified=OLD, date=date)) is not None) == strong


def test_F11_without_a_date_it_is_weak() -> None:
    assert validator(head(last_modified=OLD)) is None


def test_a_media_type_loses_its_parameters() -> None:
    assert media_type("Text/HTML; charset=utf-8") == "text/html"
    assert media_type("nonsense") is None


def test_F18_an_encoded_representation_is_known() -> None:
    assert representation(head(content_encoding="gzip"), None).encoded
    assert not representation(head(content_encoding="identity"), None).encoded


@pytest.mark.parametrize(
    "date",
    [
        "Thu, 31 Apr 2024 00:00:00 GMT", "Wed, 29 Feb 2023 00:00:00 GMT", "Mon, 00 Jan 2024 00:00:00 GMT",
        "Mon, 01 Jan 2024 24:00:00 GMT", "Mon, 01 Jan 2024 00:60:00 GMT", "Mon, 01 Jan 2024 00:00:61 GMT",
        "Mon, 01 Jan 0050 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 CET", "Mon, 01 Foo 2024 00:00:00 GMT",
        "Mon, 01 Jan 2024 00:00:00 GMT, Mon, 01 Jan 2024 00:00:00 GMT", "Mon, 0١ Jan 2024 00:00:00 GMT",
    ],
)  # fmt: skip
def test_a_date_that_no_calendar_has_is_none(date: str) -> None:
    assert http_date(date) is None


def test_leap_days_and_leap_seconds_are_dates() -> None:
    assert http_date("Thu, 29 Feb 2024 00:00:00 GMT") == 1709164800
    assert http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1483228800


def test_F06_several_ranges_in_one_answer_are_known_by_their_media_type() -> None:
    assert media_type("multipart/byteranges; boundary=THIS") == "multipart/byteranges"


def test_F10_two_different_etags_validate_nothing() -> None:
    assert validator(Head(200, (("etag", '"a"'), ("etag", '"b"')))) is None


def test_of_two_dispositions_the_first_counts() -> None:
    fields = tuple(("content-disposition", f"attachment; filename={name}") for name in ("a.txt", "b.txt"))
    assert representation(Head(200, fields), None).disposition == "attachment; filename=a.txt"


def test_a_representation_has_all_that_the_head_says() -> None:
    fields = head(
        etag='W/"x"',
        last_modified=OLD,
        date="Mon, 01 Jan 2024 00:01:00 GMT",
        content_type="Text/Plain; charset=utf-8",
        content_disposition="attachment; filename=../a",
        content_md5="jXd/OF09/siBXSD3SWAm3A==",
    )
    assert representation(fields, 4) == Representation(
        length=4,
        validator=Validator("last-modified", OLD),
        etag='W/"x"',
        last_modified=OLD,
        media_type="text/plain",
        encoded=False,
        digests=(Digest("md5", bytes.fromhex("8d777f385d3dfec8815d20f7496026dc")),),
        disposition="attachment; filename=../a",
    )


def test_S24_a_letter_that_only_folds_to_another_is_not_that_letter() -> None:
    assert content_range("byte\u017f 0-1/5") is None
