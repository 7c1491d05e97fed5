"""Walk from a page to the files it shows and links to, and on to other pages of its host if asked to.

Reads pages one after another, as the downloads make room for more; asks robots.txt of every origin first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from penstock.core.rows import BadRow, Row
from penstock.core.urls import identity, origin, redact
from penstock.errors import DownloadError, ProtocolError, Reason, ServerRefused
from penstock.model import Document
from penstock.pages.choose import Choice, follows
from penstock.pages.extract import MAX_LINKS, MAX_PAGE_BYTES, Found, extract
from penstock.pages.reader import Reader
from penstock.pages.rules import Rules

#: Pages that are read, and URLs that are remembered so as to be taken once, at most.
MAX_PAGES: Final = 100_000
MAX_URLS: Final = 1_000_000
#: Notes of what was left out that are told.
MAX_NOTES: Final = 20
#: Media types of pages.
HTML: Final = ("text/html", "application/xhtml+xml")
_FORBIDDEN: Final = "robots.txt does not allow it (--no-robots asks all the same)"


class Walk(NamedTuple):
    """Where to begin, how far to go (`depth` 1: that page alone), and what to take."""

    start: str
    choice: Choice
    depth: int = 1
    obeys_robots: bool = True


class Crawl:
    """One walk. First `begin`, then `files`, which is for one thread."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._reader: Reader
        self._first: Document | None = None
        self._rules = Rules()
        self._taken: set[str] = set()
        self._notes = 0
        self._limits: set[str] = set()
        #: Pages that were come to, and the hosts that they may be on.
        self._pages = {walk.start}
        self._hosts = {urlsplit(walk.start).hostname}

    def begin(self, reader: Reader) -> Document:
        """Read the first page; raises DownloadError when it cannot be had, or robots.txt does not allow it."""
        self._take_over(reader)
        start = self._walk.start
        self._check_allowed(start)
        document = reader.wait(reader.read(start, MAX_PAGE_BYTES + 1))
        if document.media_type is not None and document.media_type not in HTML:
            message = f"{redact(start)}: it is {document.media_type}, not a page; penstock get fetches it"
            raise ProtocolError(message, url=redact(start))
        if origin(document.url) != origin(start):
            self._check_allowed(document.url)
        self._first = document
        self._pages.add(document.url)
        self._hosts.add(urlsplit(document.url).hostname)
        return document

    def files(self, reader: Reader, may_touch: Callable[[str], bool]) -> Iterator[Row | BadRow]:
        """The files, each once, as pages are read. `may_touch` is asked about every URL first."""
        self._take_over(reader)
        pages = deque([(self._walk.start, 1)])
        while pages:
            url, depth = pages.popleft()
            try:
                document = self._document(url)
            except DownloadError as error:
                yield BadRow(0, redact(url), error.message)
                continue
            if document is None:
                continue
            page = extract(document.content, url=document.url, charset=document.charset)
            if page.is_cut:
                most = f"{MAX_LINKS:,} links and {MAX_PAGE_BYTES // 2**20} MiB"
                yield BadRow(0, redact(url), f"the page is too large: only its first {most} were looked at")
            yield from self._chosen(page.found, may_touch)
            if depth < self._walk.depth:
                links, trouble = self._next(page.found, may_touch)
                pages.extend((link, depth + 1) for link in links)
                if trouble is not None:
                    yield trouble

    def _take_over(self, reader: Reader) -> None:
        self._reader = self._rules.reader = reader

    def _document(self, url: str) -> Document | None:
        """The page at `url`; None for what is no page, or none of ours."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._walk.obeys_robots and not self._rules.of(url).allows(url):
            return None
        document = self._reader.wait(self._reader.read(url, MAX_PAGE_BYTES + 1))
        if document.url != identity(url):  # a redirect
            if document.url in self._pages or urlsplit(document.url).hostname not in self._hosts:
                return None
            self._pages.add(document.url)
        return document if document.media_type is None or document.media_type in HTML else None

    def _next(self, found: tuple[Found, ...], may_touch: Callable[[str], bool]) -> tuple[list[str], BadRow | None]:
        """The pages to go on to; and once, that there were too many."""
        links: list[str] = []
        for item in found:
            if item.url in self._pages or not follows(item, self._hosts) or not may_touch(item.url):
                continue
            if len(self._pages) >= MAX_PAGES:
                return links, self._too_many(item.url, f"{MAX_PAGES:,} pages are the most that are read")
            self._pages.add(item.url)
            links.append(item.url)
        return links, None

    def _chosen(self, found: tuple[Found, ...], may_touch: Callable[[str], bool]) -> Iterator[Row | BadRow]:
        """The files that are wanted and were not taken before."""
        urls = [item.url for item in found if item.url not in self._taken and self._walk.choice.wants(item)]
        if self._walk.obeys_robots:
            self._rules.expect(url for url in urls if may_touch(url))
        for url in urls:
            if len(self._taken) >= MAX_URLS:
                if (trouble := self._too_many(url, f"{MAX_URLS:,} files are the most that are taken")) is not None:
                    yield trouble
                return
            self._taken.add(url)
            row = self._row(url, may_touch)
            if row is not None:
                yield row

    def _too_many(self, url: str, why: str) -> BadRow | None:
        """That a limit was reached, which is a failure: once for each limit, at the first URL that is left out."""
        if why in self._limits:
            return None
        self._limits.add(why)
        return BadRow(0, redact(url), f"{why}: this one and more are left out")

    def _row(self, url: str, may_touch: Callable[[str], bool]) -> Row | BadRow | None:
        if not may_touch(url):
            self._note(f"left out: {redact(url)}: a private address, and the page is public (--allow-private)")
            return None
        if self._walk.obeys_robots:
            rules = self._rules.of(url)
            if rules.trouble is not None:
                return BadRow(0, redact(url), f"{rules.trouble.message} (--no-robots asks all the same)")
            if not rules.allows(url):
                self._note(f"left out: {redact(url)}: {_FORBIDDEN}")
                return None
        return Row((url,), len(self._taken))

    def _check_allowed(self, url: str) -> None:
        """Raise when robots.txt forbids it, or cannot be read."""
        if not self._walk.obeys_robots:
            return
        rules = self._rules.of(url)
        if rules.trouble is not None:
            raise rules.trouble
        if not rules.allows(url):
            raise ServerRefused(f"{redact(url)}: {_FORBIDDEN}", url=redact(url), reason=Reason.UNWANTED)

    def _note(self, text: str) -> None:
        self._notes += 1
        if self._notes <= MAX_NOTES:
            self._reader.note(text)
        elif self._notes == MAX_NOTES + 1:
            self._reader.note("more of what was left out is not shown")
