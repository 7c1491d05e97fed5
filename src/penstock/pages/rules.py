"""Hold the robots.txt of every origin that a walk comes to, asking those ahead while the first is waited for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Final

from penstock.core.urls import origin
from penstock.errors import DownloadError, Reason, ServerRefused
from penstock.model import Document, Origin
from penstock.pages.reader import Reader
from penstock.pages.robots import MAX_BYTES, Robots, robots_url

#: Origins that are asked at once: an origin that does not answer takes many seconds.
MAX_ASKED: Final = 16
_KEPT: Final = 1000


class Rules:
    """The rules of origins. For one thread; `reader` may be replaced between two questions."""

    def __init__(self) -> None:
        self.reader: Reader
        self._known: OrderedDict[Origin, Robots] = OrderedDict()
        self._asked: dict[Origin, Future[Document]] = {}
        self._ahead: OrderedDict[Origin, str] = OrderedDict()

    def expect(self, urls: Iterable[str]) -> None:
        """These will be asked about next, in this order."""
        self._ahead = OrderedDict((origin(url), url) for url in reversed(list(urls)))
        self._ask_ahead()

    def of(self, url: str) -> Robots:
        """The rules for `url`, waited for."""
        place = origin(url)
        if place not in self._known:
            self._ask(url)
            robots = _judged(self._asked.pop(place), self.reader)
            self._keep(place, robots)
            self._ask_ahead()
        return self._known[place]

    def _ask_ahead(self) -> None:
        while self._ahead and len(self._asked) < MAX_ASKED:
            self._ask(self._ahead.popitem()[1])

    def _ask(self, url: str) -> None:
        place = origin(url)
        self._ahead.pop(place, None)
        if place not in self._known and place not in self._asked:
            self._asked[place] = self.reader.read(robots_url(url), MAX_BYTES)

    def _keep(self, place: Origin, robots: Robots) -> None:
        self._known[place] = robots
        if robots.delay is not None:
            self.reader.slow_down(place, 1 / robots.delay)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)


def _judged(asked: Future[Document], reader: Reader) -> Robots:
    try:
        return Robots.for_answer(200, reader.wait(asked).content)
    except ServerRefused as error:
        if error.reason is Reason.REDIRECT:  # it leads nowhere: as if there were none (RFC 9309 §2.3.1.2)
            return Robots()
        robots = Robots.for_answer(error.status, b"")
        return robots if robots.trouble is None else Robots(trouble=error)
    except DownloadError as error:  # it must be taken for a refusal (RFC 9309 §2.3.1.4)
        return Robots(trouble=error)
