"""What an answer to a range request means (RFC 9110 §14, §15.3.7, §15.5.17), and whether its bytes may be used."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from penstock.core import digests
from penstock.core.headers import (
    conflicting_lengths,
    content_length,
    content_range,
    http_date,
    is_encoded,
    media_type,
    representation,
    validator,
)
from penstock.core.headers import retry_after as parse_retry_after
from penstock.core.ranges import Range
from penstock.core.urls import escape
from penstock.model import Head, Representation, Validator

#: Fields for which `plain` leaves an answer to `read_answer`.
_UNUSUAL: Final = digests.FIELDS | {"content-encoding", "transfer-encoding"}


class Partial(NamedTuple):
    """206: `range` of the representation. Its `length` is the total, None when the server hides it."""

    range: Range
    representation: Representation


class Whole(NamedTuple):
    """200: the body is everything, from byte zero."""

    representation: Representation


class Unsatisfied(NamedTuple):
    """416: no byte of the asked range exists. `total` is the length, when told."""

    total: int | None
    representation: Representation


class Broken(NamedTuple):
    """The bytes must not be used. `no_ranges` when asking for a range again would end the same way."""

    why: str
    no_ranges: bool = False


class Refusal(NamedTuple):
    """Any other status. `retry_after` in seconds, if the server said."""

    status: int
    retry_after: float | None


class Plain(NamedTuple):
    """What there is to know of a file that came whole, and of which nothing needs a closer look."""

    validator: Validator | None
    media_type: str | None
    last_modified: str | None


Answer: TypeAlias = Partial | Whole | Unsatisfied | Broken | Refusal


def read_answer(head: Head, now: float) -> Answer:
    """Sort a final response that is not a redirect; `now` is Unix time in seconds, for Retry-After dates of servers
    that send no Date."""
    if head.status == 206:
        return _read_partial(head)
    if head.status == 200:
        if conflicting_lengths(head.all("content-length")):
            return Broken("conflicting Content-Length fields")
        return Whole(representation(head, _whole_length(head)))
    if head.status == 416:
        said = content_range(head.get("content-range"))
        total = said.total if said is not None else None
        return Unsatisfied(total, representation(head, total))
    # by the server's own clock, if it tells the time: ours may be wrong by a day, and may have jumped
    told = http_date(head.get("date"))
    return Refusal(head.status, parse_retry_after(head.get("retry-after"), now if told is None else told))


def plain(head: Head, received: int) -> Plain | None:
    """The usual answer to a request for all of a small file, at a fraction of the cost of `read_answer`: the `received`
    bytes are all there is, as they are. None for whatever needs a closer look."""
    if head.status == 206:
        if head.get("content-range") != f"bytes 0-{received - 1}/{received}":
            return None
    elif head.status != 200 or head.get("content-length") != str(received):
        return None
    kind = media_type(head.get("content-type"))
    if not _UNUSUAL.isdisjoint(head.fields) or kind == "multipart/byteranges":
        return None
    return Plain(validator(head), kind, head.get("last-modified"))


def _read_partial(head: Head) -> Answer:
    if media_type(head.get("content-type")) == "multipart/byteranges":
        return Broken("multipart/byteranges in answer to one range", no_ranges=True)
    said = content_range(head.get("content-range"))
    if said is None or said.range is None:
        return Broken("206 without a valid Content-Range")  # RFC 9110 §15.3.7
    whole = representation(head, said.total)
    if whole.encoded:
        return Broken("a range of a compressed form", no_ranges=True)
    return Partial(said.range, whole)


def _whole_length(head: Head) -> int | None:
    if head.get("transfer-encoding") is not None or is_encoded(head):
        return None
    return content_length(head.all("content-length"))


def difference(was: Representation, now: Representation) -> str | None:
    """What shows that two answers are not of the same bytes, in words; None when nothing does."""
    if was.length is not None and now.length is not None and was.length != now.length:
        return f"its size was {was.length} bytes and is now {now.length}"
    if was.etag is not None and now.etag is not None:
        if was.etag != now.etag:
            return f"its ETag was {escape(was.etag)} and is now {escape(now.etag)}"
        return None
    if was.last_modified is not None and now.last_modified is not None and was.last_modified != now.last_modified:
        before, after = escape(was.last_modified), escape(now.last_modified)
        return f"its Last-Modified was {before} and is now {after}"
    return None


class Accept(NamedTuple):
    """The bytes are what was asked for, up to `stop`; it may be less than asked."""

    stop: int


class Reject(NamedTuple):
    """The bytes are not what was asked for: count it against the source."""

    why: str
    no_ranges: bool = False


class Changed(NamedTuple):
    """The file on the server is another one now."""

    why: str


class Turned(NamedTuple):
    """The server turned the request away with a status."""

    refusal: Refusal


def judge_segment(answer: Answer, asked: Range, known: Representation) -> Accept | Reject | Changed | Turned:
    """May the answer to a later segment's request be written at its place?"""
    match answer:
        case Refusal():
            return Turned(answer)
        case Broken(why, no_ranges):
            return Reject(why, no_ranges)
        case Unsatisfied(total, _):
            if total is not None and total == known.length:
                return Reject(f"416 for bytes that exist ({asked.start} to {asked.stop} of {total})")
            return Changed(f"its size was {known.length} bytes and is now {'smaller' if total is None else total}")
        case Whole(now):
            moved = difference(known, now)
            return Changed(moved) if moved else Reject("200 instead of the range: it no longer serves ranges", True)
        case Partial(got, now):
            moved = difference(known, now)
            if moved:
                return Changed(moved)
            if got.start != asked.start:
                return Reject(f"206 for byte {got.start} instead of {asked.start}")
            return Accept(min(got.stop, asked.stop))
