"""URLs, what is shown of them, and where redirects lead."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urlsplit

from penstock.core.addresses import is_public
from penstock.core.globs import Glob, Match, fill, parse_glob
from penstock.core.lists import excerpt
from penstock.core.redirects import Follow, follow
from penstock.core.redirects import Refused as NotFollowed
from penstock.core.urls import (
    check,
    check_header,
    escape,
    identity,
    is_plain,
    origin,
    origin_text,
    redact,
    strip_userinfo,
    userinfo,
)
from penstock.errors import InvalidRequest
from penstock.model import Head
from tests.fuzz.target import Target, as_header, as_typed, only_refused

SECRET = "Zecrt"
#: What ends the user information, or is refused in a URL.
_NOT_IN_USER = re.compile(r"[/?#\\\x00-\x1f\x7f]")


def url(data: bytes) -> None:
    with only_refused():
        text = as_typed(data)
        normal = check(text)
        assert is_normal(normal), normal
        assert not re.search(r"[\x00-\x1f\x7f]", text)
        assert not is_plain(text) or normal == text
        assert is_normal(identity(normal)), normal
        assert userinfo(strip_userinfo(normal)) is None
        assert origin(normal) == origin(identity(normal))
        assert check(origin_text(normal)) == origin_text(normal) + "/"


def is_normal(text: str) -> bool:
    """True for what may be given to libcurl: http or https with a host, without spaces and controls, checked before."""
    parts = urlsplit(text)
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and text.isascii()
        and not re.search(r"[\x00-\x20\x7f]", text)
        and "#" not in text
        and check(text) == text
    )


def redaction(data: bytes) -> None:
    """A password with `SECRET` in it, written into a URL between two texts: nothing shows it (S12)."""
    before, _, rest = as_typed(data).partition("\n")
    after, _, around = rest.partition("\n")
    password = _NOT_IN_USER.sub("", before) + SECRET + _NOT_IN_USER.sub("", after)
    around = around.replace(SECRET, "-")
    for start in ("https://user:", "HTTP://", "//user:", "user:"):
        whole = f"{start}{password}@e.org/{around}"
        for shown in (redact(whole), excerpt(whole), _refusal(whole), _refusal(f"{whole}\x00"), redact(redact(whole))):
            assert SECRET not in shown, shown
            assert escape(shown) == shown, shown
        _is_kept_from_sight(whole)
    shown = redact(f"https://e.org/{around.partition('@')[0]}#{password}")
    assert SECRET not in shown, shown


def _refusal(whole: str) -> str:
    try:
        check(whole)
    except InvalidRequest as error:
        return error.message
    return ""


def _is_kept_from_sight(whole: str) -> None:
    try:
        normal = check(whole)
    except InvalidRequest:
        return
    if SECRET not in unquote(urlsplit(normal).netloc):
        return
    for shown in (identity(normal), strip_userinfo(normal), origin_text(normal), redact(normal)):
        assert SECRET not in shown.partition("e.org")[0], shown
    assert SECRET in (userinfo(normal) or "")


def header_option(data: bytes) -> None:
    text = as_typed(data)
    with only_refused():
        name, value = check_header(text)
        assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name)
        assert not re.search(r"[\r\n\0]", value)
        value.encode("latin-1")
        assert check_header(f"{name}: {value}") == (name, value)
    name, _, rest = text.replace(SECRET, "-").partition(":")
    try:
        check_header(f"{name}: {SECRET}{rest}")
    except InvalidRequest as error:
        assert SECRET not in error.message, error.message


def redirect(data: bytes) -> None:
    location = as_header(data)
    for start in ("https://user:pw@e.org/a/b?c", "http://[::1]:8080/"):
        head = Head(302, (("location", location),))
        match follow(start, head, 0, max_redirects=20, allow_downgrade=False):
            case Follow(target, crosses):
                assert is_normal(target), target
                assert userinfo(target) is None
                assert crosses == (origin(target) != origin(start))
                assert start.startswith("http:") or target.startswith("https:")
            case NotFollowed(why):
                assert escape(why) == why
                assert len(why) < 3000
            case other:
                raise AssertionError(other)


def address(data: bytes) -> None:
    text = as_typed(data)
    for around in _around(text):
        assert not is_public(around) or is_public(text), around
    if is_public(text):
        assert text.partition("%")[0] not in {"127.0.0.1", "::1", "169.254.169.254", "0.0.0.0", "::"}


def _around(text: str) -> tuple[str, ...]:
    """The IPv6 addresses that hold an IPv4 address: mapped, NAT64 (RFC 6052) and 6to4 (RFC 3056)."""
    try:
        number = int(ipaddress.IPv4Address(text))
    except ValueError:
        return ()
    return f"::ffff:{text}", f"64:ff9b::{text}", f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1"


def glob(data: bytes) -> None:
    text = as_typed(data)
    with only_refused():
        parsed = parse_glob(text)
        assert parsed.count >= 1
        found = _first(parsed, 20)
        assert len(found) == min(20, parsed.count)
        for match in found:
            assert "/" not in fill("#1", match.parts) or not match.parts
    escaped = parse_glob(re.sub(r"([\[\]{},])", r"\\\1", text))
    assert [match.url for match in escaped] == [text]


def _first(parsed: Glob, most: int) -> list[Match]:
    return [match for match, _ in zip(parsed, range(most), strict=False)]


_URLS = (
    "https://", "http://", "HTTP:", "file:///", "//", "/", "?", "#", "@", ":", "user:pw@", "e.org",
    "[::1]", "[fe80::1%25",
    "]", ":80", ":0", ":99999", "%", "%2f", "%zz", "\\", " ", "\t", "\r\n", "\0", "\u00e4", "\u2100", "\udcff", "xn--",
    "xn--a", "\u3002", "\u200d", "localhost", "127.1", "..", "\x1b", "\u202e", "^", "`", "{", "|", "[", ";", "=", "&",
)  # fmt: skip
TARGETS = (
    Target("url", url, _URLS),
    Target("redaction", redaction, (*_URLS, "\n", SECRET)),
    Target(
        "header-option",
        header_option,
        ("X-A", ":", ";", " ", "\t", "\r\n", "Range", "If-Range", "\0", "\u20ac", "\xe4", "=", "@", SECRET, "\udc80"),
    ),
    Target("redirect", redirect, (*_URLS, "../", "./", "javascript:", "data:", "\xc3\xa4", "\xe4", "ftp:")),
    Target(
        "address",
        address,
        ("127.0.0.1", "8.8.8.8", "::1", "::ffff:", "2002:", "2001:0:", "64:ff9b::", "10.", "0", ":", ".", "%eth0", "1"),
    ),
    Target(
        "glob",
        glob,
        ("[", "]", "{", "}", ",", "-", ":", "\\", "[1-9]", "[01-99:3]", "[a-z]", "{a,b}", "0", "18446744073709551616",
         "https://", "[::1]", "[fe80::1%25a]", "/", "#1", "@", "\x1b", "[]", "a", "Z", "999999999999999999", "\udc80"),
    ),
)  # fmt: skip
