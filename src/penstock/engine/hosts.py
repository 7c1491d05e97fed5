"""The origins that are being asked: how many files and connections each has, and when it may be asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from penstock.core.politeness import LONGEST_WAIT, TOO_MUCH, GivenUp, Politeness
from penstock.core.retry import Failure, GiveUp, in_words
from penstock.engine.context import Context
from penstock.engine.patience import error_for
from penstock.errors import DownloadError
from penstock.model import Origin
from penstock.net.tasks import Promise

#: Files of one origin at once, unless said otherwise: what browsers have settled on for connections, and a little.
DEFAULT_PER_HOST: Final = 8
#: Seconds for which an origin that answered is taken for one that does, though its files wait for their answers.
STILL_SECONDS: Final = 5.0
#: Origins remembered although nothing is asked of them, before the plain ones are forgotten.
_KEPT: Final = 256


class Host:
    """One origin. `files` have a place at it, of which `idle` bring nothing; `extra` are connections beyond each file's
    first, `resting` files have lent their places (`holding` of them with files open), `waiting` files wait for one, and
    of those that began here `away` wait for one elsewhere. `unsure` is what the queue counted last of what need not
    ever move."""

    __slots__ = ("away", "extra", "files", "holding", "idle", "is_told", "origin", "politeness", "resting", "sleepers",
                 "unsure", "waiting")  # fmt: skip

    def __init__(self, origin: Origin, politeness: Politeness) -> None:
        self.origin = origin
        self.politeness = politeness
        self.files = self.idle = 0
        self.extra = 0
        self.unsure = 0
        self.resting = self.holding = 0
        self.waiting = 0
        self.away = 0
        self.sleepers: set[Promise[None]] = set()
        #: True once it was said that its files are not tried.
        self.is_told = False

    @property
    def room(self) -> int:
        """Files that may have a place besides those that do, as far as numbers go."""
        return self.politeness.room - self.files - self.extra

    @property
    def room_for_new(self) -> int:
        """Files that may begin, as far as numbers go. As many as may be under way may rest besides, no more: an origin
        in trouble is not asked for one file after another, only for all of them to wait."""
        return self.room - max(0, self.resting - self.politeness.limit)

    def moves(self, now: float) -> bool:
        """True when it gives what it is asked for: it answered, and bytes come for most of its files, or would if their
        answers were there."""
        return self.politeness.has_answered and self.files >= 2 * self._still(now) + self.resting + self.away

    def unmoved(self, now: float) -> int:
        """Files that count among all under way and need not ever move: those that bring nothing or wait, and all of an
        origin that is not known to answer."""
        return self.holding + self.away + (self._still(now) if self.moves(now) else self.files)

    def _still(self, now: float) -> int:
        return 0 if now - self.politeness.answered_at < STILL_SECONDS else self.idle

    @property
    def is_unused(self) -> bool:
        """True when no file is at it, or will be again."""
        return not (self.files or self.extra or self.resting or self.waiting or self.away)

    def give_up(self, why: str, failure: Failure, now: float) -> None:
        """The origin cannot be had: whoever waits for it hears so at once."""
        self.politeness.give_up(why, failure, now)
        self.is_told = False
        for sleeper in list(self.sleepers):
            sleeper.set(None)


class Hosts:
    """Every origin that something is asked of. Belongs to the loop's thread.

    `per_host` bounds the files and connections of each; None: `DEFAULT_PER_HOST`, or more where one download is
    allowed more. `pace` bounds requests per second. `on_trouble(host, message)` hears when a circuit opens,
    `on_given_up(host)` when an origin is given up.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        per_host: int | None,
        pace: float | None,
        on_trouble: Callable[[Host, str], None],
        on_given_up: Callable[[Host], None],
    ) -> None:
        self._now = now
        self._per_host = per_host
        self._pace = pace
        self._on_trouble = on_trouble
        self._on_given_up = on_given_up
        self._hosts: dict[Origin, Host] = {}
        #: How many there may be before it is looked again which of them can be forgotten.
        self._most = _KEPT
        #: Connections beyond each file's first, over all origins.
        self.extra = 0

    def __iter__(self) -> Iterator[Host]:
        return iter(self._hosts.values())

    def get(self, origin: Origin, connections: int) -> Host:
        """The origin's host; a download of it may have `connections`."""
        host = self._hosts.get(origin)
        if host is None:
            self._forget_plain()
            politeness = Politeness(self._limit(connections), rate=self._pace, now=self._now())
            host = self._hosts[origin] = Host(origin, politeness)
        elif self._per_host is None:
            host.politeness.limit = max(host.politeness.limit, connections)
        return host

    def slow_down(self, origin: Origin, pace: float) -> None:
        """Ask `origin` at most `pace` times a second from now on (robots.txt's Crawl-delay)."""
        self.get(origin, 1).politeness.slow_down(pace, self._now())

    async def permission(self, host: Host, context: Context) -> None:
        """Return when a request may be made by what has no place in the queue, and count it as made; raises
        NetworkError once the origin is given up."""
        politeness = host.politeness
        while True:
            self.check(host, context)
            now = self._now()
            delay = politeness.delay(now)
            if delay <= 0:
                politeness.on_request(now)
                return
            sleeper = context.sleep(delay)
            host.sleepers.add(sleeper)
            try:
                await sleeper
            finally:
                host.sleepers.discard(sleeper)

    def check(self, host: Host, context: Context) -> None:
        """Raise NetworkError when the origin is given up."""
        host.politeness.look_again(self._now())
        if host.politeness.given_up is not None:
            raise refusal(host.politeness.given_up, context.shown_url)

    def answered(self, host: Host) -> None:
        """The origin answered."""
        host.politeness.on_answer(self._now())

    def failed(self, host: Host, failure: Failure) -> None:
        """A request to the origin failed."""
        if host.politeness.on_failure(failure, self._now()):
            self._on_trouble(host, f"{host.origin}: {failure.message}; waiting before it is asked again")
        wait = failure.retry_after or 0.0
        if failure.status in TOO_MUCH and wait > LONGEST_WAIT:
            self.give_up(host, f"{failure.message}: the server asks to come back in {in_words(wait)}", failure)

    def give_up(self, host: Host, why: str, failure: Failure) -> None:
        """Nothing can be had from the origin now: files that wait for it, or come soon, fail without a request."""
        if host.politeness.given_up is None:
            host.give_up(why, failure, self._now())
            self._on_given_up(host)

    def take_extra(self, host: Host, change: int) -> None:
        """`change` connections more (or less) beyond a file's first."""
        host.extra += change
        self.extra += change

    def _limit(self, connections: int) -> int:
        return self._per_host if self._per_host is not None else max(DEFAULT_PER_HOST, connections)

    def _forget_plain(self) -> None:
        if len(self._hosts) < self._most:
            return
        now = self._now()
        for origin, host in list(self._hosts.items()):
            if host.is_unused and host.politeness.is_plain(now):
                del self._hosts[origin]
        self._most = max(_KEPT, 2 * len(self._hosts))  # those that must be kept are not looked at for each new one


def refusal(given_up: GivenUp, url: str) -> DownloadError:
    """The error of a file whose origin was given up: of the kind that showed it."""
    return error_for(given_up.failure, GiveUp(given_up.why, resumable=True), url)
