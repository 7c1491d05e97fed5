"""The file name in Content-Disposition (RFC 6266), and in the broken forms of it that browsers accept."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from itertools import count, takewhile
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

_MAX_FIELD: Final = 16 * 1024
_SPACE: Final = " \t\r\n\f\v"
#: One part up to its semicolon, a parameter or not. It matches wherever a part begins, and what follows a parameter
#: always matches too, so that reading a field is linear in its length.
_PART: Final = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z0-9!#$&+.^_`|~*-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)|(?P<plain>[^;]*)))?"""
    r"""[^;]*(?:;|$)""",
    re.DOTALL | re.ASCII,  # NBSP and NEL are the last bytes of letters in UTF-8
)
_EXTENDED: Final = re.compile(r"([A-Za-z0-9!#$%&+^_`{}~.-]*)'[^']*'(.*)", re.DOTALL)
_ENCODED_WORD: Final = re.compile(r"=\?([A-Za-z0-9_.-]+)\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS: Final = re.compile(r"(?<=\?=)\s+(?==\?)")
_CONTINUED: Final = re.compile(r"filename\*(0|[1-9][0-9]{0,2})(\*?)")
_DRIVE_PATH: Final = re.compile(r"[A-Za-z]:\\(?!\\)")
#: What servers use; any other of Python's codecs is not for strangers to choose.
_CHARSETS: Final = frozenset({
    "utf-8", "us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251", "windows-1252",
    "koi8-r", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "iso-2022-jp", "euc-kr",
})  # fmt: skip


def filename(value: str | None) -> str | None:
    """The name a server suggests, raw and unsafe; None when there is none. ``filename*`` wins over ``filename``."""
    if value is None or len(value) > _MAX_FIELD:
        return None
    parameters = _parameters(value)
    extended = _extended(parameters.get("filename*", ""))
    if extended:
        return extended
    plain = parameters.get("filename")
    if plain is not None:
        return _plain(plain) or None
    return _continued(parameters)


def _parameters(value: str) -> dict[str, str]:
    """Parameters by lower-case name, unquoted; the first of a name counts."""
    parameters: dict[str, str] = {}
    for part in _PART.finditer(value):
        if part["name"] is None:
            continue
        text = part["plain"].strip(_SPACE) if part["quoted"] is None else _unescaped(part["quoted"])
        parameters.setdefault(part["name"].lower(), text)
    return parameters


def _unescaped(quoted: str) -> str:
    """Quoted pairs undone (RFC 9110 §5.6.4); in a Windows path, which some servers send, only those of quotes."""
    escapes = r'\\(["\\])' if _DRIVE_PATH.match(quoted) else r"\\(.)"
    return re.sub(escapes, r"\1", quoted, flags=re.DOTALL)


def _extended(text: str) -> str | None:
    """``charset'language'percent-encoded`` (RFC 8187 §3.2)."""
    match = _EXTENDED.fullmatch(text)
    return None if match is None else _decoded(unquote_to_bytes(_raw(match[2])), match[1])


def _decoded(raw: bytes, charset: str) -> str | None:
    if charset.lower() not in _CHARSETS:
        return None
    try:
        return raw.decode(charset)
    except UnicodeDecodeError:
        return None


def _plain(text: str) -> str:
    if _ENCODED_WORD.search(text):
        return _ENCODED_WORD.sub(_word, _BETWEEN_WORDS.sub("", text))  # RFC 2047 §6.2 drops the space between two
    if not text.isascii():  # raw bytes were sent, so a percent sign is one (as Chrome has it)
        return as_utf8(text)
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


def _raw(text: str) -> bytes:
    """The bytes of a header's text as they were sent."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:  # not from the wire
        return text.encode("utf-8", "replace")


def _word(match: re.Match[str]) -> str:
    """One RFC 2047 encoded word; left as it is when malformed."""
    charset, encoding, text = match.groups()
    try:
        raw = base64.b64decode(text, validate=True) if encoding in "bB" else quopri.decodestring(text, header=True)
    except (binascii.Error, ValueError):
        return match[0]
    decoded = _decoded(raw, charset)
    return match[0] if decoded is None else decoded


def _continued(parameters: dict[str, str]) -> str | None:
    """``filename*0=...; filename*1*=...`` (RFC 2231 §3): not of HTTP, but sent. Pieces after a gap are lost."""
    pieces: dict[int, tuple[str, bool]] = {}
    for name, text in parameters.items():
        match = _CONTINUED.fullmatch(name)
        if match:
            pieces.setdefault(int(match[1]), (text, bool(match[2])))
    ordered = [pieces[number] for number in takewhile(pieces.__contains__, count())]
    if not ordered:
        return None
    if not any(is_extended for _, is_extended in ordered):
        return _plain("".join(text for text, _ in ordered)) or None
    head, is_extended = ordered[0]
    match = _EXTENDED.fullmatch(head) if is_extended else None
    charset, first = match.groups() if match else ("utf-8", head)
    encoded = [(first, is_extended), *ordered[1:]]
    raw = b"".join(unquote_to_bytes(_raw(text)) if escaped else _raw(text) for text, escaped in encoded)
    return _decoded(raw, charset) or None
