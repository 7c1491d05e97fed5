"""URLs are checked before they are used, and cleaned before they are shown."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
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
        ("http://[FE80::1%25Eth0]/a", "http://[fe80::1%25Eth0]/a"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/"),
        ("127.0.0.1:8000/a", "https://127.0.0.1:8000/a"),
        ("e.org?a", "https://e.org/?a"),
        ("http://ü:ß@e.org/", "http://%C3%BC:%C3%9F@e.org/"),
        ("http://us%40er:p w@e.org/", "http://us%40er:p%20w@e.org/"),
        ("http://my_host.e.org./", "http://my_host.e.org./"),
        ("http://BÜCHER.example:80/", "http://xn--bcher-kva.example/"),
        ("http://e.org/\ud800", "http://e.org/%3F"),
        ("http://e.org/a\u202eb\x9b", "http://e.org/a%E2%80%AEb%C2%9B"),
        ("http://e.org//a//b", "http://e.org//a//b"),
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
        "http://e.org/\r\nHost: evil", "http://e.org/\0", "http://e.org/\ta", "http://[::1",
        "http://[::1]x/", "http://[zz]/",
        "http://e org/", "http://\u202e.org/", "http://" + "a" * 70_000, "http://e.org/" + "a" * 70_000,
        "/etc/passwd", "C:\\a", "http:e.org", "http://e.org:-1/", "http://e.org:\uff18\uff10/", "http://e%0d%0a.org/",
        "http://e%2eorg/", "http://./", "http://[e.org]/", "http://[:::::1]/", "http://[::1%25e/th]/", "http://]a[/",
        "http://u%00:p@e.org/", "http://u%0d%0a:p@e.org/", "http://e.org\uff0f.evil.org/", "http://e.org;x/",
        "http://" + "ä" * 60_000 + "/", "http://e.org/" + "ä" * 20_000, "..", "./a.txt",
        "http://xn--ä.org/", "http://x[::1]/", "http://ä..b/",
        "http://e.org\\a/",
    ],
)  # fmt: skip
def test_S07_S08_anything_else_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check(url)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 600


@given(st.text(st.characters(), max_size=200))
@example("\x80@0")
@example("[" + "\ud800" + "]")
def test_S08_no_text_raises_anything_else(text: str) -> None:
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
    assert redact("user:pw@e.org/a") == "e.org/a"
    assert redact("http://e.org/?next=http://user:pw@f.org/") == "http://e.org/?next=http://f.org/"
    assert userinfo("http://user@e.org/") == "user"
    assert userinfo("http://e.org/") is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_S12_no_password_is_shown(before: str, after: str) -> None:
    assert "s3cret" not in redact(f"http://user:s3cret@host/{before}#{after}")


@pytest.mark.parametrize(
    "url",
    [
        "user:s3cret@e.org/x", "http://user:s3/cret@e.org/", "http://user:s3#cret@e.org/", "http://user:s3?cret@e.org/",
        "http://user:s3cret@e.org\uff0f/", "http://user:s3cret@e.org:x/", "http://user:s3cret@[zz]/",
        "http://user:s3cret@/", "ftp://user:s3cret@e.org/", "http://user:" + "s3cret" * 99 + "@e.org:0/",
        "http://user:s3cret@ä..b/", "http://user:s3cret@e.org/" + "a" * 70_000, "http://user:s3cret\0@e.org/",
        "user s3cret@e.org", "http://user:s3cret%00@e.org/", "http://user:" + "s3cret" * 99 + "@[::1]x/",
    ],
)  # fmt: skip
def test_S12_no_refusal_shows_a_password(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check(url)
    assert "s3" not in str(caught.value)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("unit", ["a.", ".", "a", "@", ":", "/", "//", "://", "[", "%", "#", "?", "ä", "ä.", "\u3002"])
def test_no_url_takes_more_than_linear_time(unit: str) -> None:
    hostile = unit * (60_000 // len(unit))
    for url in (hostile, hostile + "@", "http://" + hostile, "http://e.org/" + hostile):
        with contextlib.suppress(InvalidRequest):
            check(url)
        redact(url)


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
     "Accept-Encoding: gzip", "A: \u20ac", "A: b\x1b[31m", "A: \x7f", "Range;", "A;b", "\u00e4: b"],
)  # fmt: skip
def test_S08_bad_headers_are_refused(line: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_header(line)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("line", ["A: s3cret\n", "A s3cret", "A s3cret: b", "A: s3cret\u20ac", "Range: s3cret"])
def test_S12_no_refused_header_shows_its_value(line: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_header(line)
    assert "s3cret" not in str(caught.value)


def test_a_refused_header_says_who_sets_it() -> None:
    with pytest.raises(InvalidRequest, match="Penstock sets it"):
        check_header("Range: bytes=0-1")
    assert check_header("Host: e.org") == ("Host", "e.org")


@given(st.text(st.characters()))
def test_S11_escaped_text_is_harmless(text: str) -> None:
    escaped = escape(text)
    assert escaped.isprintable()
    escaped.encode("utf-8")


def test_S11_escapes_are_readable() -> None:
    assert escape("a\x1b[31mb\u202ec\x9bd") == "a\\x1b[31mb\\u202ec\\x9bd"
    assert escape("schöne Grüße 你好 🎉") == "schöne Grüße 你好 🎉"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\0\t\n\r\x7f", "\\x00\\x09\\x0a\\x0d\\x7f"),
        ("\x85\x9b", "\\x85\\x9b"),
        ("\u200b\u200d\ufeff", "\\u200b\\u200d\\ufeff"),
        ("\u2066\u2069\u2028", "\\u2066\\u2069\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
        ("a b", "a b"),
    ],
)
def test_S11_what_is_escaped_and_how(raw: str, shown: str) -> None:
    assert escape(raw) == shown


@pytest.mark.parametrize("url", ["http://e.org/\udcff\udce4", "http://e.org/?\udcff\udce4"])
def test_undecodable_bytes_of_a_command_line_are_asked_for_as_they_were_typed(url: str) -> None:
    assert check(url).endswith("%FF%E4")


@pytest.mark.parametrize(
    "url",
    ["http://user:s3/cret@e.org/a", "user:s3/cret@e.org/a", "//user:s3?cret@e.org/a", "HTTP://user:s3#cret@e.org/a",
     "http://user:1s/3cret@e.org/a"],
)  # fmt: skip
def test_S12_a_password_with_a_slash_that_should_have_been_escaped_is_not_shown(url: str) -> None:
    shown = redact(url)
    assert "s3" not in shown
    assert "cret" not in shown
    assert shown.endswith("e.org/a")


@pytest.mark.parametrize(
    "url",
    ["http://e.org:80/a@b", "http://e.org/a:b@c", "http://[::1]:80/a@b", "http://[::1]/a@b", "http://e.org:/a@b",
     "e.org:80/a@b", "http://e.org?a:b@c", "/a:b@c"],
)  # fmt: skip
def test_an_at_sign_in_a_path_is_shown(url: str) -> None:
    assert redact(url) == url
