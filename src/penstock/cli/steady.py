"""Numbers that hold still long enough to be read, made from those that events bring ten times a second. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

#: Seconds that a number stays before the next one takes its place: what changes faster cannot be read.
HOLD_SECONDS: Final = 0.5
#: Seconds that the mean reaches back, at most and at least. The time left is told by it: one slow moment must not add
#: minutes, and what was an hour ago says nothing.
MEMORY_SECONDS: Final = 10.0
_LEAST_MEMORY: Final = 1.0


#: Seconds after its beginning in which a rate is a guess: what lay ready in buffers comes first, and at once.
_YOUTH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Steady:
    """A rate as people see it: what is shown, and the mean that the time left is told by. Times are seconds."""

    shown: float
    mean: float
    #: When it began, when it was last fed, and when what is shown last changed.
    since: float
    at: float
    shown_at: float

    @property
    def is_young(self) -> bool:
        """True while nothing should be foretold by it."""
        return self.at - self.since < _YOUTH_SECONDS


def steadied(
    before: Steady | None, at: float, rate: float, *, memory: float = MEMORY_SECONDS, forgets: bool = True
) -> Steady:
    """`before`, fed with what the rate is at `at`.

    `memory` is how many seconds the mean reaches back at most. With `forgets` a standstill is shown at once, and what
    comes after it is new.
    """
    if before is None or (forgets and (rate <= 0 or before.shown <= 0)):
        return Steady(rate, rate, at, at, at)
    age = at - before.since
    holds = age >= HOLD_SECONDS and at - before.shown_at < HOLD_SECONDS
    shown, shown_at = (before.shown, before.shown_at) if holds else (rate, at)
    if age < _YOUTH_SECONDS:
        return Steady(shown, rate, before.since, at, shown_at)
    reach = min(memory, max(_LEAST_MEMORY, age / 2))
    mean = rate + (before.mean - rate) * math.exp(-max(0.0, at - before.at) / reach)
    return Steady(shown, mean, before.since, at, shown_at)
