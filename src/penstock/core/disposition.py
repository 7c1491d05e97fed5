"""The file name in Content-Disposition (RFC 6266), and in the broken forms of it that browsers accept."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

_MAX_FIELD: Final = 16 * 1024
_PARAMETER: Final = re.compile(r"""[;\s]*([A-Za-z0-9!#$&+.^_`|~*-]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)""", re.DOTALL)
_EXTENDED: Final = re.compile(r"([A-Za-z0-9!#$%&+^_`{}~.-]*)'[^']*'(.*)", re.DOTALL)
_ENCODED_WORD: Final = re.compile(r"=\?([A-Za-z0-9_.-]+)\?([bBqQ])\?([^?]*)\?=")
_CONTINUED: Final = re.compile(r"filename\*(\d{1,3})(\*?)")
_CHARSETS: Final = frozenset({"utf-8", "iso-8859-1", "us-ascii", "windows-1252"})


def filename(value: str | None) -> str | None:
    """The name a server suggests, raw and unsafe; None when there is none. ``filename*`` wins over ``filename``."""
    if value is None or len(value) > _MAX_FIELD:
        return None
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(value):
        parameters.setdefault(match[1].lower(), match[2].strip())
    extended = _extended(_unquoted(parameters.get("filename*", "")))
    if extended:
        return extended
    plain = parameters.get("filename")
    if plain is not None:
        return _plain(_unquoted(plain)) or None
    return _continued(parameters)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    return re.sub(r'\\(["\\])', r"\1", inner)  # other backslashes are Windows paths, not escapes


def _extended(text: str) -> str | None:
    """``charset'language'percent-encoded`` (RFC 8187 §3.2)."""
    match = _EXTENDED.fullmatch(text)
    if match is None or match[1].lower() not in _CHARSETS:
        return None
    try:
        return unquote_to_bytes(match[2]).decode(match[1])
    except UnicodeDecodeError:
        return None


def _plain(text: str) -> str:
    if _ENCODED_WORD.search(text):
        return _ENCODED_WORD.sub(_word, text)
    text = as_utf8(text)
    if re.search(r"%[0-9A-Fa-f]{2}", text):
        try:
            return unquote(text, errors="strict")
        except UnicodeDecodeError:
            return text
    return text


def as_utf8(text: str) -> str:
    """Header bytes reach us as latin-1; most servers that send others than ASCII mean UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def _word(match: re.Match[str]) -> str:
    """One RFC 2047 encoded word; left as it is when malformed."""
    charset, encoding, text = match.groups()
    if charset.lower() not in _CHARSETS:
        return match[0]
    try:
        raw = base64.b64decode(text, validate=True) if encoding in "bB" else quopri.decodestring(text, header=True)
        return raw.decode(charset)
    except (binascii.Error, ValueError):
        return match[0]


def _continued(parameters: dict[str, str]) -> str | None:
    """``filename*0=...; filename*1=...`` (RFC 2231 §3): not of HTTP, but sent."""
    pieces: dict[int, str] = {}
    extended = False
    for name, text in parameters.items():
        match = _CONTINUED.fullmatch(name)
        if match:
            pieces.setdefault(int(match[1]), _unquoted(text))
            extended = extended or bool(match[2])
    if 0 not in pieces:
        return None
    whole = "".join(pieces[number] for number in sorted(pieces) if all(below in pieces for below in range(number)))
    return (_extended(whole) if extended else _plain(whole)) or None
