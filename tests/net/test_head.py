"""Raw heads: what is a field's value and what is around it."""

from __future__ import annotations

import pytest

from penstock.core.disposition import as_utf8, filename
from penstock.net.transfer import parse_head

URL = "https://example.org/a"


@pytest.mark.parametrize("name", ["voilà", "Å"])
def test_a_value_keeps_a_last_letter_that_ends_like_a_space(name: str) -> None:
    raw = name.encode()
    head = parse_head([b"HTTP/1.1 200 OK\r\n", b"Content-Disposition: inline; filename=" + raw + b" \r\n"], URL)
    assert filename(head.get("content-disposition")) == name
    head = parse_head([b"HTTP/1.1 302 Found\r\n", b"Location:\t/" + raw + b"\r\n"], URL)
    assert as_utf8(head.get("location") or "") == f"/{name}"


@pytest.mark.parametrize("status", [b"9" * 5000, b"2", b"2000", b"+20", b"abc"])
def test_a_status_has_three_digits(status: bytes) -> None:
    assert parse_head([b"HTTP/1.1 " + status + b" OK\r\n"], URL).status == 0


def test_a_folded_line_belongs_to_the_field_above_it() -> None:
    head = parse_head([b"HTTP/1.1 200 OK\r\n", b"A:\r\n", b" b\r\n", b"\tc\r\n"], URL)
    assert head.headers == (("a", "b c"),)
