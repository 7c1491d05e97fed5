"""Which of the files of a page are wanted.

Patterns are globs on the file's name (``*.jpg``) or its path (``photos/*``), or media types (``image/*``), which are
known only when the server answers. What any of the accepted ones fits is wanted, unless a rejected one fits too.
Without ``accept``, everything is wanted that the page shows, and links to files: those with an extension that is not a
page's.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from penstock.core.wanted import fits
from penstock.pages.extract import Found, Kind

#: A subtype with a star and more, as in ``image/*.jpg``, is a folder's.
_MEDIA_TYPE: Final = re.compile(
    r"(?:image|video|audio|text|application|font|model)/(?:\*|[a-z0-9][a-z0-9.+-]*\*?)", re.IGNORECASE
)
_EXTENSION: Final = re.compile(r"\.([A-Za-z0-9]{1,10})$")
_PAGES: Final = frozenset({
    "html", "htm", "xhtml", "xht", "shtml", "phtml", "php", "php3", "php4", "php5", "php7", "asp", "aspx", "jsp",
    "jspx", "cgi", "cfm", "do", "action",
})  # fmt: skip


class Choice(NamedTuple):
    """What is wanted. All patterns are compared without case."""

    accept: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()

    @property
    def accepted_names(self) -> tuple[str, ...]:
        """Globs on names and paths that are wanted, whatever the media type."""
        return tuple(pattern for pattern in self.accept if not _MEDIA_TYPE.fullmatch(pattern))

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
        if any(fits(found.url, pattern) for pattern in self.reject if not _MEDIA_TYPE.fullmatch(pattern)):
            return False
        if any(fits(found.url, pattern) for pattern in self.accepted_names):
            return True
        if self.accept and not self.accepted_types:
            return False
        # a pattern for media types can only be tried on what comes
        return found.kind is not Kind.LINK or not is_page(found.url)


def is_page(url: str) -> bool:
    """True when a link looks like another page rather than a file."""
    extension = _EXTENSION.search(urlsplit(url).path.rpartition("/")[2])
    return extension is None or extension[1].lower() in _PAGES


def follows(found: Found, hosts: Collection[str | None]) -> bool:
    """True for a link to a page on one of `hosts`."""
    return found.kind is Kind.LINK and is_page(found.url) and urlsplit(found.url).hostname in hosts
