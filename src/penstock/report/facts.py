"""What a run did, as plain frozen facts. Seconds since the trace began, bytes, bytes per second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from penstock.report.bins import Bins
from penstock.report.histogram import Histogram

#: What a transfer goes through, in this order.
PHASES: Final = ("dns", "connect", "tls", "wait", "body")
#: Why everything or one download was held back, in the order in which they are told.
PAUSES: Final = ("rate limit", "disk", "write", "politeness", "retry", "turn")
#: Who has the bytes when the names are too many to be told apart.
OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the run was told; None where it was not."""

    version: str = ""
    #: Seconds of the Unix clock at the trace's beginning.
    began: float | None = None
    max_connections: int | None = None
    rate_limit: float | None = None
    max_files: int | None = None
    per_host: int | None = None
    rate_per_host: float | None = None
    total_connections: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the run took: seconds, and bytes at the peak."""

    user: float
    system: float
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """One request on one connection. `row` counts from 0; the waits are seconds, one after another."""

    row: int
    origin: str
    begin: float
    end: float
    download: int = 0
    url: str = ""
    status: int = 0
    size: int = 0
    connection: int = 0
    is_new: bool = False
    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    wait: float = 0.0
    #: The bytes of the file that it filled, half-open; None for a transfer that fills no segment.
    filled: tuple[int, int] | None = None
    ending: str = ""
    why: str = ""

    @property
    def first_byte(self) -> float:
        """Seconds from its making to the first byte of the answer."""
        return self.dns + self.connect + self.tls + self.wait

    def phases(self) -> list[tuple[str, float, float]]:
        """(phase, begin, end) of each that took time, in order."""
        found = []
        at = self.begin
        for name, seconds in zip(PHASES, (self.dns, self.connect, self.tls, self.wait), strict=False):
            if seconds > 0 and at < self.end:
                found.append((name, at, min(self.end, at + seconds)))
                at += seconds
        if at < self.end:
            found.append(("body" if self.size else "wait", at, self.end))
        return found


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes ``[start, stop)`` of a file, who brought them, and when the last of them came."""

    start: int
    stop: int
    row: int
    connection: int
    end: float


@dataclass(frozen=True, slots=True)
class Download:
    """One download that the run made, whole or not. `state` is ``open`` where the trace ends before it does."""

    number: int
    begin: float
    end: float
    state: str = "open"
    url: str = ""
    name: str = ""
    length: int | None = None
    accepts_ranges: bool | None = None
    size: int = 0
    fetched: int = 0
    #: Bytes of an earlier run that were kept.
    kept: int = 0
    connections: int = 0
    reason: str = ""
    message: str = ""
    #: Seconds from its beginning to the first usable answer; None before that.
    first_byte: float | None = None
    #: (state, begin, end) of each state it was in.
    states: tuple[tuple[str, float, float], ...] = ()
    pieces: tuple[Piece, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin

    @property
    def title(self) -> str:
        """Its file's name, or its URL while that is not known. As the server has it: escape before showing."""
        return self.name or self.url


@dataclass(frozen=True, slots=True)
class Sample:
    """How things stood at `at`, and what had come in the `seconds` before."""

    at: float
    seconds: float
    #: Bytes per second of all together.
    rate: float
    #: Bytes per second of each row that brought something.
    rates: Mapping[int, float] = field(default_factory=dict)
    #: Connections: bringing bytes, earned so far, the ceiling. None where it was not said.
    flowing: int | None = None
    allowed: int | None = None
    most: int | None = None
    #: Which part of the growth that it promised the last change of the number of connections brought: about 1 where
    #: each brings its own, about 0 where they share.
    gain: float | None = None
    #: Shares of the time, 0 to 1: in which the network thread worked or waited for a processor, and in which it wrote.
    network: float | None = None
    writing: float | None = None
    #: Processors that the whole process used, 0 and up.
    process: float | None = None
    #: Files under way in a batch.
    active: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A steal, race, retry, warning or refusal. `row` is None where it belongs to no connection."""

    kind: str
    at: float
    row: int | None
    #: In words, as it came: escape before showing.
    text: str


@dataclass(frozen=True, slots=True)
class Host:
    """All that was asked of one origin. Seconds are sums over its transfers."""

    origin: str
    transfers: int
    connections: int
    size: int
    failed: int
    refused: int
    begin: float
    end: float
    dns: float
    connect: float
    tls: float
    wait: float
    body: float
    #: Seconds for which downloads waited for it: politeness, Retry-After, retries.
    held_back: float

    @property
    def first_byte(self) -> float:
        """Mean seconds to the first byte of an answer."""
        return (self.dns + self.connect + self.tls + self.wait) / self.transfers if self.transfers else 0.0

    @property
    def rate(self) -> float:
        """Bytes per second over the time in which it was asked anything."""
        return self.size / (self.end - self.begin) if self.end > self.begin else 0.0


@dataclass(frozen=True, slots=True)
class Waste:
    """Bytes that came and are no part of a file."""

    raced: int = 0
    #: The tails of segments that were stolen while they were on the way.
    cut: int = 0
    #: Of connections that failed, fell silent or were replaced.
    broken: int = 0
    #: Of files that began again at zero.
    restarted: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.raced + self.cut + self.broken + self.restarted


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each there were."""

    done: int = 0
    failed: int = 0
    cancelled: int = 0
    unended: int = 0
    transfers: int = 0
    connections: int = 0
    steals: int = 0
    races: int = 0
    retries: int = 0
    refusals: int = 0
    #: Events that the trace itself lost.
    dropped: int = 0

    @property
    def files(self) -> int:
        """All files."""
        return self.done + self.failed + self.cancelled + self.unended


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that a report is made of. Lists are cut short where they would be too long to draw."""

    settings: Settings
    #: Seconds that the run took.
    seconds: float
    #: False for a run that was killed, or is still going on.
    is_whole: bool
    cost: Cost | None
    counts: Counts
    #: Bytes that came.
    size: int
    #: Downloads that are shown one by one; of a batch the slowest.
    downloads: tuple[Download, ...]
    #: Every transfer, or none where there are too many to draw.
    transfers: tuple[Transfer, ...]
    #: Rows that transfers were on.
    rows: int
    samples: tuple[Sample, ...]
    decisions: tuple[Decision, ...]
    hosts: tuple[Host, ...]
    #: Origins that are not in `hosts`.
    more_hosts: int
    #: (origin, reason, files), most first.
    failures: tuple[tuple[str, str, int], ...]
    waste: Waste
    #: Seconds of held-back time by kind of pause, over time; sums where several downloads waited at once.
    pauses: Bins[str]
    #: Sums of the same, and how many pauses there were.
    paused: Mapping[str, tuple[float, int]]
    #: Bytes by row, over time.
    by_row: Bins[int]
    #: Bytes by origin, over time.
    by_host: Bins[str]
    #: Connection seconds by phase, over time.
    activity: Bins[str]
    #: Files that ended, ``done`` or ``failed``, over time.
    ends: Bins[str]
    #: Seconds to the first byte, and to the end, of each file.
    first_bytes: Histogram
    wholes: Histogram
    first_at: float
    #: When the last byte of a body came.
    last_at: float

    @property
    def is_batch(self) -> bool:
        """More than one file."""
        return self.counts.files > 1
