"""Whether one origin is what a run waited for. Pure."""

from __future__ import annotations

from typing import Final

from penstock.core import words
from penstock.report.facts import Host, Story
from penstock.report.finding import Cause, Finding

#: An origin is told of by name only when it did this part of the waiting.
_MOST_OF_IT: Final = 0.5
#: A host is slower than the others when a request takes it at least so many times as long.
_SLOWER: Final = 2.0
#: A transfer that waits this many seconds for its answer, and longer than its body takes, has a slow server.
_SLOW_ANSWER: Final = 0.5


def lonely_host(story: Story) -> Finding | None:
    """A batch that only one origin kept going, after all others were done."""
    if not story.is_batch or len(story.hosts) < 2:
        return None
    last, *others = sorted(story.hosts, key=lambda host: -host.end)
    alone = last.end - max(host.end for host in others)
    if alone <= 0 or not _is_slow(last, others):
        return None
    return Finding(
        Cause.HOST,
        f"One slow host was the bottleneck: for {words.duration(alone)} of {words.duration(story.seconds)} everything "
        f"else was done and only {last.origin} was left ({_character(last)}).",
        "Ask that host earlier or with a higher --per-host, use a mirror, or fetch its files in a run of their own.",
        alone / story.seconds,
    )


def _is_slow(host: Host, others: list[Host]) -> bool:
    """True when it is not only that it has more files than the others."""
    if host.refused or host.held_back > 0:
        return True
    mean = sum(_busy(each) for each in others) / max(1, sum(each.transfers for each in others))
    return _busy(host) >= _SLOWER * mean * host.transfers


def _busy(host: Host) -> float:
    return host.dns + host.connect + host.tls + host.wait + host.body


def waiting_host(story: Story) -> Finding | None:
    """An origin that made us wait: refusals, Retry-After, failures, or answers that take long."""
    return _held_back(story) or _slow_answers(story)


def _held_back(story: Story) -> Finding | None:
    """Downloads waited before requests, and a --rate-per-host was not why."""
    kinds = ["retry"] if story.settings.rate_per_host and not _refused(story) else ["retry", "politeness"]
    share = _idle_share(story, kinds)
    if not share:
        return None
    host = max(story.hosts, key=lambda host: host.held_back, default=None)
    name = host.origin if host is not None and host.held_back > 0 else "the server"
    refused = f" after {words.count(_refused(story), 'refusal')}" if _refused(story) else ""
    return Finding(
        Cause.HOST,
        f"One slow host was the bottleneck: {name} made us wait{refused}, for {words.duration(share * story.seconds)} "
        f"of {words.duration(story.seconds)} in which nothing came.",
        "Ask at a quieter time or for less at once (-x, --per-host), or use a mirror.",
        share,
    )


def _slow_answers(story: Story) -> Finding | None:
    """One file, whose server takes long before each answer."""
    if story.is_batch or not story.counts.transfers:
        return None
    total = sum(story.activity.total(phase) for phase in story.activity.names())
    waited = story.activity.total("wait")
    mean = waited / story.counts.transfers
    if not total or waited < _MOST_OF_IT * total or mean < _SLOW_ANSWER:
        return None
    return Finding(
        Cause.HOST,
        f"One slow host was the bottleneck: {_first_origin(story)} took {words.duration(mean)} on average to begin an "
        f"answer, {words.share(waited, total)} of all connection time.",
        "Use a mirror, or fewer and longer requests (--min-segment).",
        waited / total,
    )


def _idle_share(story: Story, kinds: list[str]) -> float:
    """The part of the run in which downloads waited before requests and nothing came."""
    idle = 0.0
    at = 0.0
    for sample in story.samples:
        if sample.rate <= 0:
            waited = sum(story.pauses.between(kind, at, sample.at) for kind in kinds)
            idle += min(sample.at - at, waited)
        at = sample.at
    if at < story.seconds:
        idle += min(story.seconds - at, sum(story.pauses.between(kind, at, story.seconds) for kind in kinds))
    return idle / story.seconds


def _refused(story: Story) -> int:
    return max(story.counts.refusals, sum(host.refused for host in story.hosts))


def _first_origin(story: Story) -> str:
    return story.hosts[0].origin if story.hosts else "the server"


def _character(host: Host) -> str:
    """Why it takes long: how it answers, how fast it sends, how it refuses."""
    facts = [f"{host.transfers:,} requests", f"{words.short_duration(host.first_byte)} to the first byte"]
    if host.refused:
        facts.append(words.count(host.refused, "refusal"))
    facts.append(words.speed(host.rate))
    return ", ".join(facts)
