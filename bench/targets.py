"""What Penstock sets out to reach, and whether a run shows it. Pure: reports in, verdicts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.figures import difference, largest, median_of, per, ratio, values
from bench.links import ALL
from bench.results import Case, Report

#: Targets are judged by medians of at least so many pairs.
ENOUGH_PAIRS = 5
OURS = "penstock"
#: Programs that a target sets ours against, by the job's letter.
RIVALS: dict[str, tuple[str, ...]] = {
    "a": ("cp", "aria2"),
    "b": ("curl", "aria2"),
    "c": (),
    "d": ("curl",),
    "e": ("bare Python",),
    "f": (),
    "g": (),
    "h": (),
    "i": (),
}
_MB = 1e6


@dataclass(frozen=True)
class Target:
    """A figure of one case and the most that it may be, in `unit` ("" for a ratio, %, ms, µs, MB, refusals)."""

    case: str
    text: str
    limit: float
    figure: Callable[[Case], float | None]
    unit: str = ""
    #: Decimal places to show.
    places: int = 2


@dataclass(frozen=True)
class Verdict:
    """A target and what was measured; `figure` is None when it was not. `rounds` of ours are behind it."""

    target: Target
    figure: float | None
    rounds: int

    @property
    def word(self) -> str:
        """Met, not met, or not measured; with too few rounds to tell, so it says."""
        if self.figure is None:
            return "not measured"
        met = "met" if round(self.figure, self.target.places) <= self.target.limit else "**not met**"
        return met if self.rounds >= ENOUGH_PAIRS or self.target.unit == "MB" else f"{met}, but too few rounds"


def verdicts(report: Report) -> list[Verdict]:
    """Every target, in order."""
    found = []
    for target in targets():
        case = report.case(target.case)
        figure = None if case is None else target.figure(case)
        rounds = 0 if case is None else len(values(case.row(OURS), "wall"))
        found.append(Verdict(target, figure, rounds))
    return found


def targets() -> Iterator[Target]:
    """All of them. Ratios are ours over theirs."""
    yield Target("a4", "1 GiB, 4 connections: wall / `cp` of the file", 1.6, _ratio("cp", "wall"))
    yield Target("a4", "the same: CPU / aria2's", 0.6, _ratio("aria2", "cpu"))
    yield Target("b4", "1 GiB over TLS, 4 connections: CPU / curl's (1 connection)", 0.9, _ratio("curl", "cpu"))
    yield Target("b4", "the same: CPU / aria2's", 0.6, _ratio("aria2", "cpu"))
    for links, counts in ALL:
        limit = 1.10 if links.reset else 1.05
        for count in counts:
            text = f"shaped ({links.title}), {count} connections: time / ideal"
            yield Target(f"c-{links.key}-{count}", text, limit, _over("ideal", "wall"))
        if links.cap:
            key = f"c-{links.key}-{counts[0]}"
            yield Target(key, "the same: refusals", 8, lambda case: median_of(case.row(OURS), "refusals"), places=0)
    small = "10,000 × 16 KiB into a memory file system"
    yield Target("d-small-1", f"{small}: wall / `curl -Z`", 1.2, _ratio("curl", "wall"))
    yield Target("d-small-1", "the same, the further aim", 1.0, _ratio("curl", "wall"))
    yield Target("d-small-1", "the same: user CPU a file", 80, _scaled(_over("files", "user"), 1e6), "µs", 0)
    yield Target("e", "one-byte file: wall over bare Python", 120, _scaled(_less("bare Python", "wall"), 1e3), "ms", 0)
    yield Target("f-large", "peak memory, 4 GiB over 16 connections", 45, _scaled(_peak, 1 / _MB), "MB", 1)
    yield Target("f-million", "peak memory, 1,000,000 URLs", 120, _scaled(_peak, 1 / _MB), "MB", 1)
    yield Target("g", "4 GiB: last byte to verified sha256, of the total", 2, _scaled(_share, 100), "%", 1)


def _ratio(other: str, figure: str) -> Callable[[Case], float | None]:
    return lambda case: ratio(case, OURS, other, figure)


def _less(other: str, figure: str) -> Callable[[Case], float | None]:
    return lambda case: difference(case, OURS, other, figure)


def _over(fact: str, figure: str) -> Callable[[Case], float | None]:
    return lambda case: per(case, case.row(OURS), figure, fact)


def _peak(case: Case) -> float | None:
    return largest(case.row(OURS), "memory")


def _share(case: Case) -> float | None:
    return median_of(case.row(OURS), "share")


def _scaled(figure: Callable[[Case], float | None], factor: float) -> Callable[[Case], float | None]:
    def scaled(case: Case) -> float | None:
        found = figure(case)
        return None if found is None else found * factor

    return scaled
