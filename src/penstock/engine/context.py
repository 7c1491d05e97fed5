"""What every room of one download needs: its request, the loop, the disk threads, its origin, and a voice."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from penstock.core.retry import Failure
from penstock.core.secrets import without_secrets
from penstock.core.urls import identity, origin, redact
from penstock.errors import NetworkError, Reason
from penstock.events import AnyEvent, Warned
from penstock.model import Options, Request
from penstock.net.loop import Loop
from penstock.net.tasks import Promise
from penstock.store.threads import Workers

if TYPE_CHECKING:
    from penstock.engine.deliveries import Deliveries
    from penstock.engine.hosts import Host, Hosts
    from penstock.engine.purse import Purse
    from penstock.engine.queue import Queue, Ticket
    from penstock.engine.recorder import Recorder

T = TypeVar("T")

#: A wait of so many seconds before a retry is long enough for another file to make use of the place.
LEND_SECONDS: Final = 1.0


class Surroundings(NamedTuple):
    """What all downloads of an engine share."""

    loop: Loop
    writer: Workers
    workers: Workers
    hosts: Hosts
    queue: Queue
    purse: Purse
    deliveries: Deliveries
    emit: Callable[[AnyEvent], None]
    #: Where what happens is recorded, if a trace is wanted.
    trace: Recorder | None = None


class Context:
    """One download's surroundings. Belongs to the loop's thread."""

    def __init__(self, number: int, request: Request, shared: Surroundings, ticket: Ticket | None = None) -> None:
        """`ticket` is its place in the queue; None for what needs none."""
        self.number = number
        self.request = request
        self.ticket = ticket
        (
            self.loop,
            self.writer,
            self.workers,
            self.hosts,
            self.queue,
            self.purse,
            self.deliveries,
            self.emit,
            self.trace,
        ) = shared
        self.started = self.loop.now()
        #: The last failure of a request.
        self.failure: Failure | None = None
        #: The origin that it was made to.
        self.failing: Host | None = None
        #: True while it has waited for its turn before, in vain: it goes before others that wait.
        self.hurries = False
        self._rests_until = 0.0
        self._source = 0
        self._shown: str | None = None
        self._options: Options | None = None
        self._watcher: tuple[Callable[[float], None], Callable[[], int]] | None = None

    @property
    def options(self) -> Options:
        """How this download is carried out. What the user gave goes to the first source's origin, and to no mirror."""
        if self._options is None:
            first = self.request.sources[0].url
            is_home = self._source == 0 or origin(self.url) == origin(first)
            self._options = self.request.options if is_home else without_secrets(self.request.options)
        return self._options

    @property
    def url(self) -> str:
        """The source's URL, with the credentials it may hold: for asking, not for showing."""
        return self.request.sources[self._source].url

    @property
    def shown_url(self) -> str:
        """The source's URL as people and programs may see it."""
        if self._shown is None:
            self._shown = redact(self.url)
        return self._shown

    @property
    def source(self) -> str:
        """The source's identity in the journal."""
        return identity(self.url)

    @property
    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return self.loop.now()

    def next_source(self) -> bool:
        """Go on with the next source; False when there is none."""
        if self._source + 1 >= len(self.request.sources):
            return False
        self._source += 1
        self._shown = self._options = None
        return True

    # The origin

    @property
    def host(self) -> Host:
        """The source's origin."""
        return self.hosts.get(origin(self.url), self.options.max_connections)  # not kept: it may have been forgotten

    def host_of(self, url: str | None) -> Host:
        """The origin of a URL that redirects led to; None: the source's."""
        if url is None or (asked := origin(url)) == self.host.origin:
            return self.host
        return self.hosts.get(asked, self.options.max_connections)

    async def permission(self, url: str | None = None) -> None:
        """Return when the URL's origin may be asked, and the download has its place there; count the request as made.
        Raises NetworkError once the origin is given up."""
        host = self.host_of(url)
        if self.ticket is None:
            await self.hosts.permission(host, self)
        elif (turn := self.turn_at(host)) is not None:
            await turn

    def turn_at(self, host: Host) -> Promise[None] | None:
        """None when `host` may be asked at once, with the place that the download has; else its turn, which comes. A
        request counts as made. Raises NetworkError, here or where the turn is awaited, once the origin is given up."""
        self.hosts.check(host, self)
        ticket, politeness = self.ticket, host.politeness
        delay = politeness.delay(self.now)
        if ticket is None:
            politeness.on_request(self.now)
            return self._recorded(self.sleep(delay), host, delay) if delay > 0 else None
        if delay <= 0 and ticket.has_place and ticket.host is host:
            politeness.on_request(self.now)
            return None
        ticket.turn = turn = self.promise()
        self.queue.move(ticket, host, hurries=self.hurries)
        return self._recorded(turn, host, delay)

    def _recorded(self, turn: Promise[None], host: Host, delay: float) -> Promise[None]:
        """`turn`, whose wait is told to the trace: for the origin's pace, if that asks for `delay` seconds, or for a
        place."""
        trace, since = self.trace, self.now
        if trace is not None:
            kind, number, origin_ = "politeness" if delay > 0 else "turn", self.number, str(host.origin)
            turn.on_settled(lambda: trace.waited(kind, number, since, self.now, origin_))
        return turn

    def answered(self, url: str | None = None) -> None:
        """The URL's origin answered."""
        host = self.host_of(url)
        self.hosts.answered(host)
        self.queue.free(host)

    def failed(self, failure: Failure, url: str | None = None) -> None:
        """A request to the URL's origin failed."""
        self.failure = failure
        self.failing = self.host_of(url)
        self.hosts.failed(self.failing, failure)

    def learn(self, error: BaseException | None) -> None:
        """An origin that cannot be had for one file cannot be had for the others that wait for it."""
        host, failure = self.failing, self.failure
        if host is None or failure is None or not isinstance(error, NetworkError):
            return
        if host.politeness.is_open or error.reason in {Reason.NAME_RESOLUTION, Reason.TLS}:
            self.hosts.give_up(host, failure.message, failure)

    # Looked at a few times a second

    def watch(self, look: Callable[[float], None] | None, collected: Callable[[], int] = int) -> None:
        """Let `look(now)` be called a few times a second; `collected` counts the bytes that came meanwhile."""
        self._watcher = None if look is None else (look, collected)

    def look(self, now: float) -> None:
        """A few times a second."""
        if self._watcher is not None:
            self._watcher[0](now)

    def collected(self) -> int:
        """Bytes that the watched one has."""
        return 0 if self._watcher is None else self._watcher[1]()

    @property
    def rests(self) -> bool:
        """True while it waits before it asks (again)."""
        return self.now < self._rests_until

    # A voice, and waiting

    def warn(self, message: str) -> None:
        """Tell the user something that does not stop the download."""
        self.emit(Warned(download=self.number, at=self.now, message=message))

    def promise(self) -> Promise[Any]:
        """A promise that wakes its waiter on the loop."""
        return Promise(self.loop.soon)

    def disk(self, job: Callable[[], T]) -> Promise[T]:
        """Run `job` on a disk thread."""
        promise: Promise[T] = Promise(self.loop.soon)

        def done(value: Any, error: BaseException | None) -> None:
            if error is None:
                promise.set(value)
            else:
                promise.fail(error)

        self.workers.submit(job, done)
        return promise

    def rest(self, seconds: float) -> Promise[None]:
        """Wait before the next request, which `permission` comes before."""
        if seconds >= LEND_SECONDS:
            self.lend()
        if self.trace is not None:
            self.trace.waited("retry", self.number, self.now, self.now + seconds, str(self.host.origin))
        return self.sleep(seconds)

    def lend(self) -> None:
        """Let another file have the place: nothing is asked for a while."""
        if self.ticket is not None:
            self.queue.lend(self.ticket)

    def sleep(self, seconds: float) -> Promise[None]:
        """A promise that is kept after `seconds`."""
        self._rests_until = self.now + seconds
        promise: Promise[None] = Promise(self.loop.soon)
        self.loop.call_later(seconds, lambda: promise.set(None))
        return promise

    @staticmethod
    def jitter() -> float:
        """A random number in [0, 1), to keep many clients from retrying in step."""
        return random.random()
