"""The figures of a whole run in words, and what the run is called."""

from __future__ import annotations

import time

from penstock.core import words
from penstock.report.facts import Story
from penstock.report.losses import Ideal


def title(story: Story) -> str:
    """The file's name, or how many files there were. As the server has it: escape before showing."""
    if story.is_batch:
        return f"{story.counts.files:,} files"
    return story.downloads[0].title if story.downloads else "a run without a file"


def about(story: Story) -> str:
    """When it was, with which version, and whether the trace is whole."""
    facts = []
    if story.settings.began is not None and story.settings.began < 2**37:
        facts.append(time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(story.settings.began)).lstrip("0"))
    if story.settings.version:
        facts.append(f"Penstock {story.settings.version}")
    if not story.is_whole:
        facts.append("the trace ends before the run did")
    if story.counts.dropped:
        facts.append(f"{story.counts.dropped:,} events are missing: the trace's disk was behind")
    return " · ".join(facts)


def totals(story: Story, best: Ideal | None) -> list[tuple[str, str]]:
    """(what, how much), most important first."""
    counts = story.counts
    found = []
    if story.is_batch:
        failed = f" ({counts.failed:,} failed)" if counts.failed else ""
        found.append(("Files", f"{counts.files:,}{failed}"))
    found += [
        ("Size", words.size(story.size)),
        ("Time", words.duration(story.seconds)),
        ("Speed", words.speed(story.size / story.seconds)),
    ]
    if best is not None:
        found.append(("Best speed held", words.speed(best.rate)))
    found += [
        ("Connections made", f"{counts.connections:,}"),
        ("Wasted", f"{words.size(story.waste.total)} ({words.share(story.waste.total, story.size)})"),
        ("Retries", f"{counts.retries:,}"),
    ]
    if story.cost is not None and story.cost.user + story.cost.system > 0:
        found.append(("Processor", words.duration(story.cost.user + story.cost.system)))
    if story.cost is not None and story.cost.peak_memory:
        found.append(("Peak memory", words.size(story.cost.peak_memory)))
    return found


def waste(story: Story) -> list[tuple[str, int, str]]:
    """(kind, bytes, what it means) of all that came in vain."""
    found = story.waste
    return [
        ("raced", found.raced, "brought by two connections at once, so that the end waits for neither"),
        ("cut off", found.cut, "already on the way when the tail of a segment was stolen"),
        ("broken off", found.broken, "of connections that failed or were replaced, and of error pages"),
        ("thrown away", found.restarted, "of files that had to begin again"),
    ]
