"""Records to facts, one record at a time, in memory that does not grow with the number of files.

What is drawn one by one is kept up to a limit that has a name; everything else becomes sums, columns over time and
histograms while it is read.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from penstock.core.trace_lines import FIRST_SLOT
from penstock.report import sayings
from penstock.report.bins import Bins
from penstock.report.facts import (
    OTHERS,
    Cost,
    Counts,
    Decision,
    Download,
    Piece,
    Sample,
    Settings,
    Story,
    Transfer,
)
from penstock.report.fields import amount, number, seconds, text
from penstock.report.histogram import Histogram
from penstock.report.reading import Record
from penstock.report.tallies import Hosts, WasteCount
from penstock.report.ticks import MOST_ROWS, Ticks
from penstock.report.under_way import UnderWay

#: Transfers that are kept to be drawn one by one; with more, none is.
MOST_TRANSFERS: Final = 900
#: Downloads that are kept: those that took longest.
MOST_DOWNLOADS: Final = 200
#: Pieces of files that are kept for maps, over all downloads.
MOST_PIECES: Final = 20_000
#: Decisions that are kept.
MOST_DECISIONS: Final = 400
#: Different (origin, reason) pairs that are counted.
_MOST_FAILURES: Final = 5000
#: Those that are kept: most first.
_MOST_PAIRS: Final = 400
#: What downloads wait for, and what holds everything back.
_WAITS: Final = frozenset({"retry", "politeness", "turn"})
_PAUSES: Final = _WAITS | {"rate limit", "disk", "write"}
_DECISIONS: Final = frozenset({"steal", "race", "retry", "refused", "warning"})
#: Waits that are under way at one time, and characters of a download's number.
_MOST_WAITS: Final = 100_000
_LONGEST_ID: Final = 40
#: Origins whose bytes are told apart over time.
_MOST_BANDS: Final = 64
#: Small files that came and may yet be handed over to a download.
_MOST_SMALL: Final = 256
#: How a request ended that brought all it was made for, and the statuses of one that brought a file.
_WHOLE: Final = frozenset({"", "whole"})
_SUCCESS: Final = frozenset({200, 206})


def tell(records: Iterable[Record]) -> Story:
    """The story that the records of a run tell."""
    teller = _Teller()
    for record in records:
        teller.take(record)
    return teller.story()


class _Teller:
    def __init__(self) -> None:
        self._settings = Settings()
        self._cost: Cost | None = None
        self._is_whole = False
        self._last = 0.0
        self._dropped = 0
        self._ticks = Ticks()
        self._hosts = Hosts()
        self._waste = WasteCount()
        self._under_way: dict[str, UnderWay] = {}
        self._by_number: dict[int, UnderWay] = {}
        self._kept: list[tuple[float, int, Download]] = []
        self._transfers: list[Transfer] = []
        self._small: dict[str, Transfer] = {}
        self._decisions: list[Decision] = []
        self._order = self._pieces = 0
        self._rows: set[int] = set()
        self._states: Counter[str] = Counter()
        self._decided: Counter[str] = Counter()
        self._failures: Counter[tuple[str, str]] = Counter()
        self._transfer_count = self._connection_count = self._size = self._sampled = 0
        self._waits: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._paused: dict[str, tuple[float, int]] = {}
        self._pauses: Bins[str] = Bins()
        self._sampled_rows: Bins[int] = Bins(MOST_ROWS)
        self._transfer_rows: Bins[int] = Bins(MOST_ROWS)
        self._by_host: Bins[str] = Bins(OTHERS, _MOST_BANDS)
        self._activity: Bins[str] = Bins()
        self._ends: Bins[str] = Bins()
        self._first_bytes, self._wholes = Histogram(), Histogram()
        self._first_at, self._last_at = float("inf"), 0.0

    def take(self, record: Record) -> None:
        """One record more; those that are not known are passed over."""
        at = seconds(record, "ts")
        arguments = record.get("args")
        arguments = arguments if isinstance(arguments, dict) else {}
        self._last = max(self._last, at + seconds(record, "dur"))
        match record.get("ph"), record.get("cat"):
            case "X", "transfer":
                self._take_transfer(record, at, arguments)
            case "X", ("pause" | "disk"):
                self._pause(text(record, "name"), at, at + seconds(record, "dur"))
            case (("b" | "e" | "n"), "download"):
                self._take_download(record, at, arguments)
            case (("b" | "e"), "pause"):
                self._take_wait(record, at, arguments)
            case "C", _:
                sample = self._ticks.take(text(record, "name"), at, arguments)
                self._take_sample(sample)
            case "i", "decision":
                self._take_decision(record, at, arguments)
            case "i", "run":
                self._take_run(record, arguments)

    # One kind of record each

    def _take_run(self, record: Record, arguments: dict[str, Any]) -> None:
        if record.get("name") == "end":
            self._is_whole = True
            self._dropped = amount(arguments, "dropped")
            user, system = seconds(arguments, "user"), seconds(arguments, "system")
            self._cost = Cost(user, system, amount(arguments, "peak_memory"))
            return
        most = {name: _whole(number(arguments, name)) for name in
                ("max_connections", "max_files", "per_host", "total_connections")}  # fmt: skip
        self._settings = Settings(
            version=text(arguments, "version", 40),
            began=number(arguments, "unix"),
            rate_limit=number(arguments, "rate_limit"),
            rate_per_host=number(arguments, "rate_per_host"),
            **most,
        )

    def _take_transfer(self, record: Record, at: float, arguments: dict[str, Any]) -> None:
        transfer = sayings.transfer(record, at, arguments)
        self._transfer_count += 1
        self._connection_count += transfer.is_new
        self._size += transfer.size
        self._rows.add(transfer.row)
        self._hosts.take(transfer)
        self._waste.take(transfer)
        if self._transfer_count <= MOST_TRANSFERS:
            self._transfers.append(transfer)
        for phase, begin, end in transfer.phases():
            self._activity.spread(phase, begin, end, end - begin)
        first = min(transfer.end, transfer.begin + transfer.first_byte)
        if transfer.size:
            self._first_at = min(self._first_at, first)
            self._last_at = max(self._last_at, transfer.end)
            self._by_host.spread(transfer.origin, first, transfer.end, transfer.size)
            self._transfer_rows.spread(transfer.row, first, transfer.end, transfer.size)
        if transfer.download == 0:
            self._await_hand_over(transfer)
        elif (owner := self._by_number.get(transfer.download)) is not None:
            self._give_piece(owner, transfer)

    def _give_piece(self, owner: UnderWay, transfer: Transfer) -> None:
        owner.origin = transfer.origin
        if transfer.filled is None or self._pieces >= MOST_PIECES or transfer.filled[0] >= transfer.filled[1]:
            return
        self._pieces += 1
        owner.pieces.append(Piece(*transfer.filled, transfer.row, transfer.connection, transfer.end))

    def _await_hand_over(self, transfer: Transfer) -> None:
        """A small file came, unless it was no success or a download takes it over: then that one is told of."""
        if transfer.ending not in _WHOLE or transfer.status not in _SUCCESS:
            return
        self._small[transfer.url] = transfer
        if len(self._small) > _MOST_SMALL:
            self._end_small_file(self._small.pop(next(iter(self._small))))

    def _end_small_file(self, transfer: Transfer) -> None:
        seconds_taken = transfer.end - transfer.begin
        self._end_file("done", transfer.origin, "", transfer.end, seconds_taken, transfer.first_byte)
        if self._is_slow(seconds_taken):
            download = Download(0, transfer.begin, transfer.end, "done", transfer.url or transfer.origin,
                                size=transfer.size, fetched=transfer.size, connections=1,
                                first_byte=transfer.first_byte)  # fmt: skip
            self._keep(download)

    def _take_download(self, record: Record, at: float, arguments: dict[str, Any]) -> None:
        key, name, phase = str(record.get("id")), text(record, "name"), record["ph"]
        if phase == "b" and name == "download":
            under_way = UnderWay(_number_of(key), at, text(arguments, "url"))
            self._small.pop(text(arguments, "url"), None)
            self._under_way[key] = self._by_number[under_way.number] = under_way
            return
        under_way_or_none = self._under_way.get(key)
        if under_way_or_none is None:
            return
        if name == "restarted":
            self._waste.restart(under_way_or_none.number, amount(arguments, "dropped"))
        if phase == "e" and name == "download":
            self._end_download(key, under_way_or_none, at, arguments)
        else:
            under_way_or_none.take(phase, name, at, arguments)

    def _end_download(self, key: str, under_way: UnderWay, at: float, arguments: dict[str, Any]) -> None:
        del self._under_way[key]
        download = under_way.ended(at, arguments)
        self._end_file(
            download.state,
            under_way.origin or sayings.origin_of(download.url),
            download.reason or "failed",
            at,
            download.seconds,
            download.first_byte,
        )
        if self._is_slow(download.seconds):
            self._keep(download)
        else:
            self._pieces -= len(download.pieces)
            self._by_number.pop(download.number, None)

    def _end_file(
        self, state: str, origin: str, reason: str, at: float, seconds_taken: float, first_byte: float | None
    ) -> None:
        self._states[state] += 1
        if state in ("done", "failed"):
            self._ends.add(state, at)
        if state == "done":
            self._wholes.add(seconds_taken)
        elif state == "failed":
            pair = (origin, reason)
            known = pair in self._failures or len(self._failures) < _MOST_FAILURES
            self._failures[pair if known else (OTHERS, reason)] += 1
        if first_byte is not None and state == "done":
            self._first_bytes.add(first_byte)

    def _take_wait(self, record: Record, at: float, arguments: dict[str, Any]) -> None:
        name = text(record, "name")
        key = (name, str(record.get("id"))[:_LONGEST_ID])
        if name not in _WAITS:
            return
        if record["ph"] == "b":
            if len(self._waits) < _MOST_WAITS:
                self._waits[key] = (at, arguments)
        elif (begun := self._waits.pop(key, None)) is not None:
            self._end_wait(name, begun[0], at, {**begun[1], **arguments})

    def _end_wait(self, name: str, begin: float, end: float, arguments: dict[str, Any]) -> None:
        self._pause(name, begin, end)
        origin = text(arguments, "origin")
        if origin and name in ("politeness", "retry"):
            self._hosts.hold_back(sayings.origin(origin), begin, end)

    def _pause(self, name: str, begin: float, end: float) -> None:
        if name not in _PAUSES:
            return  # of a newer version, or nobody's
        self._pauses.spread(name, begin, end, end - begin)
        taken, count = self._paused.get(name, (0.0, 0))
        self._paused[name] = (taken + end - begin, count + 1)

    def _take_sample(self, sample: Sample | None) -> None:
        if sample is None:
            return
        self._sampled += int(sample.rate * sample.seconds)
        for row, rate in sample.rates.items():
            self._sampled_rows.spread(row, sample.at - sample.seconds, sample.at, rate * sample.seconds)

    def _take_decision(self, record: Record, at: float, arguments: dict[str, Any]) -> None:
        kind = text(record, "name")
        if kind in _DECISIONS:
            self._decided[kind] += 1
        if len(self._decisions) < MOST_DECISIONS:
            tid = amount(record, "tid") - FIRST_SLOT
            self._decisions.append(
                Decision(kind, at, tid if 0 <= tid < MOST_ROWS else None, sayings.in_words(arguments))
            )

    # What is kept

    def _is_slow(self, seconds_taken: float) -> bool:
        return len(self._kept) < MOST_DOWNLOADS or seconds_taken > self._kept[0][0]

    def _keep(self, download: Download) -> None:
        self._order += 1  # two that took as long cannot be compared
        entry = (download.seconds, self._order, download)
        if len(self._kept) < MOST_DOWNLOADS:
            heapq.heappush(self._kept, entry)
            return
        dropped = heapq.heappushpop(self._kept, entry)[2]
        self._pieces -= len(dropped.pieces)
        if dropped.number:
            self._by_number.pop(dropped.number, None)

    # The end

    def story(self) -> Story:
        """All of it."""
        self._take_sample(self._ticks.flush())
        for transfer in self._small.values():
            self._end_small_file(transfer)
        for (name, _), (begin, arguments) in self._waits.items():
            self._end_wait(name, begin, self._last, arguments)
        # those that the trace does not see the end of count as files, and as nothing else
        unended = [under_way.ended(self._last, {"state": "open"}) for under_way in self._under_way.values()]
        downloads = [self._late(entry[2]) for entry in self._kept] + unended[:MOST_DOWNLOADS]
        hosts, more_hosts = self._hosts.facts()
        flows = [sample.at for sample in self._ticks.samples if sample.rate > 0]
        if not self._is_whole and flows:  # transfers that had not ended are not in the trace
            self._first_at, self._last_at = min(self._first_at, flows[0]), max(self._last_at, flows[-1])
        rows = set(self._rows).union(*(sample.rates for sample in self._ticks.samples))
        return Story(
            settings=self._settings,
            seconds=max(self._last, 1e-6),
            is_whole=self._is_whole,
            cost=self._cost,
            counts=self._counts(len(unended)),
            size=self._size if self._is_whole else max(self._size, self._sampled),
            downloads=tuple(sorted(downloads, key=lambda download: download.begin)),
            transfers=tuple(self._transfers) if self._transfer_count <= MOST_TRANSFERS else (),
            rows=min(MOST_ROWS, max(rows, default=-1) + 1),
            samples=tuple(self._ticks.samples),
            decisions=tuple(self._decisions),
            hosts=hosts,
            more_hosts=more_hosts,
            failures=tuple((*pair, count) for pair, count in self._failures.most_common(_MOST_PAIRS)),
            waste=self._waste.facts(),
            pauses=self._pauses,
            paused=self._paused,
            by_row=self._sampled_rows if self._ticks.has_rates else self._transfer_rows,
            by_host=self._by_host,
            activity=self._activity,
            ends=self._ends,
            first_bytes=self._first_bytes,
            wholes=self._wholes,
            first_at=min(self._first_at, self._last),
            last_at=self._last_at,
        )

    def _late(self, download: Download) -> Download:
        """The download with the pieces that were told after its end."""
        under_way = self._by_number.get(download.number) if download.number else None
        return download if under_way is None else replace(download, pieces=tuple(under_way.pieces))

    def _counts(self, unended: int) -> Counts:
        return Counts(
            done=self._states["done"],
            failed=self._states["failed"],
            cancelled=self._states["cancelled"],
            unended=unended,
            transfers=self._transfer_count,
            connections=self._connection_count,
            steals=self._decided["steal"],
            races=self._decided["race"],
            retries=self._decided["retry"],
            refusals=self._decided["refused"],
            dropped=self._dropped,
        )


def _number_of(key: str) -> int:
    """The number of a download from the id of its events, ``7`` or ``0x7``."""
    try:
        return int(key, 0)
    except ValueError:
        return 0


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
