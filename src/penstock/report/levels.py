"""What more connections brought. Pure.

Samples are sorted by the number of connections that brought bytes. Where that number was higher, either the total was
higher too (each brought its share) or it was not (they shared something that was full).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock.core.rates import median
from penstock.report.facts import Sample, Story

#: This part of the flowing time is left out at its end: there connections run dry one after another.
TAIL_SHARE: Final = 0.1
#: The same at its beginning, where only what holds later is looked at.
START_SHARE: Final = 0.1
#: A level is believed when so many samples, of which the one before had as many connections, were taken.
LEAST_SAMPLES: Final = 3
#: Levels are compared when the higher has at least so many times the connections.
APART: Final = 1.1
#: What all comparisons weigh together at least, or they say nothing: samples times how far the levels are apart.
LEAST_WEIGHT: Final = 0.8
#: A connection that brings less than this part of the median one's bytes is not counted: where connections are
#: uneven, one that crawls comes and goes without a difference, and would look as if the link were full.
CRAWLS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Level:
    """So many connections brought so many bytes per second: a median over `samples` samples."""

    connections: int
    rate: float
    samples: int

    @property
    def each(self) -> float:
        """Bytes per second of one of them."""
        return self.rate / self.connections


@dataclass(frozen=True, slots=True)
class Growth:
    """What came of going from `low` to `high`. `gain` 1.0: each brought as much as before; 0.0: all together no more
    than before."""

    low: Level
    high: Level
    gain: float


def flowing_samples(story: Story) -> list[Sample]:
    """The samples taken while bodies came, without the tail."""
    end = story.last_at - TAIL_SHARE * (story.last_at - story.first_at)
    return [sample for sample in story.samples if story.first_at < sample.at - sample.seconds and sample.at <= end]


def steady_samples(story: Story) -> list[Sample]:
    """The same without the start."""
    begin = story.first_at + START_SHARE * (story.last_at - story.first_at)
    return [sample for sample in flowing_samples(story) if sample.at - sample.seconds >= begin]


def levels(samples: Sequence[Sample]) -> list[Level]:
    """Every number of connections that was held for a few samples, and what it brought; fewest first."""
    rates: dict[int, list[float]] = {}
    before = 0
    for sample in samples:
        flowing = at_work(sample)
        # just after a step the new ones are in slow start, and what was counted is half of the level before
        if flowing and flowing == before:
            rates.setdefault(flowing, []).append(sample.rate)
        before = flowing
    return [
        Level(number, median(found), len(found)) for number, found in sorted(rates.items())
        if len(found) >= LEAST_SAMPLES
    ]  # fmt: skip


def at_work(sample: Sample) -> int:
    """Connections that brought their part."""
    if not sample.rates:
        return sample.flowing or 0
    least = CRAWLS * median(list(sample.rates.values()))
    return sum(rate >= least for rate in sample.rates.values())


def growth(found: Sequence[Level]) -> Growth | None:
    """What more connections brought, by all pairs of levels that are apart; None where there are too few of them.

    The gain is the weighted median over the pairs; the pair that is told is the one with the most weight.
    """
    pairs: list[tuple[float, float, Level, Level]] = []
    for number, low in enumerate(found):
        for high in found[number + 1 :]:
            promised = high.connections / low.connections - 1
            if low.rate > 0 and promised >= APART - 1:
                gain = (high.rate / low.rate - 1) / promised
                pairs.append((gain, min(low.samples, high.samples) * promised, low, high))
    whole = sum(weight for _, weight, _, _ in pairs)
    if whole < LEAST_WEIGHT:
        return None
    _, _, low, high = max(pairs, key=lambda pair: pair[1])
    return Growth(low, high, weighted_median([(gain, weight) for gain, weight, _, _ in pairs]))


def weighted_median(values: list[tuple[float, float]]) -> float:
    """The value at which half of the weight is reached; `values` are (value, weight)."""
    half = sum(weight for _, weight in values) / 2
    below = 0.0
    for value, weight in sorted(values):
        below += weight
        if below >= half:
            return value
    raise ValueError("no values")
