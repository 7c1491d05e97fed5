"""What robots.txt allows (RFC 9309), for our own agent name."""

from __future__ import annotations

import math
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

AGENT: Final = "penstock"
#: Bytes of a robots.txt that are read (RFC 9309 §2.5).
MAX_BYTES: Final = 500 * 1024
#: A longer Crawl-delay is taken as this, seconds.
MAX_DELAY: Final = 60.0


class Robots:
    """The rules of one origin."""

    def __init__(self, rules: Any | None, *, allows_all: bool) -> None:
        self._rules = rules
        self._allows_all = allows_all

    @classmethod
    def for_answer(cls, status: int, content: bytes) -> Robots:
        """From the answer to the request for it: a 4xx allows everything, a 5xx or none nothing (RFC 9309 §2.3.1)."""
        if 400 <= status < 500:
            return cls(None, allows_all=True)
        if not 200 <= status < 300:
            return cls(None, allows_all=False)
        from protego import Protego

        return cls(Protego.parse(content[:MAX_BYTES].decode("utf-8", "replace")), allows_all=True)

    def allows(self, url: str) -> bool:
        """True when we may ask for `url`."""
        if self._rules is None:
            return self._allows_all
        return bool(self._rules.can_fetch(url, AGENT))

    @property
    def delay(self) -> float | None:
        """Seconds that it wants between requests (Crawl-delay, a common extension)."""
        said = None if self._rules is None else self._rules.crawl_delay(AGENT)
        if said is None or not math.isfinite(said) or said <= 0:
            return None
        return min(MAX_DELAY, float(said))


def robots_url(url: str) -> str:
    """Where the rules for `url` are."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))
