"""Where a redirect leads, and whether to go there (RFC 9110 §15.4)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote_from_bytes, urljoin

from penstock.core.disposition import as_utf8
from penstock.core.urls import check, origin, strip_userinfo
from penstock.errors import InvalidRequest
from penstock.model import Head

REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
#: `urljoin` would drop some of these silently and so make another URL.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_ASCII: Final = bytes(range(128))


class Follow(NamedTuple):
    """Go to `url`; credentials stay behind when it `crosses_origin`."""

    url: str
    crosses_origin: bool


class Refused(NamedTuple):
    """Do not go there."""

    why: str


def follow(url: str, head: Head, hops: int, *, max_redirects: int, allow_downgrade: bool) -> Follow | Refused | None:
    """What to do with an answer from `url` after `hops` redirects; None when it is not a redirect."""
    if head.status not in REDIRECT_STATUSES:
        return None
    location = (head.all("location") or ("",))[0].strip(" \t")
    if not location:
        return Refused(f"HTTP {head.status} without a Location")
    if hops >= max_redirects:
        return Refused(f"more than {max_redirects} redirects; --max-redirs allows more")
    if _CONTROL.search(location):
        return Refused("a redirect to a URL with a control character")
    try:
        target = strip_userinfo(check(urljoin(url, _readable(location))))
    except InvalidRequest as error:
        return Refused(f"a redirect to a URL that is not followed: {error}")
    except ValueError:  # from urljoin, whose message may show a password
        return Refused("a redirect to a malformed URL")
    if origin(url).scheme == "https" and origin(target).scheme == "http" and not allow_downgrade:
        return Refused("a redirect from https to http; --allow-downgrade follows it")
    return Follow(target, origin(url) != origin(target))


def _readable(location: str) -> str:
    """Bytes beyond ASCII are UTF-8, or else kept as the very bytes they are: another escape names another file."""
    text = as_utf8(location)
    if text.isascii() or text != location:
        return text
    try:
        return quote_from_bytes(location.encode("latin-1"), safe=_ASCII)
    except UnicodeEncodeError:  # not from the wire
        return location
