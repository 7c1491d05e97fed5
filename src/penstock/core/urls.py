"""URLs: checked before use, taken apart for origins and credentials, and made fit to be shown."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from penstock.errors import InvalidRequest
from penstock.model import Origin

MAX_URL: Final = 64 * 1024
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: What may stand in a path or query as it is (RFC 3986 §3.3, §3.4), and what browsers leave alone besides.
_PATH_SAFE: Final = "/:@!$&'()*+,;=~%-._[]|^`"
_QUERY_SAFE: Final = _PATH_SAFE + "?{}\\"
#: What may stand in user information besides letters and digits (RFC 3986 §3.2.1); escapes stay.
_USER_SAFE: Final = ":!$&'()*+,;=~%-._"
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST: Final = re.compile(r"[^\s/?#@:\\]+")
_AFTER_HOST: Final = re.compile(r"(?::[0-9]{1,5})?(?:[/?#].*)?", re.DOTALL)
_HOST_NAME: Final = re.compile(r"[0-9a-z_-][0-9a-z._-]{0,254}")
#: `urlsplit` lets anything stand between the bracket and the port.
_BRACKETED: Final = re.compile(r"\[[^\]]*\](?::[0-9]*)?")
_ZONE: Final = re.compile(r"[0-9A-Za-z._~-]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HEADER_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # a tab may stand in a value (RFC 9110 §5.5)
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: ``user:pass/word@`` with a slash (or ``?``, ``#``) that should have been escaped: what follows the colon is no port.
_SPLIT_PASSWORD: Final = re.compile(r"(?s)^((?:[A-Za-z][A-Za-z0-9+.-]*:)?//|)[^/?#@\[:]*:(?![0-9]*(?:[/?#]|$)).*@")
#: A URL in normal form without anything that has to be taken away or escaped: nearly all are such.
_PLAIN: Final = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]{0,253}[a-z0-9])?(?::(?!80/|443/)(?:[1-5][0-9]{4}|[1-9][0-9]{0,3}))?/[A-Za-z0-9/!$&'()*+,;=~._%-]*"
    r"(?:\?[A-Za-z0-9/!$&'()*+,;=~._%?-]*)?"
)
_OURS: Final = frozenset({"range", "if-range", "accept-encoding"})
#: Characters of a URL or header that an error message shows.
_SHOWN: Final = 200


def check(url: str) -> str:
    """The URL to fetch, in normal form: scheme and host in lower case and ASCII (IDNA 2008 after UTS 46), user
    information, path and query escaped, no fragment. ``example.org/file`` means ``https://example.org/file``.

    Raises InvalidRequest for anything but a sound http or https URL of at most `MAX_URL` characters.
    """
    if is_plain(url):
        return url
    text = url.strip(" ")
    if len(text) > MAX_URL:
        raise _refusal(text, f"the URL is longer than {MAX_URL} characters")
    if _CONTROL.search(text):
        raise _refusal(text, "a line break or control character in a URL; remove it")
    if _lacks_scheme(text):
        text = "https://" + text
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise _refusal(text, "not a URL; write https://HOST/PATH")
    if scheme[1].lower() not in _DEFAULT_PORTS:
        raise _refusal(text, "only http and https are supported")
    normal = _normal(text)
    if len(normal) > MAX_URL:
        raise _refusal(text, f"the URL is longer than {MAX_URL} characters when escaped")
    return normal


def is_plain(url: str) -> bool:
    """True for a URL of which a glance shows that it is in normal form; nearly all are."""
    return len(url) <= _SHOWN and _PLAIN.fullmatch(url) is not None


def _refusal(text: str, why: str) -> InvalidRequest:
    """An error that names the URL by what follows its last ``@``: in what does not parse, all before it may be a
    password."""
    shown = re.sub(r"^(https?://)?.*@", r"\1", text, flags=re.DOTALL | re.IGNORECASE).partition("#")[0]
    return InvalidRequest(f"{escape(shown[:_SHOWN])}: {why}")


def _lacks_scheme(text: str) -> bool:
    """True for what looks like ``host.name/path``, ``localhost:8080`` and the like."""
    host = _HOST.match(text)
    if host is None or not ("." in host[0].strip(".") or host[0].lower() == "localhost"):
        return False
    return _AFTER_HOST.fullmatch(text, host.end()) is not None


def _normal(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # its message would show the password
        raise _refusal(text, "a malformed host or port; write https://HOST:PORT/PATH") from None
    if port == 0:
        raise _refusal(text, "port 0 cannot be connected to")
    user, _, place = parts.netloc.rpartition("@")
    if _CONTROL.search(unquote(user)):
        raise _refusal(text, "a control character in the user name or password; remove it")
    host = parts.hostname or ""
    if not host:
        raise _refusal(text, "the URL has no host; write https://HOST/PATH")
    netloc = f"[{_address(host, place, text)}]" if "[" in place else _host_name(host, text)
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        netloc += f":{port}"
    if user:
        netloc = f"{quote(_utf8(user), safe=_USER_SAFE)}@{netloc}"
    path = quote(_utf8(parts.path) or b"/", safe=_PATH_SAFE)
    query = quote(_utf8(parts.query), safe=_QUERY_SAFE)
    return urlunsplit((parts.scheme, netloc, path, query, ""))


def _utf8(text: str) -> bytes:
    """UTF-8; the undecodable bytes of a command line, which Python holds as surrogates, as they were typed."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _address(host: str, place: str, text: str) -> str:
    """An IPv6 literal without its brackets, perhaps with a zone (RFC 6874); `place` is ``[HOST]:PORT``."""
    import ipaddress  # most hosts are names

    address, percent, zone = host.partition("%")
    if not _BRACKETED.fullmatch(place):
        raise _refusal(text, "a malformed IPv6 address")
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        raise _refusal(text, "a malformed IPv6 address") from None
    if percent and not _ZONE.fullmatch(zone):
        raise _refusal(text, "a malformed zone in an IPv6 address")
    return host


def _host_name(host: str, text: str) -> str:
    name = host if host.isascii() else _idna(host, text)
    if not _HOST_NAME.fullmatch(name):
        raise _refusal(text, "that is not a host name; check it")
    return name


def _idna(host: str, text: str) -> str:
    if len(host) > 255:  # old versions of idna take quadratic time (CVE-2024-3651)
        raise _refusal(text, "the host name is too long")
    import idna  # its tables are large, and most hosts are ASCII

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except UnicodeError:  # IDNAError is one, and it lets others through
        raise _refusal(text, "that is not an internationalised host name") from None


def origin(url: str) -> Origin:
    """Scheme, host and port of a checked URL."""
    start = url.find("//") + 2
    return _origin(url[:end] if (end := url.find("/", start)) > 0 else url)


@lru_cache(maxsize=1024)
def _origin(url: str) -> Origin:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return Origin(scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme, 0))


def origin_text(url: str) -> str:
    """The origin of a checked URL in words: ``https://example.org``."""
    return _origin_text(origin(url))


_origin_text = lru_cache(maxsize=1024)(str)


def strip_userinfo(url: str) -> str:
    """The URL without ``user:password@``."""
    if "@" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, parts.fragment))


def userinfo(url: str) -> str | None:
    """``user:password`` of the URL, unescaped; None when there is none."""
    if "@" not in url:
        return None
    user, at, _ = urlsplit(url).netloc.rpartition("@")
    return unquote(user) if at and user else None


def redact(url: str) -> str:
    """The URL as people and logs may see it: no user information, no fragment, nothing a terminal would obey."""
    if "@" not in url and "#" not in url and url.isascii() and url.isprintable():
        return url
    cleaned = re.sub(r"(^(?://)?|://)[^/?#]*@", r"\1", _SPLIT_PASSWORD.sub(r"\1", url, count=1)).partition("#")[0]
    return escape(cleaned)


def identity(url: str) -> str:
    """What the journal stores and compares: the URL without user information and fragment."""
    if "@" not in url and "#" not in url:
        return url
    return strip_userinfo(url).partition("#")[0]


def last_segment(url: str) -> str:
    """The last segment of the path, still escaped."""
    path = url.partition("#")[0].partition("?")[0].partition("//")[2].partition("/")[2]
    return path.rpartition("/")[2]


def check_header(line: str) -> tuple[str, str]:
    """A header option, ``Name: value`` (or ``Name;`` for an empty value); raises InvalidRequest.

    Its errors show the name at most: the value may be a secret.
    """
    shown = escape(re.split(r"[\s:;=]", line, maxsplit=1)[0][:40])
    if _HEADER_CONTROL.search(line):
        raise InvalidRequest(f"header {shown!r}: a line break or control character; remove it")
    name, colon, value = line.partition(":")
    if not colon:
        name, semicolon, rest = line.partition(";")
        if not semicolon or rest.strip():
            raise InvalidRequest(f"header {shown!r} has no colon; write 'Name: value'")
    name, value = name.strip(" \t"), value.strip(" \t")
    if not _TOKEN.fullmatch(name):
        raise InvalidRequest(f"header {shown!r}: not a header name")
    if name.lower() in _OURS:
        raise InvalidRequest(f"header {shown!r} cannot be given: Penstock sets it to fetch and resume in ranges")
    if not all(ord(character) < 256 for character in value):
        raise InvalidRequest(f"header {shown!r}: its value has characters that a header cannot carry")
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
