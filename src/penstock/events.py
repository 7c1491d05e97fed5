"""Immutable facts about a download, in the past tense, sent out to whoever watches.

Every event carries `download`, a number unique within its Downloader, and `at`, seconds on the monotonic clock.
They leave only from the engine, in order, on one thread that is not the network's; a slow listener gets merged
`Progressed` and `BatchProgressed` events. It loses details when it is thousands behind, and never any other kind:
nothing new begins until it has caught up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from penstock.errors import DownloadError
    from penstock.model import Digest, Result, Validator


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Event:
    """The base of all events, compared and shown field by field.

    Written once here instead of generated for each kind: generating cost 8 ms at every start.
    """

    download: int
    at: float

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Started(Event):
    """A download left the queue. `url` is without credentials."""

    url: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Probed(Event):
    """The first answer came: what the server serves, and the name it will have here."""

    final_url: str
    path: str
    length: int | None
    accepts_ranges: bool
    validator: Validator | None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Resumed(Event):
    """Bytes of an earlier run were kept."""

    kept: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Restarted(Event):
    """Bytes were dropped and the download began again at zero; `why` says the cause in words."""

    why: str
    dropped: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Progressed(Event):
    """Where the download is: bytes there, bytes in all, bytes per second of late, live connections."""

    done: int
    length: int | None
    speed: float
    connections: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Stolen(Event):
    """An idle connection took the tail ``[start, stop)`` of another's segment."""

    victim: int
    thief: int
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Raced(Event):
    """A second connection began to fetch the same last bytes ``[start, stop)``."""

    segment: int
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Retried(Event):
    """A transfer failed and will be tried again after `wait` seconds."""

    why: str
    wait: float
    attempt: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Warned(Event):
    """Something the user should know that did not stop the download."""

    message: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Checkpointed(Event):
    """The journal now vouches for `durable` bytes."""

    durable: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Verified(Event):
    """The bytes have this digest, as expected. `source` says who expected it: ``request`` or ``server``."""

    digest: Digest
    source: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Finished(Event):
    """The target is there."""

    result: Result


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Failed(Event):
    """The download ended without a target."""

    error: DownloadError


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Cancelled(Event):
    """The download was stopped by its owner; `resumable` says whether its part can go on later."""

    resumable: bool


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RowRejected(Event):
    """A line of a list cannot be used; the others go on. `download` is 0, `text` an excerpt fit to be shown."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BatchProgressed(Event):
    """Where a batch is; `download` is 0. Counts are files: `total` of the list as far as it was read (`listed`: to
    its end), `done` of them are there (`skipped` of these were before this run), `failed` are not, `active` are
    being fetched. `size` is bytes that this run fetched, `speed` bytes per second and `pace` files per second of late.
    `ended`: it is over, to its end or stopped, and this is its last event.
    """

    total: int
    listed: bool
    done: int
    skipped: int
    failed: int
    active: int
    size: int
    speed: float
    pace: float
    ended: bool = False


AnyEvent: TypeAlias = (
    Started
    | Probed
    | Resumed
    | Restarted
    | Progressed
    | Stolen
    | Raced
    | Retried
    | Warned
    | Checkpointed
    | Verified
    | Finished
    | Failed
    | Cancelled
    | RowRejected
    | BatchProgressed
)
