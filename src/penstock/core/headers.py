"""Header fields, strictly: a value, or None for anything that is malformed. Nothing here raises on server input."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from penstock.core import digests
from penstock.core.ranges import Range
from penstock.model import Head, Representation, Validator

#: The largest offset a signed 64-bit file offset holds.
MAX_LENGTH: Final = 2**63 - 1
#: A Last-Modified this close to Date may hide a second change within the same second (RFC 9110 §8.8.2.2).
STRONG_AFTER_SECONDS: Final = 60.0

_CONTENT_RANGE: Final = re.compile(r"(?ai)bytes (?:([0-9]{1,19})-([0-9]{1,19})|\*)/([0-9]{1,19}|\*)")
_DIGITS: Final = re.compile(r"[0-9]{1,19}")
#: Optional whitespace around a field's value (RFC 9110 §5.6.3); `str.strip` alone would take far more.
_OWS: Final = " \t"
_ETAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_MEDIA_TYPE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1
    )
}
_DATES: Final = (
    re.compile(r"[a-z]{3}, (?P<d>\d{1,2}) (?P<m>[a-z]{3}) (?P<y>\d{4}) (?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d) gmt"),
    re.compile(r"[a-z]{6,9}, (?P<d>\d\d)-(?P<m>[a-z]{3})-(?P<y>\d\d) (?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d) gmt"),
    re.compile(r"[a-z]{3} (?P<m>[a-z]{3}) (?P<d>[ \d]\d) (?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d) (?P<y>\d{4})"),
)


class ContentRange(NamedTuple):
    """`range` is None for ``*/N``, `total` is None for ``.../*``."""

    range: Range | None
    total: int | None


def content_range(value: str | None) -> ContentRange | None:
    """Content-Range of a 206 or 416 (RFC 9110 §14.4), or None when it is missing or makes no sense."""
    match = _CONTENT_RANGE.fullmatch(value.strip(_OWS)) if value is not None else None
    if match is None:
        return None
    first, last, total = match.groups()
    length = None if total == "*" else int(total)
    if length is not None and length > MAX_LENGTH:
        return None
    if first is None:
        return None if length is None else ContentRange(None, length)
    start, stop = int(first), int(last) + 1
    if start >= stop or stop > (MAX_LENGTH if length is None else length):
        return None
    return ContentRange(Range(start, stop), length)


def _lengths(values: Sequence[str]) -> set[int | None]:
    parts = [part.strip(_OWS) for value in values for part in value.split(",")]
    return {_length(part) for part in parts}


def _length(text: str) -> int | None:
    if not _DIGITS.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_LENGTH else None


def content_length(values: Sequence[str]) -> int | None:
    """Content-Length from all its field lines: equal copies count once (RFC 9110 §8.6), anything odd is None."""
    if len(values) == 1 and _DIGITS.fullmatch(values[0]):
        return _length(values[0])  # as nearly all are
    lengths = _lengths(values)
    return next(iter(lengths)) if len(lengths) == 1 else None


def conflicting_lengths(values: Sequence[str]) -> bool:
    """True when there are several different lengths, or one that is no length: such an answer must not be used."""
    return bool(values) and content_length(values) is None


@lru_cache(maxsize=256)
def http_date(value: str | None) -> float | None:
    """An HTTP-date in any of its three forms (RFC 9110 §5.6.7) as seconds since the epoch."""
    if value is None or len(value) > 64 or not value.isascii():
        return None
    text = value.strip(_OWS).lower()
    match = next((found for form in _DATES if (found := form.fullmatch(text))), None)
    month = _MONTHS.get(match["m"]) if match is not None else None
    if match is None or month is None:
        return None
    year = int(match["y"])
    if len(match["y"]) == 2:  # the nearest century for file dates
        year += 2000 if year < 70 else 1900
    day, hour, minute, second = (int(match[key]) for key in "dHMS")
    if year < 1900 or not 1 <= day <= _days_in(year, month) or hour > 23 or minute > 59 or second > 60:
        return None
    days = _days_since_epoch(year, month, day)
    return float(((days * 24 + hour) * 60 + minute) * 60 + second)


def _days_in(year: int, month: int) -> int:
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    return _days_since_epoch(*following, 1) - _days_since_epoch(year, month, 1)


def _days_since_epoch(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that leap days come last."""
    year -= month <= 2
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719469


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait from `now` (since the epoch), from either form of Retry-After; 0.0 for a date gone by."""
    if value is None:
        return None
    text = value.strip(_OWS)
    if text.isascii() and text.isdigit():
        return float(text.lstrip("0")[:18] or "0")  # 18 digits are longer than anyone waits, and never overflow
    at = http_date(text)
    return None if at is None else max(0.0, at - now)


@lru_cache(maxsize=256)
def media_type(value: str | None) -> str | None:
    """``type/subtype`` in lower case, without parameters."""
    essence = value.partition(";")[0].strip(_OWS) if value is not None else ""
    return essence.lower() if _MEDIA_TYPE.fullmatch(essence) else None


def validator(head: Head) -> Validator | None:
    """What proves identity for If-Range: a strong ETag, else a Last-Modified that is strong (RFC 9110 §8.8.2.2)."""
    tag = head.get("etag")
    if tag is not None and _ETAG.fullmatch(tag) and not tag.startswith("W/"):
        return Validator("etag", tag)
    modified = head.get("last-modified")
    at, date = http_date(modified), http_date(head.get("date"))
    if modified is not None and at is not None and date is not None and date - at >= STRONG_AFTER_SECONDS:
        return Validator("last-modified", modified)
    return None


def is_validator(kind: str, value: str) -> bool:
    """True for a value of If-Range as `validator` would give it."""
    if kind == "etag":
        return _ETAG.fullmatch(value) is not None and not value.startswith("W/")
    return http_date(value) is not None


def is_encoded(head: Head) -> bool:
    """True when a content coding was applied although identity was asked for."""
    field = head.get("content-encoding")
    if field is None:
        return False
    codings = field.lower().split(",")
    return any(coding.strip() not in {"", "identity"} for coding in codings)


def representation(head: Head, length: int | None) -> Representation:
    """All that a response's head says of the representation; its `length` in bytes is found elsewhere.

    Of several Content-Disposition lines the first counts: joined they would be one that nobody sent.
    """
    return Representation(
        length=length,
        validator=validator(head),
        etag=head.get("etag"),
        last_modified=head.get("last-modified"),
        media_type=media_type(head.get("content-type")),
        encoded=is_encoded(head),
        digests=digests.from_head(head),
        disposition=next(iter(head.all("content-disposition"))) if head.get("content-disposition") else None,
    )
