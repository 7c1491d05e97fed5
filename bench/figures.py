"""Medians, spreads and ratios of what was measured. Pure.

A ratio of two programs is the median of the ratios of their pairs: what else the machine does in a round hits both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import median

from bench.results import Case, Row


def middle(values: Iterable[float]) -> float:
    """The median."""
    return median(list(values))


def values(row: Row | None, figure: str) -> list[float]:
    """A figure in every round; none for a program that took no part."""
    return [] if row is None else [sample[figure] for sample in row.samples if figure in sample]


def median_of(row: Row | None, figure: str) -> float | None:
    """The median over the rounds; None when nothing was measured."""
    found = values(row, figure)
    return middle(found) if found else None


def largest(row: Row | None, figure: str) -> float | None:
    """The largest over the rounds, as for a peak of memory."""
    return max(values(row, figure), default=None)


def pairs(ours: Row | None, theirs: Row | None, figure: str) -> list[tuple[float, float]]:
    """A figure of both, in every round that both came through."""
    if ours is None or theirs is None:
        return []
    both = zip(ours.samples, theirs.samples, strict=False)
    return [(mine[figure], other[figure]) for mine, other in both if figure in mine and figure in other]


def ratio(case: Case | None, program: str, other: str, figure: str) -> float | None:
    """The median over the rounds of `program`'s figure over `other`'s; None without a pair."""
    return _over_pairs(case, program, other, figure, lambda mine, its: mine / its)


def difference(case: Case | None, program: str, other: str, figure: str) -> float | None:
    """The median over the rounds of `program`'s figure less `other`'s; None without a pair."""
    return _over_pairs(case, program, other, figure, lambda mine, its: mine - its)


def per(case: Case, row: Row | None, figure: str, fact: str) -> float | None:
    """The median over a fact of the case, such as the ideal time or the number of files."""
    found = median_of(row, figure)
    return None if found is None or fact not in case.facts else found / case.facts[fact]


def _over_pairs(
    case: Case | None, program: str, other: str, figure: str, combine: Callable[[float, float], float]
) -> float | None:
    if case is None:
        return None
    found = [combine(*pair) for pair in pairs(case.row(program), case.row(other), figure) if pair[1] > 0]
    return middle(found) if found else None
