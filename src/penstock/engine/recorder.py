"""Record what happens as a trace: every request, and what the downloads did, waited for and decided.

Made only when a trace is asked for; whoever has something to tell asks `if trace is not None` first, so that it costs
nothing else. Belongs to the loop's thread. What it remembers is bounded by what is under way.
"""

from __future__ import annotations

import functools
import heapq
import logging
import os
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, ParamSpec, TypeVar

import pycurl

from penstock._version import __version__
from penstock.core import trace_lines as lines
from penstock.core.trace_lines import (
    DISK_ROW,
    FIRST_SLOT,
    LEAST_SMALL_PHASE,
    RATE_ROW,
    WRITE_ROW,
    Sent,
    Times,
    quoted,
    small_transfer,
)
from penstock.core.urls import escape, redact
from penstock.engine.processor import Processor
from penstock.engine.states import TRANSITIONS, State
from penstock.engine.told import line_of
from penstock.events import AnyEvent, BatchProgressed, Cancelled, Failed, Finished, Started, Warned
from penstock.net.failures import cleaned
from penstock.net.gate import DISK, RATE
from penstock.net.transfer import Transfer
from penstock.store.trace_file import TraceFile

#: Seconds between samples at first.
_SAMPLE_SECONDS: Final = 0.1
#: Later a sample is taken when such a part of the time so far has passed: their number grows with its logarithm.
_SAMPLE_PART: Final = 1 / 300
#: A write that holds the network thread up for so many seconds has a slice of its own.
_SLOW_WRITE_SECONDS: Final = 0.01
#: Origins whose names are kept ready.
_MOST_NAMES: Final = 4096
_PAUSES: Final = {RATE: (RATE_ROW, "rate limit"), DISK: (DISK_ROW, "disk")}
#: Numbers each connection; older pycurls tell only the local port.
_CONNECTION: Final = getattr(pycurl, "CONN_ID", pycurl.LOCAL_PORT)
_QUEUE_TIME: Final = getattr(pycurl, "QUEUE_TIME_T", None)


P = ParamSpec("P")
T = TypeVar("T")


def _harmless(otherwise: T) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A fault of the recorder's ends the trace and nothing else: after one the method returns `otherwise`."""

    def guarding(method: Callable[P, T]) -> Callable[P, T]:
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            recorder: Any = args[0]
            if recorder.is_broken:
                return otherwise
            try:
                return method(*args, **kwargs)
            except Exception as error:
                recorder.give_up(error)
                return otherwise

        return functools.wraps(method)(guarded)

    return guarding


def _nothing() -> None:
    """Tells nothing."""


class Recorder:
    """Writes one trace from its making to `finish`."""

    def __init__(self, file: TraceFile, now: Callable[[], float], limits: dict[str, Any]) -> None:
        """`limits` are what the user bounded all downloads by."""
        #: True after a fault: nothing more is recorded.
        self.is_broken = False
        self._emit: Callable[[AnyEvent], None] | None = None
        self._file = file
        self._now = now
        self._zero = now()
        self._slots: list[int] = []
        self._next_slot = FIRST_SLOT
        #: The slot of each transfer that runs, and how many bytes it had at the last sample.
        self._running: dict[Transfer, int] = {}
        self._seen: dict[Transfer, int] = {}
        #: By download and slot: bytes since the last sample of transfers that have ended.
        self._rests: dict[int, dict[int, int]] = {}
        self._names: dict[str, str] = {}
        #: Downloads that have begun, with the time of their last sample.
        self._sampled: dict[int, float] = {}
        self._closed: dict[str, float] = {}
        self._processor = Processor(self._zero)
        self._writing = 0.0
        self._last_machine = self._last_files = self._zero
        self._urls: dict[int, str] = {}
        file.put(
            [
                lines.process_name("penstock"),
                lines.row_name(lines.RUN_ROW, "run"),
                lines.row_name(RATE_ROW, "held back: rate limit"),
                lines.row_name(DISK_ROW, "held back: disk"),
                lines.row_name(WRITE_ROW, "slow writes"),
                lines.instant(
                    "run", "run", 0.0, everywhere=True, format=lines.FORMAT, version=__version__,
                    unix=round(time.time(), 6), **limits,
                ),
            ]
        )  # fmt: skip

    def tee(self, emit: Callable[[AnyEvent], None]) -> Callable[[AnyEvent], None]:
        """`emit`, and record."""
        self._emit = emit

        def both(event: AnyEvent) -> None:
            self._event(event)
            emit(event)

        return both

    def give_up(self, error: Exception) -> None:
        """After a fault of ours: the trace ends here."""
        self.is_broken = True
        logging.getLogger("penstock").error("internal error in the trace", exc_info=error)
        self._warn(f"the trace ends early: internal error: {type(error).__name__}: {error}")

    def finish(self) -> None:
        """The loop has ended: write the rest, from any thread."""
        self._file.close(self._last_lines)
        if self._file.error is not None:
            why = getattr(self._file.error, "strerror", None) or self._file.error
            self._warn(f"{escape(str(self._file.path))}: the trace ends early: {why}")
        elif self._file.dropped:
            self._warn(f"{self._file.dropped:,} lines of the trace were lost: its disk was too slow")

    def _warn(self, message: str) -> None:
        if self._emit is not None:
            self._emit(Warned(download=0, at=self._now(), message=message))

    def _last_lines(self) -> list[str]:
        now = self._now()
        spent, peak = self._processor.spent(), self._processor.peak_memory()
        end = lines.instant(
            "run", "end", now - self._zero, everywhere=True,
            wall=lines.microseconds(now - self._zero),
            user=lines.microseconds(spent.user), system=lines.microseconds(spent.system),
            peak_memory=peak, dropped=self._file.dropped,
        )  # fmt: skip
        return [*self._ends_of_pauses(now), end]

    def _ends_of_pauses(self, now: float) -> list[str]:
        return [self._pause(reason, since, now) for reason, since in self._closed.items()]

    # Transfers (from the loop)

    @_harmless(None)
    def transfer_began(self, transfer: Transfer) -> None:
        """libcurl has it."""
        if self._slots:
            slot = heapq.heappop(self._slots)
        else:
            slot = self._next_slot
            self._next_slot += 1
            self._file.put([lines.row_name(slot, f"connection {slot - FIRST_SLOT + 1}")])
        self._running[transfer] = slot

    @_harmless(_nothing)
    def transfer_ended(self, transfer: Transfer, handle: Any, number: int, message: str) -> Callable[[], None]:
        """libcurl is through with it, or it is broken off; `number` is libcurl's error. Returns what is to be called
        when all who follow it have heard: only then it is known what became of its bytes."""
        now = self._now()
        slot = self._running.pop(transfer, FIRST_SLOT)
        heapq.heappush(self._slots, slot)
        begin, duration = transfer.opened - self._zero, now - transfer.opened
        ask = handle.getinfo
        status, connection, is_new = ask(pycurl.RESPONSE_CODE), ask(_CONNECTION), ask(pycurl.NUM_CONNECTS) > 0
        name, size = self._name(transfer.url), transfer.received
        if transfer.download == 0 and not is_new and not number and duration < LEAST_SMALL_PHASE:
            first = ask(pycurl.STARTTRANSFER_TIME)
            wait = first - ask(pycurl.PRETRANSFER_TIME) if first else 0.0
            url = redact(transfer.url)
            self._file.put((small_transfer(name, slot, begin, duration, status, size, connection, wait, url),))
            return _nothing
        self._keep_rest(transfer.download, slot, size - self._seen.pop(transfer, 0))
        times = _times(handle, is_new=is_new)
        sent = Sent(name, slot, begin, duration, 0, status, size, connection, is_new, times, {})
        return functools.partial(
            self._tell, transfer, sent, transfer.url, cleaned(message) if number and not transfer.broken_off else None
        )

    def _keep_rest(self, download: int, slot: int, size: int) -> None:
        """For the next sample: bytes that came after the last one to a transfer that has ended."""
        if download in self._sampled and size > 0:
            rests = self._rests.setdefault(download, {})
            rests[slot] = rests.get(slot, 0) + size

    @_harmless(None)
    def _tell(self, transfer: Transfer, sent: Sent, url: str, error: str | None) -> None:
        """What became of its bytes is known."""
        more = {} if transfer.ending is None else transfer.ending.told()
        if error is not None and transfer.ending is None:
            more = {"end": "failed", "why": error}
        if self._urls.get(transfer.download) != url:
            more["url"] = redact(url)
        self._file.put(lines.transfer(sent._replace(download=transfer.download, more=more)))

    def _name(self, url: str) -> str:
        """The URL's origin, quoted."""
        end = url.find("/", 8)
        prefix = url if end < 0 else url[:end]
        name = self._names.get(prefix)
        if name is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            name = self._names[prefix] = quoted(redact(prefix))
        return name

    # Pauses and the disk

    @_harmless(None)
    def gate_changed(self, reason: str, is_closed: bool) -> None:
        """All transfers are held back from now on, or not any more, for this reason (from the gate)."""
        now = self._now()
        if is_closed:
            self._closed[reason] = now
        elif (since := self._closed.pop(reason, None)) is not None:
            self._file.put([self._pause(reason, since, now)])

    def _pause(self, reason: str, since: float, now: float) -> str:
        row, name = _PAUSES[reason]
        return lines.slice_("pause", name, row, since - self._zero, now - self._zero)

    @_harmless(None)
    def waited(self, kind: str, download: int, since: float, until: float, origin: str) -> None:
        """A download waited before it could ask: ``retry``, ``politeness`` or ``turn``."""
        if until <= since:
            return
        self._file.put(
            [
                lines.begun("pause", kind, download, since - self._zero, download=download, origin=origin),
                lines.ended("pause", kind, download, until - self._zero),
            ]
        )

    @_harmless(None)
    def wrote(self, since: float, until: float, size: int) -> None:
        """The network thread wrote `size` bytes by itself."""
        self._writing += until - since
        if until - since >= _SLOW_WRITE_SECONDS:
            begin, end = since - self._zero, until - self._zero
            self._file.put([lines.slice_("disk", "write", WRITE_ROW, begin, end, bytes=size)])

    @_harmless(None)
    def checkpointed(self, download: int, since: float, durable: int | None) -> None:
        """A checkpoint that began at `since` is over; `durable` None: it failed."""
        begin, end = since - self._zero, self._now() - self._zero
        self._file.put(
            [
                lines.begun("disk", "checkpoint", download, begin),
                lines.ended("disk", "checkpoint", download, end, durable=durable),
            ]
        )

    # Downloads

    @_harmless(None)
    def entered(self, download: int, left: str, entered: str) -> None:
        """A download went from one state to another."""
        at = self._now() - self._zero
        told = []
        if left in _STATES:
            told.append(lines.ended("download", left, download, at))
        if entered in _STATES:
            told.append(lines.begun("download", entered, download, at))
        self._file.put(told)

    @_harmless(None)
    def decided(self, name: str, download: int, **args: Any) -> None:
        """A decision that has no event."""
        at = self._now() - self._zero
        self._file.put([lines.instant("decision", name, at, download=download, **args)])

    @_harmless(None)
    def _event(self, event: AnyEvent) -> None:
        if isinstance(event, BatchProgressed):
            self._files(event)
            return
        if isinstance(event, Started):
            self._urls[event.download] = event.url
        elif isinstance(event, Finished | Failed | Cancelled):
            self._urls.pop(event.download, None)
            self._sampled.pop(event.download, None)
            self._rests.pop(event.download, None)
        line = line_of(event, event.at - self._zero)
        if line is not None:
            self._file.put([line])

    # Samples

    @_harmless(False)
    def is_due(self, download: int, now: float) -> bool:
        """True when a sample of the download is to be taken; it counts as taken."""
        last = self._sampled.setdefault(download, 0.0)
        if not self._has_passed(last, now):
            return False
        self._sampled[download] = now
        return True

    def _has_passed(self, last: float, now: float) -> bool:
        return now - last >= max(_SAMPLE_SECONDS, (now - self._zero) * _SAMPLE_PART)

    @_harmless(None)
    def flowed(self, download: int, since: float, now: float, transfers: Iterable[Transfer]) -> None:
        """Sample what a download's connections bring since its last sample."""
        came = self._rests.pop(download, {})
        for transfer in transfers:
            slot = self._running.get(transfer)
            if slot is not None:
                came[slot] = came.get(slot, 0) + transfer.received - self._seen.get(transfer, 0)
                self._seen[transfer] = transfer.received
        elapsed = max(now - since, 0.001)
        rates = {str(slot): round(size / elapsed) for slot, size in came.items() if size}
        self._file.put([lines.counter(f"throughput {download}", now - self._zero, **rates)])
        self._machine(now)

    @_harmless(None)
    def connected(self, download: int, now: float, **counts: float) -> None:
        """Sample how many connections a download has, and may have."""
        self._file.put([lines.counter(f"connections {download}", now - self._zero, **counts)])

    def _files(self, event: BatchProgressed) -> None:
        if not self._has_passed(self._last_files, event.at):
            return
        self._last_files = event.at
        at = event.at - self._zero
        self._file.put(
            [
                lines.counter(
                    "files", at, done=event.done, failed=event.failed, active=event.active,
                    size=event.size, total=event.total,
                )
            ]
        )  # fmt: skip
        self._machine(event.at)

    def _machine(self, now: float) -> None:
        if not self._has_passed(self._last_machine, now):
            return
        elapsed = now - self._last_machine
        self._last_machine = now
        used = self._processor.sample()
        writing, self._writing = self._writing, 0.0
        shares = {
            "network": round(used.thread / elapsed, 3),
            "process": round(used.process / elapsed, 3),
            "writing": round(writing / elapsed, 3),
        }
        self._file.put([lines.counter("machine", now - self._zero, **shares)])
        self._file.flush()  # a run that is killed leaves a trace up to here


#: Those that take time.
_STATES: Final = frozenset(state.value for state, nexts in TRANSITIONS.items() if nexts) - {State.QUEUED.value}


def open_recorder(
    path: str | os.PathLike[str], post: Callable[..., None], now: Callable[[], float], limits: dict[str, Any]
) -> Recorder:
    """Begin a trace in the file `path`; raises OSError."""
    from pathlib import Path

    return Recorder(TraceFile(Path(path), post), now, limits)


def _times(handle: Any, *, is_new: bool) -> Times:
    """Where a transfer's time went, from what libcurl measured (CURLINFO_*_TIME, all from the beginning)."""
    asked = handle.getinfo(pycurl.PRETRANSFER_TIME)
    first = handle.getinfo(pycurl.STARTTRANSFER_TIME)
    wait = max(0.0, first - asked) if first else 0.0
    if not is_new:
        return Times(asked, 0.0, 0.0, 0.0, wait)
    queue = handle.getinfo(_QUEUE_TIME) / 1e6 if _QUEUE_TIME is not None else 0.0
    looked_up = handle.getinfo(pycurl.NAMELOOKUP_TIME)
    connected = handle.getinfo(pycurl.CONNECT_TIME)
    secured = handle.getinfo(pycurl.APPCONNECT_TIME)
    return Times(
        queue=queue,
        dns=max(0.0, looked_up - queue),
        connect=max(0.0, connected - max(looked_up, queue)),
        tls=max(0.0, secured - connected) if secured else 0.0,
        wait=wait,
    )
