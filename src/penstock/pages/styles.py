"""The files that an inline style names with ``url(...)`` (CSS Syntax Level 3), in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

#: Comments, strings, and `url(` with what it holds. Each takes all that it has looked at, so nothing is read twice.
_TOKEN: Final = re.compile(
    r"""/\*.*?(?:\*/|\Z)
    |(?<![\w-])url\(\s*+(?:"((?:[^"\\]|\\.)*+)"?|'((?:[^'\\]|\\.)*+)'?|((?:[^\\)"'(\s]|\\[0-9a-f]{1,6}+\s?|\\.)*+)(\s*+(?:\)|\Z))?)
    |"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\f\r])?|(\r\n|[\n\f\r])|(.))", re.DOTALL)


def style_urls(text: str) -> Iterator[str]:
    """What is named, without escapes."""
    for token in _TOKEN.finditer(text):
        double, single, plain, end = token.groups()
        quoted = double if double is not None else single
        named = quoted if quoted is not None else plain if end is not None else None
        if named:
            yield _ESCAPE.sub(_unescaped, named)


def _unescaped(match: re.Match[str]) -> str:
    code, line_break, character = match.groups()
    if code is None:
        return "" if line_break else character
    number = int(code, 16)
    return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
