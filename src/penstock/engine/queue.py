"""Which download begins next: origins take turns, and a file that does not move lends its place to another.

At most `max_files` move at once. One that has brought nothing for a second (a stalled server, a wait before a retry)
does not count, so that a slow origin never holds up another; the connections of all together have a bound of their
own. Belongs to the loop's thread.

A place is one at the origin that is really asked: a download that a redirect or an alternative leads to another origin
gives its place up and waits in that one's line, before those that have not begun. It holds no place while it waits for
one, so that downloads never wait for each other in a circle, and none waits for an origin that it does not need.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from penstock.core.politeness import GivenUp
from penstock.core.turns import Turns
from penstock.engine.hosts import Host, Hosts
from penstock.model import Origin

if TYPE_CHECKING:
    from penstock.net.tasks import Promise

#: Files that move at once, unless said otherwise.
DEFAULT_MAX_FILES: Final = 32
#: Connections over all files and origins, unless said otherwise.
DEFAULT_TOTAL_CONNECTIONS: Final = 256


class Ticket:
    """A download's place in the queue: the origin it is of, and the `connections` it may have."""

    #: Where it has its place, or waits for it.
    host: Host | None = None
    #: Where it waited before it began.
    home: Host | None = None
    #: True from its beginning on.
    has_begun = False
    has_place = False
    waits = False
    #: True while it has lent its place.
    rests = False
    is_idle = False
    #: Kept by whoever begins it: its turn at another origin, while it waits for one.
    turn: Promise[None] | None = None

    def __init__(self, origin: Origin, connections: int) -> None:
        self.origin = origin
        self.connections = connections


class Starter(Protocol):
    """Who begins downloads."""

    def begin(self, ticket: Any) -> None:
        """Its turn has come."""

    def go_on(self, ticket: Any) -> None:
        """It had begun, and has a place where it waited for one; one request counts as made."""

    def refuse(self, ticket: Any, why: GivenUp) -> None:
        """Its origin was given up while it waited."""


class _Line:
    """Those that wait for places at one origin."""

    __slots__ = ("begun", "new")

    def __init__(self) -> None:
        #: Under way, and led here; and those that have not begun.
        self.begun: deque[Ticket] = deque()
        self.new: deque[Ticket] = deque()

    def of(self, ticket: Ticket) -> deque[Ticket]:
        """The part that the ticket waits in."""
        return self.begun if ticket.has_begun else self.new


class Queue:
    """The files that wait for their turn. `soon(action)` has it done once the current call has returned,
    `later(seconds, action)` sets a timer."""

    def __init__(
        self,
        hosts: Hosts,
        now: Callable[[], float],
        soon: Callable[[Callable[[], None]], None],
        later: Callable[[float, Callable[[], None]], object],
        *,
        max_files: int,
        total_connections: int,
    ) -> None:
        self._hosts = hosts
        self._now = now
        self._soon = soon
        self._later = later
        self._max_files = max_files
        self._total = total_connections
        self._lines: dict[Host, _Line] = {}
        self._turns: Turns[Host] = Turns()
        self._timed: set[Host] = set()
        #: Those that were ready but for the connections of all together, in the order of their turns.
        self._denied: dict[Host, None] = {}
        #: Those under way; those of them that have brought nothing of late, or have no place; those that wait for one
        #: at another origin than their own.
        self._running = 0
        self._idle = 0
        self._away = 0
        #: Set before the first ticket is put.
        self.starter: Starter | None = None
        self._held: set[str] = set()
        self._advancing = False
        #: True when `advance` is to come.
        self._awaited = False

    @property
    def _starter(self) -> Starter:
        assert self.starter is not None
        return self.starter

    def put(self, tickets: Sequence[Ticket]) -> None:
        """Let tickets of one origin wait for their turns, which may be now."""
        host = self._hosts.get(tickets[0].origin, tickets[0].connections)
        host.politeness.look_again(self._now())
        given_up = host.politeness.given_up
        for ticket in tickets:
            ticket.host = ticket.home = host
            ticket.waits = given_up is None
        if given_up is not None:
            for ticket in tickets:
                self._starter.refuse(ticket, given_up)
            return
        host.waiting += len(tickets)
        self._lines.setdefault(host, _Line()).new.extend(tickets)
        self._turns.join(host)
        self.advance()

    def move(self, ticket: Ticket, host: Host, *, hurries: bool = False) -> None:
        """A download under way must ask `host`, and its turn there has to come first: it gives up the place that it
        has. `Starter.go_on` tells it. One that `hurries` waits before all others."""
        self._give_up_place(ticket)
        self._end_rest(ticket)
        ticket.host = host
        ticket.waits = True
        host.waiting += 1
        if host is not ticket.home:
            self._count_away(ticket, 1)
        line = self._lines.setdefault(host, _Line()).begun
        (line.appendleft if hurries else line.append)(ticket)
        self.free(host)

    def lend(self, ticket: Ticket) -> None:
        """A download under way asks for nothing for a while: another may have its place. It goes on by `move`."""
        if ticket.has_place:
            assert ticket.host is not None
            ticket.rests = True
            ticket.host.resting += 1
            self._give_up_place(ticket)

    def drop(self, ticket: Ticket) -> None:
        """A ticket that waits is not wanted any more."""
        if not ticket.waits:
            return
        assert ticket.host is not None
        self._lines[ticket.host].of(ticket).remove(ticket)
        self._unwait(ticket)

    def end(self, ticket: Ticket) -> None:
        """A download is over: its place is free."""
        host = ticket.host
        assert host is not None
        if ticket.waits:
            self.drop(ticket)
        elif ticket.has_place:
            ticket.has_place = False
            host.files -= 1
        self._end_rest(ticket)
        if ticket.is_idle:
            ticket.is_idle = False
            self._idle -= 1
        self._running -= 1
        self.free(host)

    def _give_up_place(self, ticket: Ticket) -> None:
        if not ticket.has_place:
            return
        host = ticket.host
        assert host is not None
        self.set_idle(ticket, True)
        ticket.has_place = False
        host.files -= 1
        self.free(host)

    def _end_rest(self, ticket: Ticket) -> None:
        if ticket.rests:
            assert ticket.host is not None
            ticket.rests = False
            ticket.host.resting -= 1
            self.free(ticket.host)

    def free(self, host: Host) -> None:
        """There may be room at `host` again."""
        if host in self._lines:
            self._turns.join(host)
        self._advance_soon()

    def set_idle(self, ticket: Ticket, idle: bool) -> None:
        """The download has brought nothing of late, or does so again; without a place it brings nothing anyway."""
        if ticket.has_place and ticket.is_idle is not idle:
            ticket.is_idle = idle
            self._idle += 1 if idle else -1

    def hold(self, reason: str, held: bool) -> None:
        """Begin nothing new while `held` for any reason: what has come must be put away first."""
        if held:
            self._held.add(reason)
        elif reason in self._held:
            self._held.discard(reason)
            self._advance_soon()

    def spare_connections(self, host: Host) -> int:
        """Connections that a file of `host` may have besides those it has: nobody waits for them."""
        places = max(0, self._max_files - (self._running - self._idle))
        wanted = min(host.waiting, places)
        # while files wait that may begin, a further connection must not take the room that the origin has earned
        most = host.politeness.room if wanted else host.politeness.ceiling
        spare = most - host.files - host.extra - wanted
        return max(0, min(spare, self._spare))

    def refuse_waiting(self, host: Host) -> None:
        """The origin was given up: what waits for it is told so."""
        line = self._lines.get(host)
        why = host.politeness.given_up
        while line is not None and (line.begun or line.new) and why is not None:
            ticket = (line.begun or line.new).popleft()
            self._unwait(ticket)
            self._starter.refuse(ticket, why)

    def advance(self) -> None:
        """Begin as many downloads as there is room for."""
        self._awaited = False
        if self._advancing:
            return
        self._advancing = True
        try:
            for denied in list(islice(self._denied, max(0, self._spare))):
                del self._denied[denied]
                self._turns.join(denied)
            while (room := self._room) > 0:
                host = self._turns.next(self._is_ready)
                if host is None:
                    return
                # nobody else waits for the places that one origin alone can take
                is_alone = len(self._turns) == 1 and host.politeness.is_free
                self._begin_of(host, max(1, min(room, host.room_for_new)) if is_alone else 1)
        finally:
            self._advancing = False

    def _advance_soon(self) -> None:
        """When many have ended in one turn of the loop, their places are given away together."""
        if not self._awaited:
            self._awaited = True
            self._soon(self.advance)

    @property
    def _room(self) -> int:
        """Downloads that may move besides those that do."""
        return 0 if self._held else self._max_files - (self._running - self._idle)

    @property
    def _spare(self) -> int:
        """Connections that nobody has; each download under way has one, or will have."""
        return self._total - self._running - self._hosts.extra

    def _begin_of(self, host: Host, count: int) -> None:
        line, begin = self._lines[host], self._starter.begin
        for _ in range(count):
            if line.begun:
                self._go_on(line.begun.popleft(), host)
                continue
            if not line.new or self._held or self._spare <= 0:
                return
            ticket = line.new.popleft()
            ticket.has_begun = True
            self._unwait(ticket)
            self._running += 1
            self._give_place(ticket, host)
            begin(ticket)

    def _go_on(self, ticket: Ticket, host: Host) -> None:
        self._unwait(ticket)
        self._give_place(ticket, host)
        self.set_idle(ticket, False)
        host.politeness.on_request(self._now())  # now, for its coroutine makes it later, when others had their turns
        self._starter.go_on(ticket)

    @staticmethod
    def _give_place(ticket: Ticket, host: Host) -> None:
        ticket.has_place = True
        host.files += 1

    def _unwait(self, ticket: Ticket) -> None:
        host = ticket.host
        assert host is not None
        ticket.waits = False
        host.waiting -= 1
        if not host.waiting:
            del self._lines[host]
        if ticket.has_begun and host is not ticket.home:
            self._count_away(ticket, -1)

    def _count_away(self, ticket: Ticket, change: int) -> None:
        home = ticket.home
        assert home is not None
        home.away += change
        self._away += change

    def _is_ready(self, host: Host) -> bool:
        line = self._lines.get(host)
        if line is None or (host.room if line.begun else host.room_for_new) <= 0:
            return False  # an ending gives it its turn back
        if not line.begun and not self._may_begin(host):
            self._denied[host] = None
            return False
        delay = host.politeness.delay(self._now())
        if delay <= 0:
            return True
        if host not in self._timed:
            self._timed.add(host)
            self._later(delay, lambda: self._wake(host))
        return False

    def _may_begin(self, host: Host) -> bool:
        """True when there are connections for another file of `host`."""
        # those that it led elsewhere get their places first: an origin that cannot keep up must not take them all
        return self._spare > 0 and not (host.away and self._away >= self._total // 2)

    def _wake(self, host: Host) -> None:
        self._timed.discard(host)
        if host in self._lines:
            self._turns.join(host)
            self.advance()
