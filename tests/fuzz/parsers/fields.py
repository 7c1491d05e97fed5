"""Header fields: every value is read into something sound, or not at all."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from email.utils import formatdate
from urllib.parse import quote

from penstock.core import digests, headers
from penstock.core.disposition import filename
from penstock.core.naming import choose_name
from penstock.model import Digest, Head
from tests.fuzz.parsers.names import is_safe
from tests.fuzz.target import Target, as_header, as_typed, only_refused

#: The last second of the year 9999, of which `formatdate` can still speak.
_LAST_SECOND = 253402300799
_FIELDS = ("repr-digest", "content-digest", "digest", "content-md5")


def content_range(data: bytes) -> None:
    said = headers.content_range(as_header(data))
    if said is None:
        return
    total = "*" if said.total is None else said.total
    if said.range is None:
        written = f"bytes */{total}"
    else:
        start, stop = said.range
        assert 0 <= start < stop <= (headers.MAX_LENGTH if said.total is None else said.total)
        written = f"bytes {start}-{stop - 1}/{total}"
    assert said.total is None or 0 <= said.total <= headers.MAX_LENGTH
    assert headers.content_range(written) == said


def content_length(data: bytes) -> None:
    values = as_header(data).split("\n")
    length = headers.content_length(values)
    assert headers.conflicting_lengths(values) == (length is None)
    if length is not None:
        assert 0 <= length <= headers.MAX_LENGTH
        assert headers.content_length([str(length)]) == length
        assert all(int(part) == length for value in values for part in value.split(","))


def http_date(data: bytes) -> None:
    at = headers.http_date.__wrapped__(as_header(data))
    if at is None:
        return
    assert at.is_integer()
    [(hour, minute, second)] = re.findall(r"(\d\d):(\d\d):(\d\d)", as_header(data))
    assert int(hour) < 24
    assert int(minute) < 60
    assert int(second) <= 60
    assert at % 86400 == (int(hour) * 3600 + int(minute) * 60 + int(second)) % 86400
    if at <= _LAST_SECOND:
        assert headers.http_date.__wrapped__(formatdate(at, usegmt=True)) == at


def retry_after(data: bytes) -> None:
    value = as_header(data)
    now = 1_800_000_000.5
    seconds = headers.retry_after(value, now)
    if seconds is None:
        return
    assert 0 <= seconds < math.inf
    if value.strip(" \t").isdigit():
        assert seconds == min(float(value), seconds)
    else:
        at = headers.http_date(value.strip(" \t"))
        assert at is not None
        assert seconds == max(0.0, at - now)


def digest_fields(data: bytes) -> None:
    lines = as_header(data).split("\n")
    fields = tuple((_FIELDS[number % 4], line) for number, line in enumerate(lines))
    for status in (200, 206):
        found = digests.from_head(Head(status, fields))
        assert len(set(found)) == len(found)
        for digest in found:
            assert len(digest.value) == hashlib.new(digest.algorithm).digest_size
            assert digest == _written_and_read(digest)


def _written_and_read(digest: Digest) -> Digest:
    names = {"sha1": "sha", "md5": "md5"}
    name = names.get(digest.algorithm, digest.algorithm.replace("sha", "sha-"))
    value = f"{name}=:{base64.b64encode(digest.value).decode()}:"
    [read] = digests.from_head(Head(206, (("repr-digest", value),)))
    return read


def checksum(data: bytes) -> None:
    with only_refused():
        digest = digests.parse_checksum(as_typed(data))
        assert digest.value
        assert digests.parse_checksum(str(digest)) == digest


def disposition(data: bytes) -> None:
    value = as_header(data)
    name = filename(value)
    assert name is None or name
    chosen = choose_name(disposition=value, url="https://e.org/", media_type=None)
    assert is_safe(chosen), chosen
    # what a server writes by RFC 6266 is read as it was meant
    meant = data[:200].decode("utf-8", "ignore")
    if meant:
        assert filename(f"attachment; filename=plain; filename*=UTF-8''{quote(meant)}") == meant
    raw = meant.strip(" \t\r\n").translate(dict.fromkeys(map(ord, '"\\;%=')))
    if raw.strip() == raw and raw and not raw.isascii():
        assert filename(f"attachment; filename={raw.encode().decode('latin-1')}") == raw


_NUMBERS = ("0", "1", "9223372036854775807", "9223372036854775808", "00", "-1", "+5", "\xb2", "\u0663")
TARGETS = (
    Target("content-range", content_range, ("bytes ", "bytes", "-", "/", "*", " ", "\t", ",", "=", *_NUMBERS)),
    Target("content-length", content_length, (",", " ", "\n", "\t", "0x1", "1_0", *_NUMBERS)),
    Target(
        "http-date",
        http_date,
        (
            "Sun", ", ", "06", " ", "Nov", "Feb", "29", "1994", "08:49:37", "23:59:60", " GMT", "Sunday", "-", "94",
            "0001", "9999", "1900", "Sun Nov  6 08:49:37 1994", ":", "\xb2",
        ),
    ),
    Target(
        "retry-after",
        retry_after,
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", " ", "1e9", ".5", "120", *_NUMBERS),
    ),
    Target(
        "digest-fields",
        digest_fields,
        (
            "sha-256=:", "sha-512=:", "md5=", "sha=", "SHA-256=", ":", ",", ";", " ", "=", "\n", "*", "a=1", "\xe4",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "1B2M2Y8AsgTpgAmY7PhCfg==", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        ),
    ),
    Target(
        "checksum",
        checksum,
        (
            "sha-256", "sha256", "md5", "sha3_256", "blake2b", "shake_128", ":", "=", " ", "-", "_", "d41d8cd98f00b204",
            "e9800998ecf8427e", "0" * 64, "0" * 40, "0" * 56, "0" * 96, "0" * 128, "\n", "\u212a", "\x1b",
        ),
    ),
    Target(
        "disposition",
        disposition,
        (
            "attachment", ";", " ", "filename", "filename*", "=", '"', "\\", "UTF-8''", "iso-8859-1'en'", "%e2%82%ac",
            "%2e%2e%2f", "%00", "=?utf-8?b?", "=?utf-8?q?", "?=", "4oKs", "filename*0", "filename*1*", "../", "/",
            "a.txt", "\xe0", "\x85", "\xa0", "\t", "\r\n", "'", ".part", "con", "_", "=20", "..",
        ),
    ),
)  # fmt: skip
