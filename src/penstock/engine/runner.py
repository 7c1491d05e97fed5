"""Carry downloads through the queue, and look after those under way. Everything here is on the loop's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from penstock.core.politeness import GivenUp
from penstock.core.retry import Failure
from penstock.core.urls import origin, redact
from penstock.engine.context import Context, Surroundings
from penstock.engine.download import Download
from penstock.engine.ending import Cancel, Deadline
from penstock.engine.hosts import Host, refusal
from penstock.engine.patience import too_late
from penstock.engine.pipe import Backlog
from penstock.engine.probe import Opened
from penstock.engine.queue import Ticket
from penstock.engine.resources import fault_of
from penstock.engine.swift import Errand, Landed, Swift, Swifts
from penstock.errors import DownloadError, TargetLocked
from penstock.events import Cancelled, Failed, Finished, Started, Warned
from penstock.model import Digest, Options, Origin, Request, Result
from penstock.net.tasks import Promise, Task

End: TypeAlias = Result | Landed | None

#: Seconds between looks at every download under way.
LOOK_SECONDS: Final = 0.25
#: Seconds without a byte after which a file lends its place to another.
IDLE_SECONDS: Final = 1.0
#: The same for one of an origin that has never answered: how soon the next origin is tried depends on it.
UNHEARD_SECONDS: Final = 0.25
#: The same under a rate limit.
LIMITED_SECONDS: Final = 20.0
#: A file of many may take this many seconds, and one more for each so many bytes: a server that trickles for ever
#: must not keep a run from ending.
TRICKLE_SECONDS: Final = 600.0
TRICKLE_BYTES: Final = 1024
#: Small files in memory on their way to the disk, beyond which nothing new begins.
MOST_DELIVERIES: Final = 512


class Run(Ticket):
    """One download on the engine. `make(run)` gives the request, where more than an errand is needed; `on_end(run,
    end, error)` is called once."""

    number = 0
    #: Which of its sources is asked first.
    source = 0
    cancelled = False
    #: True when it does not count in the queue any more.
    has_left = False
    #: Seconds that it waited for a place after it had begun: they do not count as slowness.
    waited = 0.0
    ended: Promise[None] | None = None
    swift: Swift[Run] | None = None
    context: Context | None = None
    download: Download | None = None
    task: Task | None = None
    #: When its turn came.
    begun = 0.0
    #: When bytes last came, and how many there were: to tell a file that moves from one that does not.
    moved_at = 0.0
    moved_to: int | None = None

    def __init__(
        self,
        source_origin: Origin,
        url: str,
        options: Options,
        make: Callable[[Any], Request],
        on_end: Callable[[Any, End, BaseException | None], None],
        *,
        is_one_of_many: bool = False,
        vacant: bool = False,
        errand: Errand | None = None,
    ) -> None:
        """`url` is the first source's, `source_origin` its. `vacant`: nothing was at the target a moment ago. `errand`:
        what is all there is to do, if it turns out to be a small file."""
        self.origin = source_origin
        self.connections = options.max_connections
        self.url = url
        self.options = options
        self.make = make
        self.on_end = on_end
        self.is_one_of_many = is_one_of_many
        self.vacant = vacant
        self.errand = errand


class Runner:
    """The downloads that wait and that are under way."""

    def __init__(self, shared: Surroundings, backlog: Backlog, *, details: bool) -> None:
        """Without `details` small files that end well are not told of one by one."""
        self._shared = shared
        self._loop = shared.loop
        self._queue = shared.queue
        self._queue.starter = self
        self._backlog = backlog
        self._details = details
        self._swifts: Swifts[Run] = Swifts(shared, self)
        self._waiting: set[Run] = set()
        self._running: set[Run] = set()
        #: Downloads that were begun.
        self.begun = 0
        self._looking = False
        self._is_holding = False

    @property
    def running(self) -> int:
        """Downloads under way."""
        return len(self._running)

    def bytes_under_way(self) -> int:
        """Bytes that came for the downloads under way."""
        swift = sum(run.swift.received for run in self._running if run.swift is not None)
        awaited = (run.download.bytes_awaited() for run in self._running if run.download is not None)
        return swift + sum(count or 0 for count in awaited)

    def add(self, runs: Sequence[Run]) -> None:
        """Let downloads from one origin wait for their turns."""
        stopped = [run for run in runs if run.cancelled]
        wanted = [run for run in runs if not run.cancelled] if stopped else runs
        for run in stopped:
            self._end_unbegun(run, Cancel())
        if wanted:
            self._waiting.update(wanted)
            self._queue.put(wanted)

    def cancel(self, run: Run) -> None:
        """Stop a download; it leaves a part that can be gone on from."""
        if run.cancelled:
            return
        run.cancelled = True
        if run in self._waiting:
            self._queue.drop(run)
            self._waiting.discard(run)
            self._end_unbegun(run, Cancel())
        elif run.swift is not None and run.swift.is_stoppable:
            run.swift.stop()
            run.swift = None
            self._ended(run, None, Cancel())
        else:
            self._interrupt(run, Cancel)

    def cancel_all(self) -> None:
        """Stop every download."""
        for run in [*self._waiting, *self._running]:
            self.cancel(run)

    def fail_all(self, error: BaseException) -> None:
        """End every download under way that can be interrupted: what one of them waits for may have been lost."""
        self._looking = False
        self._look_later()
        for run in list(self._running):
            if run.swift is not None and run.swift.is_stoppable:
                run.swift.stop()
                run.swift = None
                self._ended(run, None, fault_of(error, redact(run.url)))
            elif run.task is not None and run.download is not None and run.download.interruptible:
                run.task.throw(error)

    def orphan(self) -> None:
        """In a forked child: let go of what the parent has open."""
        for run in self._running:
            if run.download is not None:
                run.download.orphan()

    # A download's beginning and end

    def begin(self, run: Run) -> None:
        """Its turn has come (from the queue)."""
        self._waiting.discard(run)
        self._running.add(run)
        self._give_number(run)
        run.begun = run.moved_at = self._loop.now()
        self._look_later()
        if run.errand is None or run.host is None:
            self._live(run)
        else:  # bet that it is small: then this is all there is to it
            run.host.politeness.on_request(run.moved_at)
            run.swift = self._swifts.begin(run, run.errand, run.options)

    def _give_number(self, run: Run) -> None:
        self.begun += 1
        run.number = self.begun

    def go_on(self, run: Run) -> None:
        """It has its place at another origin (from the queue)."""
        run.moved_at = self._loop.now()
        if run.turn is not None:
            run.turn.set(None)

    def arrived(self, run: Run) -> None:
        """A small file came whole: while it is put away another one may begin (from its swift)."""
        assert run.host is not None
        self._shared.hosts.answered(run.host)
        run.has_left = True
        self._queue.end(run)
        if self._shared.deliveries.backlog > MOST_DELIVERIES:
            self._is_holding = True
            self._queue.hold("deliveries", True)

    def tried(self, run: Run, end: Landed | Opened | Failure) -> None:
        """The bet was won, or a download goes on from there (from its swift)."""
        run.swift = None
        assert run.host is not None
        if self._is_holding and self._shared.deliveries.backlog < MOST_DELIVERIES // 2:
            self._is_holding = False
            self._queue.hold("deliveries", False)
        if isinstance(end, Landed):
            self._ended(run, end, None)
            return
        if isinstance(end, Failure):
            self._shared.hosts.failed(run.host, end)
        self._live(run, end)

    def _live(self, run: Run, first: Opened | Failure | None = None) -> None:
        if run.cancelled:
            if isinstance(first, Opened):
                first.drop()
            self._ended(run, None, Cancel())
            return
        # one that was put away, and is not after all, has left the queue
        run.context = Context(run.number, run.make(run), self._shared, None if run.has_left else run)
        run.context.started = run.begun
        for _ in range(run.source):
            run.context.next_source()
        if isinstance(first, Failure):
            run.context.failure, run.context.failing = first, run.host
        run.context.emit(Started(download=run.number, at=run.context.now, url=run.context.shown_url))
        run.download = Download(run.context, self._backlog, vacant=run.vacant, first=first)
        run.task = Task(run.download.live(), partial(self._ended, run))
        run.task.start()

    def _ended(self, run: Run, end: End, error: BaseException | None) -> None:
        if isinstance(error, TargetLocked) and self._wait_for_leaving(run):
            return
        self._running.discard(run)
        if error is not None or run.context is not None or self._details:
            self._tell(run, end, error)
        if error is not None and run.context is not None:
            run.context.learn(error)
        if not run.has_left:
            run.has_left = True
            self._queue.end(run)
        if run.ended is not None:
            run.ended.set(None)
        run.on_end(run, end, error)

    def _tell(self, run: Run, end: End, error: BaseException | None) -> None:
        emit, now, number = self._shared.emit, self._loop.now(), run.number
        if run.context is None:
            emit(Started(download=number, at=now, url=redact(run.url)))
        if end is not None:
            emit(Finished(download=number, at=now, result=result_of(run, end)))
        elif isinstance(error, DownloadError):
            emit(Failed(download=number, at=now, error=error))
        else:
            resumable = run.download is not None and run.download.resumable
            emit(Cancelled(download=number, at=now, resumable=resumable))

    def _wait_for_leaving(self, run: Run) -> bool:
        """The lock may be held by a cancelled download of our own that is still writing its last checkpoint."""
        leaving = next((other for other in self._running if other.cancelled and other is not run), None)
        if leaving is None:
            return False
        run.vacant = False
        if leaving.ended is None:
            leaving.ended = Promise(self._loop.soon)
        leaving.ended.on_settled(partial(self._live, run))
        return True

    def given_up(self, host: Host) -> None:
        """An origin was given up (from the hosts)."""
        self._queue.refuse_waiting(host)

    def refuse(self, run: Run, why: GivenUp) -> None:
        """Its origin was given up while it waited (from the queue)."""
        if run.turn is not None and run.context is not None:
            run.turn.fail(refusal(why, run.context.shown_url))
            return
        sources = () if run.errand is not None else run.make(run).sources
        if run.source + 1 < len(sources):  # it waits for another one instead
            run.source += 1
            run.origin = origin(sources[run.source].url)
            self._loop.soon(self._queue.put, [run])
            return
        self._waiting.discard(run)
        if run.host is not None and not run.host.is_told:
            run.host.is_told = True  # once, not for each file
            message = f"{run.host.origin}: {why.why}; its other files are not tried now"
            self._shared.emit(Warned(download=0, at=self._loop.now(), message=message))
        self._end_unbegun(run, refusal(why, redact(run.url)))

    def _end_unbegun(self, run: Run, error: BaseException) -> None:
        if not run.is_one_of_many:
            self._give_number(run)
            self._tell(run, None, error)
        run.on_end(run, None, error)

    @staticmethod
    def _interrupt(run: Run, kind: type[Cancel | Deadline]) -> None:
        if run.task is not None and run.download is not None and run.download.interruptible:
            run.task.throw(kind())

    # Looking after them

    def _look(self) -> None:
        now = self._loop.now()
        for run in list(self._running):
            if run.swift is not None:
                came: int | None = run.swift.received if run.swift.is_stoppable else None
                run.swift.look(now)
                self._see_movement(run, came, now)
                if run.swift is not None and came is not None and self._is_late(run, now):
                    self._give_up_small(run, run.swift)
            elif run.context is not None and run.download is not None:
                run.context.look(now)
                run.waited += LOOK_SECONDS if run.waits else 0.0
                self._see_movement(run, run.download.bytes_awaited(), now)
                if self._is_late(run, now):
                    self._interrupt(run, Deadline)
        self._queue.look()
        self._looking = False
        if self._running:
            self._look_later()

    def _look_later(self) -> None:
        if not self._looking:
            self._looking = True
            self._loop.call_later(LOOK_SECONDS, self._look)

    def _see_movement(self, run: Run, came: int | None, now: float) -> None:
        if came is None or came != run.moved_to:
            run.moved_to = came
            run.moved_at = now
        if run.has_left:
            return
        # held back by our own rate limit it may be that nothing comes for a while
        patience = LIMITED_SECONDS if self._loop.gate.limited else IDLE_SECONDS
        if patience == IDLE_SECONDS and run.host is not None and not run.host.politeness.has_answered:
            patience = UNHEARD_SECONDS
        rests = run.context is not None and run.context.rests
        self._queue.set_idle(run, rests or now - run.moved_at >= patience)

    @staticmethod
    def _is_late(run: Run, now: float) -> bool:
        deadline = run.options.deadline
        if deadline is None and run.is_one_of_many and run.moved_to is not None:  # else it waits for the disk
            deadline = TRICKLE_SECONDS + (run.moved_to or 0) / TRICKLE_BYTES + run.waited
        return deadline is not None and now - run.begun >= deadline

    def _give_up_small(self, run: Run, swift: Swift[Run]) -> None:
        """It did not come in time, and a download would find no time left."""
        swift.stop()
        run.swift = None
        self._ended(run, None, too_late(Context(run.number, run.make(run), self._shared)))


def result_of(run: Run, end: Result | Landed) -> Result:
    """The result of a download that ended well."""
    if isinstance(end, Result):
        return end
    assert run.errand is not None
    return Result(
        path=Path(run.errand.folder, run.errand.name),
        size=end.size,
        url=run.url,
        final_url=run.url,
        digest=run.errand.checksum,
        sha256=None if end.sha256 is None else Digest("sha256", bytes.fromhex(end.sha256)),
        validator=end.validator,
        media_type=end.media_type,
        mtime_ns=end.mtime_ns,
        elapsed=end.elapsed,
        fetched=end.size,
        connections=1,
    )
