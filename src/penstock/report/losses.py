"""Where the seconds went. Pure.

The ideal is the best speed that the run itself held for a while: nobody knows what the link could have done, but it
did that. Each moment of the run is then shared out: what went at the best speed, what was measured as held back
(the rate limit's pauses, the disk), and for the rest of the shortfall the first cause that fits the moment. The parts
add up to the run's whole time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from penstock.report.facts import Sample, Story

#: The best speed must have been held for so many seconds, or this part of the run; whatever is longer.
HELD_SECONDS: Final = 1.0
HELD_SHARE: Final = 0.1
#: A run that is shorter than that has half of its time looked at.
_SHORT_SHARE: Final = 0.5
#: The network thread's share of the time from which the processor holds it back.
BUSY: Final = 0.9
#: With less than this part of the most connections at work, there were too few at that moment.
FEWER: Final = 0.8

#: The parts, in the order in which they are drawn, and what they mean.
BEST, LIMIT, DISK, WAITING, STARTING, ADDING, CPU, FEW, SLOWER, FINISHING = PARTS = (
    "at the best speed",
    "rate limit",
    "disk",
    "waiting to ask",
    "first answer",
    "adding connections",
    "processor",
    "fewer connections",
    "slower than the best",
    "finishing",
)
MEANINGS: Final = {
    BEST: "at the best speed that this run held for a while",
    LIMIT: "held back by --limit-rate",
    DISK: "held back because the disk was behind",
    WAITING: "waiting before a request: the origin's pace, Retry-After, retries",
    STARTING: "before the first byte: name, connection, TLS, first answer",
    ADDING: "while connections were still being added",
    CPU: "the network thread had no more processor",
    FEW: "fewer connections brought bytes than before",
    SLOWER: "the same connections brought less than at their best",
    FINISHING: "after the last byte: checking, syncing, naming",
}


@dataclass(frozen=True, slots=True)
class Ideal:
    """The best speed that was held: bytes per second, where it was held, and how long all would take at it."""

    rate: float
    begin: float
    end: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Loss:
    """Seconds of the run that went into one part."""

    part: str
    seconds: float


def ideal(story: Story) -> Ideal | None:
    """The best speed over a window of samples; None where nothing was measured."""
    samples = [sample for sample in story.samples if sample.at <= story.last_at + sample.seconds]
    held = max(HELD_SECONDS, HELD_SHARE * story.seconds)
    flowing = max(0.0, story.last_at - story.first_at)
    if flowing < 2 * held:
        held = flowing * _SHORT_SHARE
    best: Ideal | None = None
    first, size, seconds = 0, 0.0, 0.0
    for sample in samples:
        size += sample.rate * sample.seconds
        seconds += sample.seconds
        while first < len(samples) and seconds - samples[first].seconds >= held > 0:
            size -= samples[first].rate * samples[first].seconds
            seconds -= samples[first].seconds
            first += 1
        if seconds >= held > 0 and (best is None or size / seconds > best.rate):
            best = Ideal(size / seconds, sample.at - seconds, sample.at, 0.0)
    if best is None or best.rate <= 0:
        return None
    return Ideal(best.rate, best.begin, best.end, story.size / best.rate)


def losses(story: Story, best: Ideal | None) -> tuple[Loss, ...]:
    """Seconds by part, in the order of PARTS, those of nothing left out; they add up to the run's time."""
    sums = dict.fromkeys(PARTS, 0.0)
    if best is None:
        sums[FINISHING if story.size else STARTING] = story.seconds
        return _told(sums)
    most = _most_flowing(story)
    peak = next((sample.at for sample in story.samples if (sample.flowing or 0) >= FEWER * most), 0.0)
    for begin, end, sample in _moments(story):
        whole = end - begin
        short = whole if sample is None else max(0.0, whole * (1 - sample.rate / best.rate))
        # what was measured counts in full: at the best speed of a limited run, the limit's pauses are in it
        limit = min(whole, story.pauses.between("rate limit", begin, end))
        behind = story.pauses.between("disk", begin, end) + story.pauses.between("write", begin, end)
        disk = min(whole - limit, behind, whole * idle_share(sample))
        rest = max(0.0, short - limit - disk)
        rest = min(rest, whole - limit - disk)
        sums[LIMIT] += limit
        sums[DISK] += disk
        sums[BEST] += whole - limit - disk - rest
        sums[_why(story, sample, begin, end, most, peak)] += rest
    return _told(sums)


def idle_share(sample: Sample | None) -> float:
    """The part of its time in which the network thread neither worked nor waited for a processor: no more of it can
    be the disk's, for a write that only takes long because the processor is busy is not held up by a disk."""
    return 1.0 if sample is None else max(0.0, 1 - (sample.network or 0.0))


def _told(sums: dict[str, float]) -> tuple[Loss, ...]:
    return tuple(Loss(part, seconds) for part, seconds in sums.items() if seconds > 0)


def _moments(story: Story) -> Iterator[tuple[float, float, Sample | None]]:
    """(begin, end, sample) over the whole run without a gap; None where nothing was measured."""
    at = 0.0
    for sample in story.samples:
        begin = max(at, sample.at - sample.seconds)
        if begin > at:
            yield at, begin, None
        if sample.at > begin:
            yield begin, sample.at, sample
        at = max(at, sample.at)
    if story.seconds > at:
        yield at, story.seconds, None


def _most_flowing(story: Story) -> int:
    """The number of connections that a tenth of the samples reached: one moment does not count."""
    numbers = sorted(sample.flowing or 0 for sample in story.samples)
    return numbers[len(numbers) * 9 // 10] if numbers else 0


def _why(story: Story, sample: Sample | None, begin: float, end: float, most: int, peak: float) -> str:
    """The part that a shortfall of this moment belongs to."""
    middle = (begin + end) / 2
    flowing = 0 if sample is None else sample.flowing or 0
    if middle >= story.last_at:
        return FINISHING
    if middle < story.first_at:
        return WAITING if _waited(story, begin, end) else STARTING
    if not flowing and _waited(story, begin, end):
        return WAITING
    if sample is not None and (sample.network or 0.0) >= BUSY:
        return CPU
    if flowing < FEWER * most:
        return ADDING if middle < peak else FEW
    return SLOWER


def _waited(story: Story, begin: float, end: float) -> bool:
    """True when somebody waited before a request for at least half of the time."""
    waited = story.pauses.between("politeness", begin, end) + story.pauses.between("retry", begin, end)
    return waited >= (end - begin) / 2
