"""Find what an HTML page shows and links to.

Pictures with their largest candidate, lazy ones too; media, icons, backgrounds of inline styles, and links. One file is
found for each ``img``: of ``srcset``, the attributes that lazy loaders use, and ``src``, in this order, the first that
is an http URL. Knows no network.
"""

from __future__ import annotations

import codecs
import enum
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin

from penstock.core.urls import check
from penstock.errors import InvalidRequest
from penstock.pages.flatten import flattened
from penstock.pages.srcset import largest

#: Bytes of a page that are looked at.
MAX_PAGE_BYTES: Final = 16 * 1024 * 1024
#: Links of a page that are kept.
MAX_LINKS: Final = 100_000
#: Tags of a page that are looked at.
_MAX_NODES: Final = 1_000_000
#: Characters of an attribute that are looked at.
_MAX_ATTRIBUTE: Final = 64 * 1024
#: Where lazy loaders keep the real picture.
_LAZY: Final = (
    "data-src", "data-original", "data-lazy-src", "data-lazy", "data-hi-res-src", "data-full-src", "data-large-file",
    "data-url", "data-image", "data-original-src", "data-actualsrc",
)  # fmt: skip
_LAZY_SETS: Final = ("data-srcset", "data-lazy-srcset", "data-original-set")
_ICONS: Final = frozenset({"icon", "apple-touch-icon", "apple-touch-icon-precomposed", "image_src", "mask-icon"})
_META: Final = {
    "og:image": "image", "og:image:url": "image", "og:image:secure_url": "image", "twitter:image": "image",
    "twitter:image:src": "image", "og:video": "media", "og:video:url": "media", "og:video:secure_url": "media",
    "og:audio": "media",
}  # fmt: skip
_STYLE_URL: Final = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"'\s]*))\s*\)""", re.IGNORECASE)
_META_CHARSET: Final = re.compile(rb"""<meta[^>]{0,512}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Kind(enum.Enum):
    """What a page has a file for."""

    IMAGE = "image"
    MEDIA = "media"
    ICON = "icon"
    STYLE = "style"
    LINK = "link"


class Found(NamedTuple):
    """A file that a page shows or links to. `url` is in normal form."""

    url: str
    kind: Kind


class Page(NamedTuple):
    """What was found, each URL once, in the page's order; `is_cut`: not all of it was looked at."""

    found: tuple[Found, ...]
    is_cut: bool


def extract(content: bytes, *, url: str, charset: str | None = None) -> Page:
    """What the page `content` from `url` shows and links to; `charset` is what HTTP said. Raises nothing."""
    from selectolax.lexbor import LexborHTMLParser

    text = flattened(_decoded(content[:MAX_PAGE_BYTES], charset))
    root = LexborHTMLParser(text).root
    is_cut = len(content) > MAX_PAGE_BYTES
    if root is None:
        return Page((), is_cut)
    base: str | None = None
    raw: list[tuple[str, Kind]] = []
    for count, node in enumerate(root.traverse(include_text=False)):
        if count >= _MAX_NODES or len(raw) >= MAX_LINKS:
            is_cut = True
            break
        attributes = node.attributes
        if node.tag == "base" and base is None and attributes.get("href"):
            base = _joined(url, attributes["href"] or "")
        raw.extend(_of(node.tag, attributes))
    found: dict[str, Found] = {}
    for reference, kind in raw:
        target = _target(base or url, reference)
        if target is not None and target not in found:
            found[target] = Found(target, kind)
    return Page(tuple(found.values()), is_cut)


def _of(tag: str | None, attributes: dict[str, str | None]) -> Iterator[tuple[str, Kind]]:
    """The references of one element."""

    def value(name: str) -> str:
        return (attributes.get(name) or "")[:_MAX_ATTRIBUTE]

    match tag:
        case "img":
            picture = _picture(value)
            if picture is not None:
                yield picture, Kind.IMAGE
        case "source":
            chosen = largest(value("srcset")) or _first(value, *_LAZY_SETS)
            if chosen:
                yield chosen, Kind.IMAGE
            for name in ("src", "data-src"):
                if value(name):
                    yield value(name), Kind.MEDIA
                    break
        case "video" | "audio":
            for name in ("src", "data-src"):
                if value(name):
                    yield value(name), Kind.MEDIA
                    break
            if value("poster"):
                yield value("poster"), Kind.IMAGE
        case "input":
            if value("type").lower() == "image" and value("src"):
                yield value("src"), Kind.IMAGE
        case "image":
            reference = value("href") or value("xlink:href")
            if reference:
                yield reference, Kind.IMAGE
        case "link":
            if _ICONS & set(value("rel").lower().split()) and value("href"):
                yield value("href"), Kind.ICON
        case "meta":
            name = (value("property") or value("name")).strip().lower()
            if name in _META and value("content"):
                yield value("content"), Kind(_META[name])
        case "a" | "area":
            if value("href"):
                yield value("href"), Kind.LINK
    if "url(" in value("style").lower():
        for quoted in _STYLE_URL.finditer(value("style")):
            yield quoted[1] or quoted[2] or quoted[3] or "", Kind.STYLE


def _picture(value: Any) -> str | None:
    """The one file of an ``img``."""
    options = [
        largest(value("srcset")),
        *(largest(value(name)) for name in _LAZY_SETS),
        *map(value, _LAZY),
        value("src"),
    ]
    return next((option for option in options if option and _may_be_http(option)), None)


def _first(value: Any, *names: str) -> str | None:
    return next((chosen for name in names if (chosen := largest(value(name)))), None)


def _may_be_http(reference: str) -> bool:
    scheme = _SCHEME.match(reference.strip())
    return scheme is None or scheme[0].lower() in {"http:", "https:"}


def _joined(base: str, reference: str) -> str | None:
    """The absolute URL (WHATWG URL: spaces around and line breaks inside do not count), unchecked."""
    cleaned = reference.strip(" \t\n\f\r").translate({9: None, 10: None, 13: None})
    if not cleaned or not _may_be_http(cleaned):
        return None
    try:
        return urljoin(base, cleaned)
    except ValueError:
        return None


def _target(base: str, reference: str) -> str | None:
    """The URL in normal form; None for what is no http URL."""
    joined = _joined(base, reference)
    if joined is None or reference.strip().startswith("#"):
        return None
    try:
        return check(joined.partition("#")[0])
    except InvalidRequest:
        return None


def _decoded(content: bytes, charset: str | None) -> str:
    """The page as text: by its mark, by what HTTP said, by what it says itself, else as UTF-8 or windows-1252."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(name, "replace")
    said = _META_CHARSET.search(content, 0, 1024)
    for label in (charset, said[1].decode("ascii") if said else None):
        codec = _codec(label)
        if codec is not None:
            return content.decode(codec, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("windows-1252", "replace")


def _codec(label: str | None) -> str | None:
    """Python's name of a text encoding that strangers may choose."""
    if not label:
        return None
    name = label.strip().lower()
    name = {"x-sjis": "cp932", "shift_jis": "cp932", "iso-8859-1": "windows-1252", "gb2312": "gb18030"}.get(name, name)
    if name in {"utf-16", "utf-32", "utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape"}:
        return "utf-8" if name == "utf-16" else None  # a page that could be read so far is none of these
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    return info.name if getattr(info, "_is_text_encoding", True) else None
