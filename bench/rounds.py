"""Let programs take turns, round by round, so that what else the machine does hits all alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.process import OUT_OF_TIME, Run
from bench.results import Row, Sample


class RoundFailedError(Exception):
    """A program did not do its job in a round; the text says how, for people."""


@dataclass
class Entry:
    """A program in a case: what one round of it is, or (`note`) why there is none."""

    program: str
    step: Callable[[], Sample] | None
    rounds: int = 0
    note: str = ""
    command: str = ""
    #: Whether it takes part in the warm-up.
    warms_up: bool = True
    #: Whether it goes on after a round that failed.
    persists: bool = False
    samples: list[Sample] = field(default_factory=list)

    @property
    def row(self) -> Row:
        """What became of it."""
        return Row(self.program, tuple(self.samples), self.note, self.command)


def play(entries: Sequence[Entry], *, warm_up: int = 1) -> tuple[Row, ...]:
    """All rounds of all entries, after `warm_up` uncounted ones; who begins changes from round to round.

    A program that failed once is out, for it would only take time; one that `persists` has an empty sample instead.
    """
    count = max((entry.rounds for entry in entries), default=0)
    for number in range(-warm_up, count):
        first = number % len(entries)
        for entry in [*entries[first:], *entries[:first]]:
            if entry.step is None or number >= entry.rounds or (number < 0 and not entry.warms_up):
                continue
            sample = _attempt(entry)
            if number >= 0:
                entry.samples.append(sample)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return tuple(entry.row for entry in entries)


def _attempt(entry: Entry) -> Sample:
    assert entry.step is not None
    try:
        return entry.step()
    except RoundFailedError as error:
        entry.note = str(error)
        if not entry.persists:
            entry.step = None
        return {}


def sample_of(outcome: Run, timeout: float) -> Sample:
    """A run's figures. Raises RoundFailedError when it did not end well."""
    if outcome.code == OUT_OF_TIME:
        raise RoundFailedError(f"too slow (over {timeout:.0f} s)")
    if outcome.code:
        raise RoundFailedError(f"failed (exit {outcome.code})")
    figures = {name: getattr(outcome, name) for name in ("wall", "ended", "user", "system", "cpu", "memory")}
    return {name: float(figure) for name, figure in figures.items()}
