"""Sums that are made while a trace is read: by origin, and of what came in vain."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from penstock.core.ranges import RangeSet
from penstock.report.facts import OTHERS, Host, Transfer, Waste

#: Statuses by which a server says that it is asked too much.
_TOO_MUCH: Final = frozenset({429, 503})
#: The first status that is an error.
_FIRST_ERROR: Final = 400
#: Origins that are counted one by one, and those that the report names.
_MOST_COUNTED: Final = 10_000
MOST_NAMED: Final = 40
#: Downloads whose bytes are remembered after their end: transfers may end a little later.
_MOST_OPEN: Final = 256


@dataclass(slots=True)
class _Host:
    transfers: int = 0
    connections: int = 0
    size: int = 0
    failed: int = 0
    refused: int = 0
    begin: float = float("inf")
    end: float = 0.0
    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    wait: float = 0.0
    body: float = 0.0
    held_back: float = 0.0

    @property
    def weight(self) -> float:
        """Connection seconds and waits: what it cost."""
        return self.dns + self.connect + self.tls + self.wait + self.body + self.held_back


class Hosts:
    """What was asked of each origin."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    def take(self, transfer: Transfer) -> None:
        """One more transfer."""
        host = self._of(transfer.origin)
        host.transfers += 1
        host.connections += transfer.is_new
        host.size += transfer.size
        host.failed += transfer.ending == "failed" or transfer.status >= _FIRST_ERROR
        host.refused += transfer.status in _TOO_MUCH
        host.begin = min(host.begin, transfer.begin)
        host.end = max(host.end, transfer.end)
        host.dns += transfer.dns
        host.connect += transfer.connect
        host.tls += transfer.tls
        host.wait += transfer.wait
        host.body += max(0.0, transfer.end - transfer.begin - transfer.first_byte)

    def hold_back(self, origin: str, begin: float, end: float) -> None:
        """A download waited for it."""
        host = self._of(origin)
        host.held_back += end - begin
        host.begin = min(host.begin, begin)
        host.end = max(host.end, end)

    def facts(self) -> tuple[tuple[Host, ...], int]:
        """Those that cost most, and how many more there are."""
        ranked = sorted(self._hosts.items(), key=lambda item: -item[1].weight)
        named = tuple(
            Host(origin, *(getattr(host, name) for name in _Host.__slots__)) for origin, host in ranked[:MOST_NAMED]
        )
        return named, len(ranked) - len(named)

    def _of(self, origin: str) -> _Host:
        if origin not in self._hosts and len(self._hosts) >= _MOST_COUNTED:
            origin = OTHERS
        return self._hosts.setdefault(origin, _Host())


class WasteCount:
    """What came and is no part of a file: all that came, less what it added to the file."""

    def __init__(self) -> None:
        self._filled: OrderedDict[int, RangeSet] = OrderedDict()
        self._raced = self._cut = self._broken = self._restarted = 0

    def take(self, transfer: Transfer) -> None:
        """One more transfer."""
        if transfer.filled is None:
            if transfer.ending in ("failed", "silent", "slow", "lost") or transfer.status >= 300:
                self._broken += transfer.size
            return
        filled = self._of(transfer.download)
        start, stop = transfer.filled
        before = filled.size
        filled.add(start, stop)
        gained = filled.size - before
        extra = max(0, transfer.size - gained)
        twice = min(extra, stop - start - gained)
        self._raced += twice
        rest = extra - twice
        if transfer.ending == "lost":
            self._raced += rest
        elif transfer.ending == "cut":
            self._cut += rest
        else:
            self._broken += rest

    def restart(self, download: int, dropped: int) -> None:
        """A file begins again at zero."""
        self._restarted += dropped
        self._filled.pop(download, None)

    def facts(self) -> Waste:
        """The sums."""
        return Waste(self._raced, self._cut, self._broken, self._restarted)

    def _of(self, download: int) -> RangeSet:
        filled = self._filled.setdefault(download, RangeSet())
        self._filled.move_to_end(download)
        if len(self._filled) > _MOST_OPEN:
            self._filled.popitem(last=False)
        return filled
