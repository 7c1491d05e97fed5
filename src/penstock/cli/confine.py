"""Keep what a user gave for one origin from the others that a page leads to (CVE-2018-1000007's class).

Credentials, cookies and headers go to the origin that the user named, and to no other.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from penstock.core.rows import BadRow, Row
from penstock.core.urls import origin, userinfo
from penstock.model import Document, Options
from penstock.pages.crawl import HTML
from penstock.pages.reader import Reader
from penstock.pages.robots import robots_url

if TYPE_CHECKING:
    from penstock.api import Downloader

#: An origin that does not tell its rules soon must not hold the rest up: seconds, and tries.
_ROBOTS_SECONDS: Final = 10.0
_ROBOTS_TRIES: Final = 3


class Confined:
    """The options for the origin of `home`, and those for any other."""

    def __init__(self, home: str, options: Options) -> None:
        self._origin = origin(home)
        self._user = options.credentials if options.credentials is not None else userinfo(home)
        self._headers = options.headers
        if options.cookies is not None:
            self._headers = (*self._headers, ("Cookie", options.cookies))
        self.elsewhere = replace(options, headers=(), credentials=None, cookies=None)
        self._home = replace(options, credentials=self._user)

    def row(self, row: Row | BadRow) -> Row | BadRow:
        """The row with what belongs to its origin."""
        if isinstance(row, BadRow) or origin(row.urls[0]) != self._origin:
            return row
        url = row.urls[0]
        if self._user is not None:
            user, _, password = self._user.partition(":")
            parts = urlsplit(url)
            netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
            url = parts._replace(netloc=netloc).geturl()
        return row._replace(urls=(url,), headers=self._headers)

    def reader(
        self,
        downloader: Downloader,
        wait: Callable[[Future[Document]], Document],
        note: Callable[[str], None],
    ) -> Reader:
        """Reads pages, and the robots.txt of any origin."""

        def read(url: str, max_size: int) -> Future[Document]:
            options = self._home if origin(url) == self._origin else self.elsewhere
            plain = replace(options, reject_types=(), min_size=None, max_size=None)
            if url == robots_url(url):
                plain = replace(
                    plain,
                    accept_types=(),
                    connect_timeout=min(options.connect_timeout, _ROBOTS_SECONDS),
                    stall_timeout=min(options.stall_timeout, _ROBOTS_SECONDS),
                    max_tries=min(options.max_tries or _ROBOTS_TRIES, _ROBOTS_TRIES),
                    deadline=min(options.deadline or 2 * _ROBOTS_SECONDS, 2 * _ROBOTS_SECONDS),
                )
            else:
                plain = replace(plain, accept_types=HTML)
            return downloader.read(url, max_size, **vars(plain))

        return Reader(read, wait, downloader.slow_down, note)
