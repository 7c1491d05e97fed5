"""Names and paths: nothing leads out of the directory, and doing it twice changes nothing."""

from __future__ import annotations

import os
import re
import unicodedata

from penstock.core.naming import (
    MAX_NAME_BYTES,
    choose_name,
    decoded_name,
    folded,
    numbered,
    safe_name,
    split_extension,
    with_mark,
)
from penstock.core.template import Template, safe_path, told_apart, url_hash
from penstock.core.urls import check
from penstock.errors import InvalidRequest
from tests.fuzz.target import Target, as_typed, only_refused

_DEVICE = re.compile(r"con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]", re.IGNORECASE)
_OURS = (".part", ".part.journal", ".part.journal~", ".corrupt", ".penstock")
_URL = "https://user:pw@e.org:8443/a%20b/%2e%2e/c/x.tar.gz?q=1"


def is_safe(name: str) -> bool:
    """True for one component that is what it seems, on every platform (S01, S02, S11, S25)."""
    return (
        bool(name)
        and len(name.encode("utf-8")) <= MAX_NAME_BYTES
        and not set(name) & set('/\\<>:"|?*\0')
        and not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in name)
        and not name.startswith(".")
        and not name.endswith((".", " "))
        and name == name.strip()
        and not _DEVICE.fullmatch(name.partition(".")[0].strip())
        and not name.lower().endswith(_OURS)
        and safe_name(name) == name
    )


def is_inside(path: str) -> bool:
    """True for a relative path of safe components."""
    return all(map(is_safe, path.split("/"))) and os.path.normpath(path) == path


def name(data: bytes) -> None:
    hint = as_typed(data)
    made = safe_name(hint)
    if made is not None:
        assert is_safe(made), made
        stem, extension = split_extension(made)
        assert stem + extension == made
        for changed in (numbered(made, 12), with_mark(made, url_hash(_URL)), decoded_name(made)):
            assert is_safe(changed), changed
        assert folded(folded(made)) == folded(made)
    assert is_safe(choose_name(disposition=None, url=f"https://e.org/{hint}", media_type="image/png"))


def path(data: bytes) -> None:
    with only_refused():
        made = safe_path(as_typed(data))
        assert is_inside(made), made
        assert safe_path(made) == made
        assert is_inside(told_apart(made, _URL))


def template(data: bytes) -> None:
    text, _, rest = as_typed(data).partition("\n")
    try:
        url = check(rest)
    except InvalidRequest:
        url = check(_URL)
    with only_refused():
        made = Template(text)
        # what was accepted once must do for every row
        for line in (0, 7, 0xD800, 0x110000, 10**12):
            target = made.fill(url, line)
            assert is_inside(target), target
            assert len(target) < 10_000


_NAMES = (
    "..", ".", "/", "\\", " ", "\u00a0", "con", "NUL", "com\u00b9", ".part", ".journal", "~", ".corrupt", ".penstock",
    "\u202e", "\u2028", "\U0001f600", "a", "\u00e4" * 60, ".tar", ".gz", ".tgz", "_", "e\u0301", "\udc80", "b" * 200,
    "%2f", "%00", "\0", ":", "\u3164", "\u0345", "\u0323\u0301", "\ufdfa", "\u1e9e", "\n", "\x1b[31m", "\uff0f",
)  # fmt: skip
TARGETS = (
    Target("name", name, _NAMES),
    Target("path", path, _NAMES),
    Target(
        "template",
        template,
        (
            "{name}", "{host}", "{path}", "{stem}", "{ext}", "{line}", "{hash}", "{", "}", "{{", "}}", ":", "!r", "/",
            "..", "{line:06}", "{line:>9}", "{line:c}", "{name:{", ".__class__", "[0]", "{0}", "\n", "https://e.org/",
            "%2f..%2f", "a", "99999", ".part", "\\", "\0", "\u202e", "{name.", "{line:{line}}",
        ),
    ),
)  # fmt: skip
