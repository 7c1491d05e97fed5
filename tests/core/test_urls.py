"""URLs are checked before they are used, and cleaned before they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.urls import (
    check,
    check_header,
    escape,
    identity,
    last_segment,
    origin,
    redact,
    strip_userinfo,
    userinfo,
)
from penstock.errors import InvalidRequest
from penstock.model import Origin


@pytest.mark.parametrize(
    ("given_url", "normal"),
    [
        ("http://e.org/a", "http://e.org/a"),
        ("HTTP://E.ORG/A", "http://e.org/A"),
        ("http://e.org", "http://e.org/"),
        ("http://e.org:80/", "http://e.org/"),
        ("https://e.org:443/", "https://e.org/"),
        ("http://e.org:8080/", "http://e.org:8080/"),
        ("http://e.org/a b", "http://e.org/a%20b"),
        ("http://e.org/ä?ö=ü", "http://e.org/%C3%A4?%C3%B6=%C3%BC"),
        ("http://e.org/a%20b%zz", "http://e.org/a%20b%zz"),
        ("http://e.org/a#frag", "http://e.org/a"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://u:p@e.org/", "http://u:p@e.org/"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ("http://[fe80::1%25eth0]/a", "http://[fe80::1%25eth0]/a"),
        ("e.org/a", "https://e.org/a"),
        ("localhost:8080/a", "https://localhost:8080/a"),
        (" http://e.org/a ", "http://e.org/a"),
        ("http://e.org/?a=b&c=[d]", "http://e.org/?a=b&c=[d]"),
    ],
)
def test_normal_form(given_url: str, normal: str) -> None:
    assert check(given_url) == normal
    assert check(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "", "a", "file:///etc/passwd", "ftp://e.org/", "gopher://e.org/", "dict://e.org", "smb://e.org/a",
        "javascript:alert(1)", "http://", "http:///a", "http://e.org:99999/", "http://e.org:0/", "http://e.org:x/",
        "http://e.org/\r\nHost: evil", "http://e.org/\0", "http://e.org/\ta", "http://[::1", "http://[zz]/",
        "http://e org/", "http://\u202e.org/", "http://" + "a" * 70_000, "http://e.org/" + "a" * 70_000,
        "/etc/passwd", "C:\\a", "http:e.org",
    ],
)  # fmt: skip
def test_S07_S08_anything_else_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check(url)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 600


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    messages: list[str] = []
    for url in (text, "http://" + text, "http://e.org/" + text, "http://e.org/?" + text, "http://e.org:" + text):
        try:
            normal = check(url)
        except InvalidRequest as error:
            messages.append(str(error))
            continue
        assert normal.isascii()
        assert normal.startswith(("http://", "https://"))
        assert check(normal) == normal
        origin(normal)
    assert all(message.isprintable() for message in messages)


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("http://E.org/a") == Origin("http", "e.org", 80)
    assert origin("https://e.org:8443/") == Origin("https", "e.org", 8443)
    assert origin("http://[::1]/") == Origin("http", "::1", 80)
    assert str(origin("http://[::1]:81/")) == "http://[::1]:81"
    assert str(origin("https://e.org/a")) == "https://e.org"


def test_S12_credentials_are_taken_out() -> None:
    url = "http://us%40er:p%3Aw@e.org/a?b#c"
    assert userinfo(url) == "us@er:p:w"
    assert strip_userinfo(url) == "http://e.org/a?b#c"
    assert redact(url) == "http://e.org/a?b"
    assert identity(url) == "http://e.org/a?b"
    assert userinfo("http://e.org/@a") is None
    assert redact("http://e.org/a@b") == "http://e.org/a@b"


@given(st.text(max_size=60), st.text(max_size=60))
def test_S12_no_password_is_shown(before: str, after: str) -> None:
    assert "s3cret" not in redact(f"http://user:s3cret@host/{before}#{after}")


def test_the_last_segment_stays_escaped() -> None:
    assert last_segment("http://e.org/a/b%2fc?d/e") == "b%2fc"


@pytest.mark.parametrize(
    ("line", "header"),
    [("A: b", ("A", "b")), ("A:b", ("A", "b")), ("A: b: c", ("A", "b: c")), ("X;", ("X", "")), ("A: ü", ("A", "ü"))],
)
def test_headers(line: str, header: tuple[str, str]) -> None:
    assert check_header(line) == header


@pytest.mark.parametrize(
    "line",
    ["", "A", "A b: c", ": b", "A: b\r\nEvil: 1", "A: b\n", "A\0: b", "Range: bytes=0-1", "if-range: x",
     "Accept-Encoding: gzip", "A: \u20ac"],
)  # fmt: skip
def test_S08_bad_headers_are_refused(line: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_header(line)
    assert str(caught.value).isprintable()


@given(st.text())
def test_S11_escaped_text_is_harmless(text: str) -> None:
    escaped = escape(text)
    assert all(character.isprintable() or character == " " or character.isspace() for character in escaped)
    assert "\x1b" not in escaped
    assert "\n" not in escaped
    assert "\u202e" not in escaped


def test_S11_escapes_are_readable() -> None:
    assert escape("a\x1b[31mb\u202ec\x9bd") == "a\\x1b[31mb\\u202ec\\x9bd"
    assert escape("schöne Grüße 你好 🎉") == "schöne Grüße 你好 🎉"
