"""What a user gives: amounts, configuration and cookies."""

from __future__ import annotations

import math
from collections.abc import Callable

import click
import pycurl

from penstock.api import checked_options
from penstock.cli.config import read_config
from penstock.cli.get import get
from penstock.cli.request import _cookies
from penstock.cli.types import byte_count, byte_rate, pace, seconds
from penstock.core.limits import MAX_BYTES
from penstock.core.urls import escape
from penstock.errors import InvalidRequest
from penstock.model import Options
from tests.fuzz.parsers.stored import _place
from tests.fuzz.target import Target, as_typed, only_refused


def amounts(data: bytes) -> None:
    text = as_typed(data)
    for parse, is_whole in ((byte_count, True), (byte_rate, True), (pace, False), (seconds, False)):
        value = _amount(parse, text)
        if value is None:
            continue
        assert 0 < value < math.inf
        assert not is_whole or (isinstance(value, int) and value <= MAX_BYTES)
        assert not is_whole or parse(str(value)) == value


def _amount(parse: Callable[[str], float], text: str) -> float | None:
    try:
        return parse(text)
    except click.BadParameter as error:
        assert escape(error.message) == error.message
        assert len(error.message) < 500
        return None


def config(data: bytes) -> None:
    path = _place() / "config.toml"
    path.write_bytes(data)
    context = click.Context(get)
    try:
        values = read_config(path, context)
    except click.UsageError:
        return
    assert not {"insecure", "user", "config", "no_config"} & values.keys()
    known = {option.name for option in get.params}
    assert values.keys() <= known


def cookies(data: bytes) -> None:
    """As data for ``-b``, then as a file that libcurl reads: what is sent is a header's line, of this host alone."""
    text = as_typed(data)
    with only_refused():
        pairs, file = _cookies([f"a={text}"], None)
        assert file is None
        assert pairs is not None
        assert not set(pairs) & set("\r\n\0")
    path = _place() / "cookies.txt"
    path.write_bytes(data)
    assert _cookies([str(path)], None) == (None, path) == _cookies([], path)
    try:
        checked_options(Options(cookie_file=path))
    except InvalidRequest:
        return
    curl = pycurl.Curl()
    try:
        curl.setopt(pycurl.COOKIEFILE, str(path))
        curl.setopt(pycurl.COOKIELIST, "RELOAD")
        for line in curl.getinfo_raw(pycurl.INFO_COOKIELIST):
            assert not set(line) & set(b"\r\n\0"), line
    finally:
        curl.close()


TARGETS = (
    Target(
        "amounts",
        amounts,
        ("1", "0", ".", "5", "K", "MiB", "g", "P", "b", "B", " ", "/", "s", "min", "h", "day", "e9", "-", "+", "_",
         "nan", "inf", "9" * 25, "\u0663", "\x1b", "1e-320", "0x1", "\udc80"),
    ),
    Target(
        "config",
        config,
        (
            "max-connections", " = ", "16", "\n", "header", "[", "]", '"A: b"', ",", "limit-rate", '"2M"', "true", "-1",
            "stall-timeout", "1e400", "9" * 400, "9" * 5000, "nan", "inf", "[get]", "{", "}", "insecure", "user", '"""',
            "cacert", '"\\u0000"', '"~\\u0000"', "netrc-file", "dir", "output", "if-exists", '"skip"', "1979-05-27",
            "http-version", "checksum", "rate-per-host", "\udc80", "template", "a.b", "x", "deadline", "[" * 3000,
            "load-cookies", "max-tries", "'", "#", "0x10", "quiet", "verbose", "manifest",
        ),
        is_slow=True,
    ),
    Target(
        "cookies",
        cookies,
        (
            "e.org\tFALSE\t/\tFALSE\t0\tname\tvalue\n", "# Netscape HTTP Cookie File\n", "#HttpOnly_",
            "\t", "TRUE", "/",
            "\n", "\r", "Set-Cookie: a=b; domain=com\n", ".com", "name", "=", ";", "\0", "9" * 30, "__Secure-", "\x1b",
            "a" * 5000, "\udc80",
        ),
        is_slow=True,
    ),
)  # fmt: skip
