"""Every target by its name."""

from __future__ import annotations

from itertools import chain
from typing import Final

from tests.fuzz.parsers import fields, heads, lists, names, options, pages, stored, urls
from tests.fuzz.target import Target

_ROOMS = (fields, heads, urls, names, lists, stored, pages, options)
TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in chain.from_iterable(room.TARGETS for room in _ROOMS)
}
