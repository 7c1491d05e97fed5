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
from penstock.core.shares import Standing, most_unmoved
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
    #: True while it has files open.
    is_on_disk = False
    #: True while it has lent its place; and when it had files open then, so that it counts among all downloads.
    rests = False
    rests_on_disk = False
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
        self._denied: dict[Standing, dict[Host, None]] = {standing: {} for standing in Standing}
        #: Those under way, but for those that rest with nothing open; those that have a place; those of them that have
        #: brought nothing of late.
        self._running = 0
        self._placed = 0
        self._idle = 0
        #: Those that need not ever move, for nothing comes from their origins.
        self._unsure = 0
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
        self.drop(ticket)
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
            ticket.rests_on_disk = ticket.is_on_disk
            self._count_resting(ticket, ticket.host, 1)
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
            self._give_up_place(ticket)
        else:
            self._end_rest(ticket)
        self._running -= 1
        self._advance_soon()

    def _give_up_place(self, ticket: Ticket) -> None:
        if not ticket.has_place:
            return
        host = ticket.host
        assert host is not None
        if ticket.is_idle:
            self.set_idle(ticket, False)
        ticket.has_place = False
        host.files -= 1
        self._placed -= 1
        self.free(host)

    def _end_rest(self, ticket: Ticket) -> None:
        if ticket.rests:
            assert ticket.host is not None
            ticket.rests = False
            self._count_resting(ticket, ticket.host, -1)
            self.free(ticket.host)

    def _count_resting(self, ticket: Ticket, host: Host, change: int) -> None:
        host.resting += change
        if ticket.rests_on_disk:
            host.holding += change
        else:
            self._running -= change

    def free(self, host: Host) -> None:
        """There may be room at `host` again."""
        self._recount(host)
        if host in self._lines:
            for line in self._denied.values():
                line.pop(host, None)
            self._turns.join(host)  # again, after those that were turned away
        self._advance_soon()

    def set_idle(self, ticket: Ticket, idle: bool) -> None:
        """The download has brought nothing of late, or does so again; without a place it brings nothing anyway."""
        if ticket.has_place and ticket.is_idle is not idle:
            ticket.is_idle = idle
            change = 1 if idle else -1
            self._idle += change
            assert ticket.host is not None
            ticket.host.idle += change

    def look(self) -> None:
        """A few times a second: with time an origin turns out to be silent, and files to be idle."""
        for host in self._hosts:
            if host.files:
                self._recount(host)
        self.advance()

    def hold(self, reason: str, held: bool) -> None:
        """Begin nothing new while `held` for any reason: what has come must be put away first."""
        if held:
            self._held.add(reason)
        elif reason in self._held:
            self._held.discard(reason)
            self._advance_soon()

    def spare_connections(self, host: Host) -> int:
        """Connections that a file of `host` may have besides those it has: nobody waits for them."""
        places = max(0, self._max_files - (self._placed - self._idle))
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
            self._recall()
            while (room := self._room) > 0:
                host = self._turns.next(self._is_ready)
                if host is None:
                    return
                # nobody else waits for the places that one origin alone can take
                is_alone = len(self._turns) == 1 and host.politeness.is_free
                self._begin_of(host, max(1, min(room, host.room_for_new)) if is_alone else 1)
        finally:
            self._advancing = False

    def _recall(self) -> None:
        """Give those that were turned away their turns again, as many as there are connections for."""
        for standing, line in self._denied.items():
            recalled = list(islice(line, max(0, self._allowance(standing)))) if line else []
            for host in recalled:
                del line[host]
            self._turns.return_to(recalled)

    def _advance_soon(self) -> None:
        """When many have ended in one turn of the loop, their places are given away together."""
        if not self._awaited:
            self._awaited = True
            self._soon(self.advance)

    @property
    def _room(self) -> int:
        """Downloads that may have places besides those that do, as far as all origins together go."""
        if self._held:
            return 0
        return min(self._max_files - (self._placed - self._idle), self._total - self._placed - self._hosts.extra)

    @property
    def _spare(self) -> int:
        """Connections that nobody has, or counts on having."""
        return self._total - self._running - self._hosts.extra

    def _begin_of(self, host: Host, count: int) -> None:
        line, begin = self._lines[host], self._starter.begin
        for _ in range(count):
            if line.begun:
                self._go_on(line.begun.popleft(), host)
                continue
            if not line.new or self._held or not self._may_begin(host):
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
        host.politeness.on_request(self._now())  # now, for its coroutine makes it later, when others had their turns
        self._starter.go_on(ticket)

    def _give_place(self, ticket: Ticket, host: Host) -> None:
        ticket.has_place = True
        host.files += 1
        self._placed += 1
        self._recount(host)

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
        self._recount(home)

    def _recount(self, host: Host) -> None:
        unsure = host.unmoved(self._now())
        self._unsure += unsure - host.unsure
        host.unsure = unsure

    def _is_ready(self, host: Host) -> bool:
        line = self._lines.get(host)
        if line is None or (host.room if line.begun else host.room_for_new) <= 0:
            return False  # an ending gives it its turn back
        if not line.begun and not self._may_begin(host):
            self._denied[self._standing(host)][host] = None
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
        if 2 * self._unsure < self._total:  # as a rule
            return self._spare > 0
        return self._allowance(self._standing(host)) > 0

    def _standing(self, host: Host) -> Standing:
        if host.moves(self._now()):
            return Standing.MOVES
        return Standing.STANDS_STILL if host.files or host.resting or host.away else Standing.IS_NEW

    def _allowance(self, standing: Standing) -> int:
        """Connections for files of origins of this standing."""
        if standing is Standing.MOVES:
            return self._spare
        return min(self._spare, most_unmoved(standing, self._total) - self._unsure)

    def _wake(self, host: Host) -> None:
        self._timed.discard(host)
        if host in self._lines:
            self._turns.join(host)
            self.advance()
