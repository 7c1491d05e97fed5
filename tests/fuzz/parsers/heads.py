"""Raw heads, and everything that is decided from one."""

from __future__ import annotations

from penstock.core import headers
from penstock.core.answer import judge_segment, plain, read_answer
from penstock.core.naming import choose_name
from penstock.core.ranges import Range
from penstock.core.redirects import follow
from penstock.model import Head, Representation
from penstock.net.transfer import parse_head
from tests.fuzz.parsers.names import is_safe
from tests.fuzz.target import Target

_URL = "https://e.org/a"
_KNOWN = Representation(length=1000, etag='"1"')


def head(data: bytes) -> None:
    raw = data.splitlines(keepends=True) or [b""]
    read = parse_head(raw, _URL)
    assert 0 <= read.status <= 999
    for name, value in read.headers:
        assert name
        assert name == name.lower().strip(" \t\r\n")
        assert value.strip(" \t\r\n") == value
    written = [raw[0], *(f"{name}: {value}\r\n".encode("latin-1") for name, value in read.headers)]
    assert parse_head(written, _URL).headers == read.headers
    _decide(read)
    for status in (200, 206, 302, 416, 503):
        _decide(Head(status, read.headers, _URL))


def _decide(read: Head) -> None:
    answer = read_answer(read, 1_800_000_000.0)
    judge_segment(answer, Range(10, 20), _KNOWN)
    follow(_URL, read, 0, max_redirects=20, allow_downgrade=False)
    usual = plain(read, 10)
    proof = headers.validator(read)
    assert usual is None or usual.validator == proof
    assert proof is None or not set(proof.value) & set("\r\n\0")
    known = headers.representation(read, None)
    assert is_safe(choose_name(disposition=known.disposition, url=_URL, media_type=known.media_type))


TARGETS = (
    Target(
        "head",
        head,
        (
            "HTTP/1.1 200 OK\r\n", "HTTP/2 206 \r\n", "HTTP/1.1 416\r\n", "HTTP/1.1 302 Found\r\n", "\r\n", "\n", ": ",
            "content-length: 10", "content-range: bytes 0-9/10", 'etag: "1"', 'etag: W/"1"', "location: /b", " folded",
            "last-modified: Sun, 06 Nov 1994 08:49:37 GMT", "date: Sun, 06 Nov 1994 08:59:37 GMT", "\tfolded", ":",
            "content-encoding: gzip", "content-type: multipart/byteranges", "transfer-encoding: chunked", "9" * 5000,
            "content-disposition: attachment; filename=a", "retry-after: 10", "repr-digest: md5=::", "\xa0", "\x85",
            "content-disposition: attachment; filename=voil\xe0", "\0", "HTTP/1.1 ", "\x0b", "\x1c", "a",
        ),
    ),
)  # fmt: skip
