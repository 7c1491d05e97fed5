"""Walk from a page to the files it shows and links to, and on to other pages of its host if asked to.

Reads pages one after another, as the downloads make room for more; asks robots.txt of every origin first.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from penstock.core.rows import BadRow, Row
from penstock.core.urls import origin, redact
from penstock.errors import DownloadError, ProtocolError, Reason, ServerRefused
from penstock.model import Document, Origin
from penstock.pages.choose import Choice, follows
from penstock.pages.extract import MAX_PAGE_BYTES, extract
from penstock.pages.robots import MAX_BYTES, Robots, robots_url

#: Pages that are read, and URLs that are remembered so as to be taken once, at most.
MAX_PAGES: Final = 100_000
MAX_URLS: Final = 1_000_000
_KEPT_ROBOTS: Final = 1000
_FORBIDDEN: Final = "robots.txt does not allow it (--no-robots asks all the same)"
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})


class Reader(NamedTuple):
    """Who fetches pages: `read(url, max_size)` raises DownloadError, `slow_down(origin, pace)` asks an origin at most
    `pace` times a second, `note` tells a person what was left out."""

    read: Callable[[str, int], Document]
    slow_down: Callable[[Origin, float], None]
    note: Callable[[str], None]


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
        self._robots: OrderedDict[Origin, Robots] = OrderedDict()
        self._seen: set[str] = set()

    def begin(self, reader: Reader) -> Document:
        """Read the first page; raises DownloadError when it cannot be had, or robots.txt does not allow it."""
        self._reader = reader
        start = self._walk.start
        if not self._is_allowed(start):
            raise ServerRefused(f"{redact(start)}: {_FORBIDDEN}", url=redact(start), reason=Reason.UNWANTED)
        document = self._first = reader.read(start, MAX_PAGE_BYTES + 1)
        if document.media_type is not None and document.media_type not in _HTML:
            message = f"{redact(start)}: it is {document.media_type}, not a page; penstock get fetches it"
            raise ProtocolError(message, url=redact(start))
        return document

    def files(self, reader: Reader, may_touch: Callable[[str], bool]) -> Iterator[Row | BadRow]:
        """The files, each once, as pages are read. `may_touch` is asked about every URL first."""
        self._reader = reader
        pages = deque([(self._walk.start, 1)])
        seen = {self._walk.start}
        while pages:
            url, depth = pages.popleft()
            try:
                document = self._document(url)
            except DownloadError as error:
                yield BadRow(0, redact(url), error.message)
                continue
            if document is None:
                continue
            for item in extract(document.content, url=document.url, charset=document.charset).found:
                if self._walk.choice.wants(item):
                    yield from self._take(item.url, may_touch)
                is_next = depth < self._walk.depth and item.url not in seen and follows(item, document.url)
                if is_next and len(seen) < MAX_PAGES and may_touch(item.url):
                    seen.add(item.url)
                    pages.append((item.url, depth + 1))

    def _document(self, url: str) -> Document | None:
        """The page at `url`; None for what is no page."""
        if url == self._walk.start and self._first is not None:
            first, self._first = self._first, None
            return first
        if not self._is_allowed(url):
            return None
        document = self._reader.read(url, MAX_PAGE_BYTES + 1)
        return document if document.media_type is None or document.media_type in _HTML else None

    def _take(self, url: str, may_touch: Callable[[str], bool]) -> Iterator[Row | BadRow]:
        if url in self._seen or len(self._seen) >= MAX_URLS:
            return
        self._seen.add(url)
        if not may_touch(url):
            self._reader.note(f"left out: {redact(url)}: a private address, and the page is public (--allow-private)")
        elif not self._is_allowed(url):
            self._reader.note(f"left out: {redact(url)}: {_FORBIDDEN}")
        else:
            yield Row((url,), len(self._seen))

    def _is_allowed(self, url: str) -> bool:
        if not self._walk.obeys_robots:
            return True
        place = origin(url)
        rules = self._robots.get(place)
        if rules is None:
            rules = self._robots[place] = self._read_robots(url)
            if rules.delay is not None:
                self._reader.slow_down(place, 1 / rules.delay)
            if len(self._robots) > _KEPT_ROBOTS:
                self._robots.popitem(last=False)
        return rules.allows(url)

    def _read_robots(self, url: str) -> Robots:
        try:
            document = self._reader.read(robots_url(url), MAX_BYTES)
        except ServerRefused as error:
            return Robots.for_answer(error.status or 503, b"")
        except DownloadError:
            # an origin that does not answer has no rules to break: its files will say what is wrong with it
            return Robots.for_answer(404, b"")
        return Robots.for_answer(200, document.content)
