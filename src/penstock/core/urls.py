"""URLs: checked before use, taken apart for origins and credentials, and made fit to be shown."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from penstock.errors import InvalidRequest
from penstock.model import Origin

MAX_URL: Final = 64 * 1024
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: What may stand in a path or query as it is (RFC 3986 §3.3, §3.4), and what browsers leave alone besides.
_PATH_SAFE: Final = "/:@!$&'()*+,;=~%-._[]|^`"
_QUERY_SAFE: Final = _PATH_SAFE + "?{}\\"
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST_AND_PATH: Final = re.compile(
    r"[^\s/?#@:]+\.[^\s/?#@:]+(?::[0-9]{1,5})?(?:[/?#].*)?|localhost(?::[0-9]{1,5})?(?:[/?#].*)?"
)
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS: Final = frozenset({"range", "if-range", "accept-encoding"})


def check(url: str) -> str:
    """The URL to fetch, in normal form: scheme and host in lower case and ASCII (IDNA 2008), path and query escaped,
    no fragment; user information stays. ``example.org/file`` means ``https://example.org/file``.

    Raises InvalidRequest for anything but a sound http or https URL.
    """
    text = url.strip(" ")
    if len(text) > MAX_URL:
        raise InvalidRequest(f"the URL is longer than {MAX_URL} characters")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise InvalidRequest(f"{escape(text[:200])}: a line break or control character in a URL; remove it")
    if _HOST_AND_PATH.fullmatch(text):
        text = "https://" + text
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise InvalidRequest(f"{escape(text[:200])!s}: not a URL; write https://HOST/PATH")
    if scheme[1].lower() not in _DEFAULT_PORTS:
        raise InvalidRequest(f"{redact(text[:200])}: only http and https are supported, not {scheme[1]}")
    parts = _split(text)
    host = _host(parts, text)
    netloc = f"[{host}]" if ":" in host else host
    if parts.port is not None and parts.port != _DEFAULT_PORTS[parts.scheme]:
        netloc += f":{parts.port}"
    user, at, _ = parts.netloc.rpartition("@")
    path = quote(_utf8(parts.path) or b"/", safe=_PATH_SAFE)
    query = quote(_utf8(parts.query), safe=_QUERY_SAFE)
    return urlunsplit((parts.scheme, user + at + netloc, path, query, ""))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidRequest(f"{redact(text[:200])}: {error}") from None
    if port == 0:
        raise InvalidRequest(f"{redact(text[:200])}: port 0 cannot be connected to")
    return parts


def _host(parts: SplitResult, text: str) -> str:
    host = parts.hostname or ""
    if not host:
        raise InvalidRequest(f"{redact(text[:200])}: the URL has no host")
    if ":" in host:  # an IPv6 literal, perhaps with a zone
        if not re.fullmatch(r"[0-9a-f:.]+(%[0-9a-z._~%-]+)?", host):
            raise InvalidRequest(f"{redact(text[:200])}: a malformed IPv6 address")
        return host
    if host.isascii():
        if not re.fullmatch(r"[0-9a-z_.~!$&'()*+,;=%-]+", host) or len(host) > 255:
            raise InvalidRequest(f"{redact(text[:200])}: {escape(host[:80])!r} is not a host name")
        return host
    import idna  # its tables are large, and most hosts are ASCII

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise InvalidRequest(f"{redact(text[:200])}: {escape(host[:80])!r} is not a host name ({error})") from None


def origin(url: str) -> Origin:
    """Scheme, host and port of a checked URL."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return Origin(scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme, 0))


def strip_userinfo(url: str) -> str:
    """The URL without ``user:password@``."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, parts.fragment))


def userinfo(url: str) -> str | None:
    """``user:password`` of the URL, unescaped; None when there is none."""
    user, at, _ = urlsplit(url).netloc.rpartition("@")
    return unquote(user) if at and user else None


def redact(url: str) -> str:
    """The URL as people and logs may see it: no user information, no fragment, nothing a terminal would obey."""
    cleaned = re.sub(r"(://)[^/?#]*@", r"\1", url).partition("#")[0]
    return escape(cleaned)


def identity(url: str) -> str:
    """What the journal stores and compares: the URL without user information and fragment."""
    return strip_userinfo(url).partition("#")[0]


def last_segment(url: str) -> str:
    """The last segment of the path, still escaped."""
    return urlsplit(url).path.rpartition("/")[2]


def check_header(line: str) -> tuple[str, str]:
    """A header option, ``Name: value`` (or ``Name;`` for an empty value); raises InvalidRequest."""
    if any(character in line for character in "\r\n\0"):
        raise InvalidRequest(f"{escape(line[:80])}: a line break or NUL in a header; remove it")
    name, colon, value = line.partition(":")
    if not colon:
        name, semicolon, rest = line.partition(";")
        if not semicolon or rest.strip():
            raise InvalidRequest(f"{escape(line[:80])!r} is not a header; write 'Name: value'")
    name, value = name.strip(), value.strip()
    if not _TOKEN.fullmatch(name):
        raise InvalidRequest(f"{escape(name[:80])!r} is not a header name")
    if name.lower() in _OURS:
        raise InvalidRequest(f"{name} cannot be given: Penstock sets it to fetch and resume in ranges")
    if not all(ord(character) < 256 for character in value):
        raise InvalidRequest(f"the value of {name} has characters that a header cannot carry")
    return name, value


def escape(text: str) -> str:
    """Any text as a terminal may show it: control and invisible characters as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isprintable():  # neither a control nor invisible, by the Unicode database; the space counts
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
