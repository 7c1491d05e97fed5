"""A story with what was concluded from it: all that a page, a picture or a text shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from penstock.report.causes import find
from penstock.report.facts import Story
from penstock.report.finding import Finding
from penstock.report.losses import Ideal, Loss, ideal, losses
from penstock.report.reading import Record
from penstock.report.story import tell


@dataclass(frozen=True, slots=True)
class Judged:
    """The facts, the best speed, the seconds by part, and the bottleneck."""

    story: Story
    best: Ideal | None
    parts: tuple[Loss, ...]
    finding: Finding


def judge(records: Iterable[Record]) -> Judged:
    """Read a trace to its end and conclude."""
    story = tell(records)
    best = ideal(story)
    parts = losses(story, best)
    return Judged(story, best, parts, find(story, parts))
