"""Which of the files of a page are wanted.

Patterns are globs on the file's name (``*.jpg``) or its path (``photos/*``), or media types (``image/*``), which are
known only when the server answers. Without ``accept``, everything is wanted that the page shows, and links to files:
those with an extension that is not a page's.
"""

from __future__ import annotations

import fnmatch
import re
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from penstock.core.addresses import is_public
from penstock.pages.extract import Found, Kind

_MEDIA_TYPE: Final = re.compile(r"(image|video|audio|text|application|font|model)/[^/]+", re.IGNORECASE)
_EXTENSION: Final = re.compile(r"\.([A-Za-z0-9]{1,10})$")
_PAGES: Final = frozenset({"html", "htm", "xhtml", "shtml", "php", "php5", "asp", "aspx", "jsp", "jspx", "cgi", "do"})


class Choice(NamedTuple):
    """What is wanted. All patterns are compared without case."""

    accept: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()

    @property
    def accepted_types(self) -> tuple[str, ...]:
        """Media types that are wanted; none: any."""
        return tuple(pattern.lower() for pattern in self.accept if _MEDIA_TYPE.fullmatch(pattern))

    @property
    def rejected_types(self) -> tuple[str, ...]:
        """Media types that are not."""
        return tuple(pattern.lower() for pattern in self.reject if _MEDIA_TYPE.fullmatch(pattern))

    def wants(self, found: Found) -> bool:
        """True when it is to be asked for; its media type may still speak against it."""
        path = unquote(urlsplit(found.url).path).lower()
        if any(_matches(path, pattern) for pattern in self.reject if not _MEDIA_TYPE.fullmatch(pattern)):
            return False
        globs = [pattern for pattern in self.accept if not _MEDIA_TYPE.fullmatch(pattern)]
        if any(_matches(path, pattern) for pattern in globs):
            return True
        if self.accept:
            # a pattern for media types can only be tried on what comes
            return bool(self.accepted_types) and not globs and (found.kind is not Kind.LINK or not is_page(found.url))
        return found.kind is not Kind.LINK or not is_page(found.url)


def is_page(url: str) -> bool:
    """True when a link looks like another page rather than a file."""
    extension = _EXTENSION.search(urlsplit(url).path.rpartition("/")[2])
    return extension is None or extension[1].lower() in _PAGES


def follows(found: Found, start: str) -> bool:
    """True for a link to another page of the same host."""
    return found.kind is Kind.LINK and is_page(found.url) and urlsplit(found.url).hostname == urlsplit(start).hostname


def is_public_url(url: str) -> bool:
    """False for a URL whose host is a private address as it is written, or this machine or network by name."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return False
    is_number = ":" in host or host.rpartition(".")[2].isdigit()
    return is_public(host) if is_number else True


def _matches(path: str, pattern: str) -> bool:
    pattern = pattern.lower()
    if "/" in pattern:
        return fnmatch.fnmatchcase(path, pattern if pattern.startswith("/") else f"*/{pattern}")
    return fnmatch.fnmatchcase(path.rpartition("/")[2], pattern)
