"""Counters put together to samples.

Each download counts when it is its turn, at about the same distance from its last time. So a sample is complete when
a counter comes for the second time; of a batch, which counts all its files at once, when that one does.
"""

from __future__ import annotations

from typing import Any, Final

from penstock.core.trace_lines import FIRST_SLOT
from penstock.report.facts import Sample
from penstock.report.fields import number

#: Samples that are kept; their number grows with the logarithm of the time, so this is never reached honestly.
_MOST: Final = 20_000
#: What a batch calls its counter.
_FILES: Final = "files"
#: What counts for all of them, and comes with whichever is first.
_MACHINE: Final = "machine"
#: Rows that are told apart.
MOST_ROWS: Final = 1024


class Ticks:
    """Takes counters in order; gives samples."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        #: True once anything said how fast each connection is.
        self.has_rates = False
        #: Files that the batch has, as far as it was read; 0 for none.
        self.files = 0
        self._at = 0.0
        self._before = 0.0
        self._size = 0.0
        self._is_batch = False
        self._names: dict[str, dict[str, Any]] = {}

    def take(self, name: str, at: float, values: dict[str, Any]) -> Sample | None:
        """One counter; gives the sample that ended with it, if one did."""
        done = None
        self._is_batch = self._is_batch or name == _FILES
        if name in self._names and (name == _FILES if self._is_batch else name != _MACHINE):
            done = self.flush()
        self._names[name] = values
        if name == _FILES or not self._is_batch:
            self._at = at
        return done

    def flush(self) -> Sample | None:
        """The sample that is being put together, if there is one."""
        names, self._names = self._names, {}
        seconds = self._at - self._before
        if not names or seconds <= 0 or len(self.samples) >= _MOST:
            return None
        rates: dict[int, float] = {}
        flowing = allowed = most = gain = None
        is_alone = sum(name.startswith("connections") for name in names) == 1
        for name, values in names.items():
            if name.startswith("throughput"):
                self.has_rates = True
                _add_rates(rates, values)
            elif name.startswith("connections"):
                flowing = _plus(flowing, number(values, "flowing"))
                allowed = _plus(allowed, number(values, "allowed"))
                most = _plus(most, number(values, "most"))
                gain = number(values, "gain")
        machine, files = names.get(_MACHINE, {}), names.get(_FILES, {})
        if flowing is None and rates:
            flowing = len(rates)
        sample = Sample(
            at=self._at,
            seconds=seconds,
            rate=self._rate(rates, files, seconds),
            rates=rates,
            flowing=flowing,
            allowed=allowed,
            most=most,
            gain=gain if is_alone else None,
            network=number(machine, "network"),
            writing=number(machine, "writing"),
            process=number(machine, "process"),
            active=_whole(number(files, "active")),
        )
        self.files = max(self.files, int(number(files, "total") or 0))
        self.samples.append(sample)
        self._before = self._at
        return sample

    def _rate(self, rates: dict[int, float], files: dict[str, Any], seconds: float) -> float:
        """A batch counts the bytes of its small files too, which have no rates of their own."""
        size = number(files, "size")
        if size is None:
            return sum(rates.values())
        before, self._size = self._size, size
        return max(0.0, size - before) / seconds


def _add_rates(rates: dict[int, float], values: dict[str, Any]) -> None:
    for name in values:
        rate = number(values, name)
        if rate and name.isascii() and name.isdigit() and len(name) < 6:
            row = min(int(name) - FIRST_SLOT, MOST_ROWS)
            if row >= 0:
                rates[row] = rates.get(row, 0.0) + rate


def _plus(sum_so_far: int | None, value: float | None) -> int | None:
    return sum_so_far if value is None else (sum_so_far or 0) + int(value)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
