"""Cookie files in Netscape's format: which lines libcurl would silently leave out (S09)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

#: Domain, subdomains, path, secure, expires, name and value; a value may be empty and its tab left out.
_FIELDS: Final = (6, 7)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_TIME: Final = re.compile(r"-?[0-9]+")
_HTTP_ONLY: Final = "#HttpOnly_"


def bad_lines(lines: Iterable[str]) -> Iterator[int]:
    """The numbers of the lines that hold no cookie, from 1; blank ones and comments do not count."""
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n").removeprefix(_HTTP_ONLY)
        if not text.strip() or text.startswith("#") or text.lower().startswith("set-cookie:"):
            continue
        if not _is_cookie(text.split("\t")):
            yield number


def _is_cookie(cells: list[str]) -> bool:
    if len(cells) > 2 and cells[2].upper() in {"TRUE", "FALSE"}:  # the path may be left out
        cells.insert(2, "/")
    if len(cells) not in _FIELDS or any(map(_CONTROL.search, cells)):
        return False
    return bool(cells[0].strip(".")) and _TIME.fullmatch(cells[4]) is not None
