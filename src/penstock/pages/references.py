"""Turn what an attribute says into a URL, as browsers do (WHATWG URL standard)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote_from_bytes, urljoin, urlsplit

from penstock.core.urls import check
from penstock.errors import InvalidRequest

_HTTP: Final = frozenset({"http:", "https:"})
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
#: Controls and spaces around a URL do not count, nor do tabs and line breaks inside.
_AROUND: Final = "".join(map(chr, range(0x21)))
_INSIDE: Final = {9: None, 10: None, 13: None}
#: More slashes than two before a host are two.
_SLASHES: Final = re.compile(r"^((?:https?:)?)/{3,}", re.IGNORECASE)
_NO_HOST: Final = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_DOTS: Final = re.compile(r"(?<=/)(?:\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")


def may_be_http(reference: str) -> bool:
    """False for ``data:``, ``javascript:`` and the like."""
    scheme = _SCHEME.match(_cleaned(reference))
    return scheme is None or scheme[0].lower() in _HTTP


def joined(base: str, reference: str, encoding: str = "utf-8") -> str | None:
    """The absolute URL without its fragment, unchecked; None for what is no http URL. `encoding` is the page's: in a
    query it counts."""
    address = _cleaned(reference).partition("#")[0]
    if not address or not may_be_http(address):
        return None
    path, mark, query = address.partition("?")
    path = _SLASHES.sub(r"\1//", path.replace("\\", "/"))
    if _NO_HOST.fullmatch(path):  # `urljoin` would make it the page itself
        return None
    query = _FOREIGN.sub(lambda match: quote_from_bytes(match[0].encode(encoding, "xmlcharrefreplace"), ""), query)
    try:
        url = urljoin(base, path + mark + query)
        # `urljoin` takes dots out of relative references only, but the server is asked without any
        place = urlsplit(url)
        if "/." in place.path or "/%2" in place.path:
            dots = _DOTS.sub(lambda match: match[0].lower().replace("%2e", "."), place.path)
            url = urljoin(url, place._replace(scheme="", netloc="", path=dots).geturl())
    except ValueError:
        return None
    return url


def resolved(base: str, reference: str, encoding: str = "utf-8") -> str | None:
    """The URL in normal form; None for what cannot be asked for."""
    url = joined(base, reference, encoding)
    try:
        return check(url) if url is not None else None
    except InvalidRequest:
        return None


def _cleaned(reference: str) -> str:
    return reference.strip(_AROUND).translate(_INSIDE)
