"""The one sentence: what held this run back most, and what to change. Pure.

First come the causes that were measured as time (the processor, a limit, the disk, an origin that makes one wait):
the one that took most, if it took enough. Where none did, something bounded the speed itself: the number of
connections, or the link. Medians over samples decide, without the first and last moments, so that one odd sample
decides nothing. docs/reports.md says the same for those who read reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from penstock.core import words
from penstock.core.rates import median
from penstock.report.facts import Sample, Story
from penstock.report.finding import Cause, Finding
from penstock.report.hosts import lonely_host, waiting_host
from penstock.report.levels import Growth, flowing_samples, growth, levels, steady_samples, weighted_median
from penstock.report.losses import BUSY, DISK, FINISHING, Loss, idle_share

#: A cause that was measured in seconds is the bottleneck from this part of the run's time on.
ENOUGH_SHARE: Final = 0.2
#: At this part of --limit-rate or more, the limit is what was reached; a token bucket never gives quite all.
AT_LIMIT: Final = 0.85
#: The network thread worked or waited for so much of the time, and the whole process got no more than this part of
#: that: others have the processor, and everything that we do takes longer than it should.
CROWDED: Final = 0.25
CROWDED_SHARE: Final = 0.5
#: A step to more connections paid when it brought this part of what proportional growth promised (as core/ramp.py).
PAID: Final = 0.5
#: With fewer steady samples, or less time with bytes flowing (seconds), nothing is said about speed.
LEAST_SAMPLES: Final = 5
LEAST_SECONDS: Final = 1.0
#: The ceiling was the bound when so many of the samples were at it.
AT_CEILING: Final = 0.5
#: Connection time spent waiting for answers, from which more requests at once would have helped.
WAITING_SHARE: Final = 0.5
#: Connections that the advice asks for: so many times as many, at least and at most.
_MORE, _AT_LEAST, _AT_MOST = 4, 8, 64


def find(story: Story, parts: Sequence[Loss]) -> Finding:
    """The bottleneck of a run. `parts` say where its seconds went (`losses.losses`)."""
    measured = [finding for finding in _measured(story, parts) if finding.share >= ENOUGH_SHARE]
    if measured:
        return max(measured, key=lambda finding: finding.share)
    steady = steady_samples(story)
    flowed = story.last_at - story.first_at
    if len(steady) < LEAST_SAMPLES or flowed < LEAST_SECONDS:
        return _too_short(story)
    return _bound(story, steady)


# Measured in seconds


def _measured(story: Story, parts: Sequence[Loss]) -> list[Finding]:
    found = [
        _processor(story),
        _limit(story),
        _pace(story),
        _disk(parts, story),
        waiting_host(story),
        lonely_host(story),
        _finishing(parts, story),
    ]
    return [finding for finding in found if finding is not None]


def _limit(story: Story) -> Finding | None:
    """--limit-rate, by its pauses or because its rate was reached."""
    seconds, _ = story.paused.get("rate limit", (0.0, 0))
    share = seconds / story.seconds
    limit = story.settings.rate_limit
    steady = [sample.rate for sample in steady_samples(story)]
    if limit and len(steady) >= LEAST_SAMPLES and median(steady) >= AT_LIMIT * limit:
        share = max(share, (story.last_at - story.first_at) / story.seconds)
    if not share:
        return None
    rate = f" of {words.speed(limit)}" if limit else ""
    held = f": it held everything back for {words.duration(seconds)} of {words.duration(story.seconds)}"
    said = held if seconds / story.seconds >= ENOUGH_SHARE else ": it was reached all the time"
    return Finding(
        Cause.LIMIT,
        f"A limit you set was the bottleneck, --limit-rate{rate}{said}.",
        "Raise --limit-rate, or leave it out.",
        share,
    )


def _pace(story: Story) -> Finding | None:
    """--rate-per-host: downloads waited for their turn by the clock."""
    pace = story.settings.rate_per_host
    share = _covered(story, "politeness")
    if not pace or not share or _refusals(story):
        return None
    return Finding(
        Cause.LIMIT,
        f"A limit you set was the bottleneck, --rate-per-host {pace:g}/s: files waited for their turn to be asked for "
        f"during {words.share(share, 1)} of the time.",
        "Raise --rate-per-host, or leave it out.",
        share,
    )


def _disk(parts: Sequence[Loss], story: Story) -> Finding | None:
    behind = sum(loss.seconds for loss in parts if loss.part == DISK)
    shares = [min(each.writing, idle_share(each)) for each in steady_samples(story) if each.writing is not None]
    writing = median(shares) if shares else 0.0
    share = max(behind / story.seconds, writing)
    if not share:
        return None
    if writing > behind / story.seconds:
        why = f"the network thread was held up by writes for {words.share(writing, 1)} of its time"
    else:
        why = f"the network had to wait {words.duration(behind)} of {words.duration(story.seconds)} for it"
    return Finding(
        Cause.DISK,
        f"The disk was the bottleneck: {why}.",
        "Save to a faster disk, or find out what else is writing to this one.",
        share,
    )


def _finishing(parts: Sequence[Loss], story: Story) -> Finding | None:
    seconds = sum(loss.seconds for loss in parts if loss.part == FINISHING)
    if story.seconds < LEAST_SECONDS or not story.is_whole or not story.size:
        return None
    return Finding(
        Cause.DISK,
        f"The disk was the bottleneck: {words.duration(seconds)} of {words.duration(story.seconds)} went into checking "
        "and syncing after the last byte had come.",
        "Save to a faster disk.",
        seconds / story.seconds,
    )


def _processor(story: Story) -> Finding | None:
    """The network thread never rests, or others have the processor. What else takes long then (a write, a thread that
    writes) only waits for its turn."""
    steady = [each for each in steady_samples(story) if each.network is not None]
    if len(steady) < LEAST_SAMPLES:
        return None
    # over time: on a crowded processor samples come late when it is at its worst
    busy = min(1.0, weighted_median([(each.network or 0.0, each.seconds) for each in steady]))
    used = weighted_median(
        [(each.process or 0.0, each.seconds) for each in steady if each.process is not None] or [(busy, 1)]
    )
    is_crowded = busy >= CROWDED and used <= CROWDED_SHARE * busy
    if busy < BUSY and not is_crowded:
        return None
    why = f"the network thread worked or waited for it for {words.share(busy, 1)} of the time"
    if is_crowded:
        why += f", and all threads together got {words.share(used, 1)} of one"
    flowed = max(0.0, story.last_at - story.first_at) / story.seconds
    return Finding(
        Cause.CPU,
        f"The processor was the bottleneck: {why}.",
        "Run it on a less busy or a faster processor.",
        flowed if is_crowded else busy * flowed,
    )


# Bounds of the speed


def _bound(story: Story, steady: Sequence[Sample]) -> Finding:
    if story.is_batch and (finding := _latency(story, steady)) is not None:
        return finding
    if not story.is_batch and any(download.accepts_ranges is False for download in story.downloads):
        return Finding(
            Cause.HOST,
            "The server was the bottleneck: it cannot send a part of a file, so one connection had to bring it all.",
            "Use a mirror that can, if there is one.",
        )
    grown = growth(levels(flowing_samples(story)))
    allowed = [(sample.allowed, sample.most) for sample in steady if sample.allowed and sample.most]
    at_ceiling = sum(earned >= most for earned, most in allowed) >= AT_CEILING * len(allowed) if allowed else False
    if grown is not None and grown.gain < PAID:
        return _link(grown, steady)
    told = [sample.gain for sample in steady if sample.gain is not None]
    if grown is None and told and told[-1] < PAID:  # a step too quick for the samples, not for whoever made it
        return _link(None, steady)
    if at_ceiling:
        return _too_few(story, steady, grown)
    if (
        _refusals(story)
        and allowed
        and median([float(earned) for earned, _ in allowed]) < max(most for _, most in allowed)
    ):
        return _refused(story, steady)
    if allowed:
        return _link(None, steady)
    if grown is not None:
        return _too_few(story, steady, grown)
    return _unclear(story, steady)


def _latency(story: Story, steady: Sequence[Sample]) -> Finding | None:
    """A batch whose connections mostly waited for answers, as many as were allowed to."""
    total = sum(story.activity.total(phase) for phase in story.activity.names())
    waited = total - story.activity.total("body")
    if not total or waited < WAITING_SHARE * total:
        return None
    option, limit = _room(story)
    at_once = total / story.seconds
    answer = words.short_duration(story.first_bytes.percentile(0.5))
    where = " of each host" if option == "--per-host" else ""
    bound = f", and {limit} at once{where} were allowed by {option}" if option else ""
    return Finding(
        Cause.CONNECTIONS,
        f"Too few files at once were the bottleneck: connections spent {words.share(waited, total)} of their time "
        f"waiting for answers ({answer} each), {at_once:.0f} at a time{bound}.",
        f"Try {option} {_more(limit)}, if the server can bear it."
        if option and limit
        else "Try a higher -j and --per-host.",
        waited / total,
    )


def _room(story: Story) -> tuple[str, int | None]:
    """The option that bounded how much was asked for at once, and its value."""
    settings = story.settings
    known = [
        ("--per-host", settings.per_host and settings.per_host * max(1, len(story.hosts) + story.more_hosts)),
        ("-j", settings.max_files),
        ("--total-connections", settings.total_connections),
    ]
    set_ones = [(bound, option) for option, bound in known if bound]
    if not set_ones:
        return "", None
    option = min(set_ones)[1]
    values = {"--per-host": settings.per_host, "-j": settings.max_files}
    return option, values.get(option, settings.total_connections)


def _link(grown: Growth | None, steady: Sequence[Sample]) -> Finding:
    rate = median([sample.rate for sample in steady])
    if grown is None:
        why = f"further connections brought no more than {words.speed(rate)}"
    else:
        why = (
            f"{grown.high.connections} connections brought {words.speed(grown.high.rate)} where "
            f"{grown.low.connections} had brought {words.speed(grown.low.rate)}, so each got less"
        )
    return Finding(
        Cause.LINK,
        f"The link was the bottleneck, yours or the server's: {why}.",
        "Nothing here makes it faster: more bandwidth would, or a mirror that is nearer.",
    )


def _too_few(story: Story, steady: Sequence[Sample], grown: Growth | None) -> Finding:
    numbers = [sample.flowing for sample in steady if sample.flowing]
    connections = round(median([float(number) for number in numbers])) if numbers else 1
    each = median([sample.rate / sample.flowing for sample in steady if sample.flowing] or [0.0])
    most = max((sample.most for sample in steady if sample.most), default=connections)
    if connections == 1:
        brought = f"the only connection that was allowed brought {words.speed(each)}"
    elif grown is not None:
        brought = f"each of {connections} brought about {words.speed(each)}, as much as when they were fewer"
    else:
        brought = f"each of {connections} brought about {words.speed(each)}, and no more were allowed"
    option = "-x" if not story.is_batch else "--per-host"
    return Finding(
        Cause.CONNECTIONS,
        f"Too few connections were the bottleneck: {brought}.",
        f"Try {option} {_more(most)}: nothing shows that the link was full.",
    )


def _refused(story: Story, steady: Sequence[Sample]) -> Finding:
    connections = round(median([float(sample.flowing) for sample in steady if sample.flowing] or [1.0]))
    return Finding(
        Cause.HOST,
        f"The server was the bottleneck: it refused more than about {words.count(connections, 'connection')} "
        f"({words.count(_refusals(story), 'refusal')}).",
        "Ask at a quieter time, or use a mirror.",
    )


def _refusals(story: Story) -> int:
    return max(story.counts.refusals, sum(host.refused for host in story.hosts))


def _too_short(story: Story) -> Finding:
    if not story.size:
        return Finding(Cause.NOTHING, "Nothing came, so there is no bottleneck to name.", "The failures say why.")
    return Finding(
        Cause.NOTHING,
        f"Too short to tell: bytes flowed for {words.duration(max(0.0, story.last_at - story.first_at))}.",
        "A run of some seconds says more; this one was over before anything could be compared.",
    )


def _unclear(story: Story, steady: Sequence[Sample]) -> Finding:
    return Finding(
        Cause.NOTHING,
        f"Nothing in particular held it back: {words.speed(median([sample.rate for sample in steady]))} all along.",
        "The link is the likeliest bound; the charts below show more.",
    )


def _more(number: int | None) -> int:
    """Connections worth a try."""
    return min(max(_MORE * (number or 1), _AT_LEAST), max(_AT_MOST, 2 * (number or 1)))


def _covered(story: Story, kind: str) -> float:
    """The part of the run in which at least one download was in this kind of pause."""
    width = story.pauses.width
    columns = story.pauses.columns(story.seconds)
    return min(1.0, sum(min(width, story.pauses.column(kind, column)) for column in range(columns)) / story.seconds)
