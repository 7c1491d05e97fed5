"""Find what an HTML page shows and links to.

Pictures with their largest candidate, lazy ones too; media, icons, backgrounds of inline styles, and links. One file is
found for each ``img`` and each ``source``: of ``srcset``, the attributes that lazy loaders use, and ``src``, in this
order, the first that is an http URL. Style sheets and scripts are not looked at, nor what they would show. Knows no
network.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from penstock.pages.charset import decoded
from penstock.pages.references import joined, may_be_http, resolved
from penstock.pages.srcset import largest
from penstock.pages.styles import style_urls
from penstock.pages.tags import tags

#: Bytes of a page that are looked at.
MAX_PAGE_BYTES: Final = 16 * 1024 * 1024
#: Links of a page that are kept.
MAX_LINKS: Final = 100_000
#: Characters of an attribute that are looked at.
_MAX_ATTRIBUTE: Final = 64 * 1024
#: Where lazy loaders keep the real picture.
_LAZY: Final = (
    "data-src", "data-original", "data-lazy-src", "data-hi-res-src", "data-full-src", "data-large-file",
    "data-original-src", "data-actualsrc",
)  # fmt: skip
#: Where some do, and others keep anything else: only what is named like a picture is one.
_LAZY_PERHAPS: Final = ("data-lazy", "data-url", "data-image")
_PICTURE: Final = re.compile(r"[^?#]*\.(?:jpe?g|png|gif|webp|avif|svg|bmp|jxl|heic|tiff?)(?:[?#].*)?", re.I | re.S)
_LAZY_SETS: Final = ("data-srcset", "data-lazy-srcset", "data-original-set")
_LAZY_BACKGROUNDS: Final = ("data-bg", "data-background", "data-background-image", "data-bg-src")
#: What other uses of these attributes hold: flags, numbers, JSON and the like. A file has a dot or a slash.
_NO_FILE: Final = re.compile(r"\s*(?:[\[{].*|[^./]*|[0-9.]*)\s*", re.DOTALL)
_ICONS: Final = frozenset({"icon", "apple-touch-icon", "apple-touch-icon-precomposed", "image_src", "mask-icon"})


class Kind(enum.Enum):
    """What a page has a file for."""

    IMAGE = "image"
    MEDIA = "media"
    ICON = "icon"
    STYLE = "style"
    LINK = "link"


#: Players are mostly pages that are to be shown in a frame: only what looks like a file is one.
_META: Final = {
    "og:image": Kind.IMAGE, "og:image:url": Kind.IMAGE, "og:image:secure_url": Kind.IMAGE, "twitter:image": Kind.IMAGE,
    "twitter:image:src": Kind.IMAGE, "og:video": Kind.LINK, "og:video:url": Kind.LINK, "og:video:secure_url": Kind.LINK,
    "og:audio": Kind.MEDIA, "og:audio:url": Kind.MEDIA, "og:audio:secure_url": Kind.MEDIA,
}  # fmt: skip


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
    text, encoding = decoded(content[:MAX_PAGE_BYTES], charset)
    is_cut = len(content) > MAX_PAGE_BYTES
    base: str | None = None
    raw: dict[tuple[str, Kind], None] = {}
    for name, attributes in tags(text):
        if len(raw) >= MAX_LINKS:
            is_cut = True
            break
        if name == "base" and base is None and "href" in attributes:
            base = joined(url, attributes["href"] or "", encoding) or url  # the first one, whatever it says
        raw.update(dict.fromkeys(_of(name, attributes)))
    found: dict[str, Found] = {}
    for reference, kind in raw:
        target = resolved(base or url, reference, encoding)
        if target is None:
            continue
        # what is shown is wanted, whatever links to it besides
        if target not in found or found[target].kind is Kind.LINK:
            found[target] = Found(target, kind)
    return Page(tuple(found.values()), is_cut)


def _of(name: str, attributes: dict[str, str | None]) -> Iterator[tuple[str, Kind]]:
    """The references of one element, none of them empty."""

    def value(attribute: str) -> str:
        return (attributes.get(attribute) or "").strip()[:_MAX_ATTRIBUTE]

    references = _ELEMENTS.get(name, _nothing)(value)
    backgrounds = (value("background"), *(value(lazy) for lazy in _LAZY_BACKGROUNDS if _may_be_file(value(lazy))))
    for reference, kind in references:
        if reference:
            yield reference, kind
    for reference in backgrounds:
        if reference:
            named = list(style_urls(reference)) or [reference]
            yield from ((one, Kind.STYLE) for one in named)
    for reference in style_urls(value("style")):
        yield reference, Kind.STYLE


Value = Callable[[str], str]
References = Iterator[tuple[str, Kind]]


def _nothing(_value: Value) -> References:
    yield from ()


def _img(value: Value) -> References:
    options = [
        largest(*map(value, _LAZY_SETS), value("srcset")),
        *(value(name) for name in _LAZY if _may_be_file(value(name))),
        *(value(name) for name in _LAZY_PERHAPS if _PICTURE.fullmatch(value(name))),
        value("src"),
    ]
    yield next((option for option in options if option and may_be_http(option)), ""), Kind.IMAGE


def _source(value: Value) -> References:
    yield largest(*map(value, _LAZY_SETS), value("srcset")) or "", Kind.IMAGE
    yield from _media(value)


def _media(value: Value) -> References:
    yield value("src") or value("data-src"), Kind.MEDIA
    yield value("poster") or value("data-poster"), Kind.IMAGE


def _input(value: Value) -> References:
    yield value("src") if value("type").lower() == "image" else "", Kind.IMAGE


def _drawn(value: Value) -> References:
    yield value("href") or value("xlink:href"), Kind.IMAGE


def _link(value: Value) -> References:
    yield value("href") if _ICONS & set(value("rel").lower().split()) else "", Kind.ICON


def _meta(value: Value) -> References:
    for attribute in ("property", "name"):
        kind = _META.get(value(attribute).lower())
        if kind is not None:
            yield value("content"), kind
            return


def _anchor(value: Value) -> References:
    yield value("href"), Kind.LINK


def _frame(value: Value) -> References:
    yield value("src") or value("data"), Kind.LINK


_ELEMENTS: Final[dict[str, Callable[[Value], References]]] = {
    "img": _img, "source": _source, "video": _media, "audio": _media, "track": _media, "input": _input,
    "image": _drawn, "link": _link, "meta": _meta, "a": _anchor, "area": _anchor,
    "embed": _frame, "object": _frame, "iframe": _frame, "frame": _frame,
}  # fmt: skip


def _may_be_file(text: str) -> bool:
    return _NO_FILE.fullmatch(text) is None
