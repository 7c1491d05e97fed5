"""What robots.txt allows (RFC 9309), for our own agent name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from penstock.core.retry import status_line
from penstock.errors import DownloadError, ServerRefused

AGENT: Final = "penstock"
#: Bytes of a robots.txt that are read (RFC 9309 §2.5).
MAX_BYTES: Final = 500 * 1024
#: A longer Crawl-delay is taken as this, seconds.
MAX_DELAY: Final = 60.0
_LINE: Final = re.compile(r"\r\n|\r|\n")
_AGENT_LINE: Final = re.compile(r"\s*user[ -]?agent\s*[:\s]\s*(\*|[a-z_-]*)", re.IGNORECASE)
#: Lines that belong to no group.
_ASIDE: Final = re.compile(r"\s*(?:#.*|site-?maps?\b.*|host\b.*)?", re.IGNORECASE)


class Robots:
    """The rules of one origin. `trouble` says why they are not known: then nothing is allowed."""

    def __init__(self, rules: Any | None = None, *, trouble: DownloadError | None = None) -> None:
        self._rules = rules
        self.trouble = trouble

    @classmethod
    def for_answer(cls, status: int, content: bytes) -> Robots:
        """From the answer to the request for it: a 4xx allows everything, a 5xx or none nothing (RFC 9309 §2.3.1). A
        429 says that it is asked too much, not that there are no rules."""
        if 400 <= status < 500 and status != 429:
            return cls()
        if not 200 <= status < 300:
            return cls(trouble=ServerRefused(status_line(status), status=status))
        from protego import Protego

        text = content[:MAX_BYTES].decode("utf-8-sig", "replace")
        return cls(Protego.parse("\n".join(_of_ours(text))))

    def allows(self, url: str) -> bool:
        """True when we may ask for `url`."""
        if self._rules is None:
            return self.trouble is None
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


def _of_ours(text: str) -> Iterator[str]:
    """The groups for our name and for everybody: parsed whole, many names with many rules multiply (S19)."""
    is_ours = are_names = False
    for line in _LINE.split(text):
        if _ASIDE.fullmatch(line):
            continue
        name = _AGENT_LINE.match(line)
        if name is None:
            are_names = False
            if is_ours:
                yield line
            continue
        token = name[1].lower()
        is_ours = (is_ours and are_names) or token in {"*", AGENT}
        are_names = True
        if token in {"*", AGENT}:
            yield f"User-agent: {token}"
