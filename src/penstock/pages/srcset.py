"""The candidates of a ``srcset`` attribute (WHATWG HTML, "parsing a srcset attribute"), in linear time."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from penstock.pages.references import may_be_http

#: Candidates in one attribute, at most.
MAX_CANDIDATES: Final = 1000
_SPACE: Final = " \t\n\f\r"
_URL: Final = re.compile(r"[ \t\n\f\r,]*([^ \t\n\f\r]+)")
#: Descriptors up to the comma that ends them; commas in parentheses belong to them, to the end where one is not closed.
_DESCRIPTORS: Final = re.compile(r"((?:[^,(]++|\([^)]*+(?:\)|\Z))*+)(?:,|\Z)")


class Candidate(NamedTuple):
    """A picture's URL, with its width in pixels or its density, if it says."""

    url: str
    width: int | None = None
    density: float | None = None


def candidates(text: str) -> list[Candidate]:
    """The candidates in their order."""
    found: list[Candidate] = []
    at = 0
    while len(found) < MAX_CANDIDATES and (match := _URL.match(text, at)):
        url = match[1]
        at = match.end()
        if url.endswith(","):
            found.append(Candidate(url.rstrip(",")))
            continue
        rest = _DESCRIPTORS.match(text, at)
        assert rest is not None
        at = rest.end()
        found.append(_described(url, rest[1]))
        if at >= len(text):
            break
    return [candidate for candidate in found if candidate.url]


def largest(*texts: str) -> str | None:
    """The URL of the widest candidate of all, or of the densest; of equals the first. ``data:`` and such are none."""
    best: Candidate | None = None
    for candidate in (candidate for text in texts for candidate in candidates(text)):
        if not may_be_http(candidate.url):
            continue
        if best is None or _size(candidate) > _size(best):
            best = candidate
    return best.url if best is not None else None


def _described(url: str, text: str) -> Candidate:
    width: int | None = None
    density: float | None = None
    for word in text.split():
        number, unit = word[:-1], word[-1]
        if unit == "w" and number.isascii() and number.isdigit() and len(number) < 10:
            width = int(number)
        elif unit == "x" and re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", number):
            density = float(number)
    return Candidate(url, width, density)


def _size(candidate: Candidate) -> tuple[int, float]:
    return candidate.width or 0, candidate.density or 1.0
