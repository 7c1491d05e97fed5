"""Which download begins next: origins take turns, and a file that does not move lends its place to another.

At most `max_files` move at once. One that has brought nothing for a second (a stalled server, a wait before a retry)
does not count, so that a slow origin never holds up another; the connections of all together have a bound of their
own. Belongs to the loop's thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from penstock.core.politeness import GivenUp
from penstock.core.turns import Turns
from penstock.engine.hosts import Host, Hosts
from penstock.model import Origin

#: Files that move at once, unless said otherwise.
DEFAULT_MAX_FILES: Final = 32
#: Connections over all files and origins, unless said otherwise.
DEFAULT_TOTAL_CONNECTIONS: Final = 256


class Ticket:
    """A download's place in the queue: the origin it is of, and the `connections` it may have."""

    host: Host | None = None
    waits = False
    is_idle = False

    def __init__(self, origin: Origin, connections: int) -> None:
        self.origin = origin
        self.connections = connections


class Starter(Protocol):
    """Who begins downloads."""

    def begin(self, ticket: Any) -> None:
        """Its turn has come."""

    def refuse(self, ticket: Any, why: GivenUp) -> None:
        """Its origin was given up while it waited."""


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
        self._waiting: dict[Host, deque[Ticket]] = {}
        self._turns: Turns[Host] = Turns()
        self._timed: set[Host] = set()
        self._running = 0
        self._idle = 0
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
            ticket.host = host
            ticket.waits = given_up is None
        if given_up is not None:
            for ticket in tickets:
                self._starter.refuse(ticket, given_up)
            return
        host.waiting += len(tickets)
        self._waiting.setdefault(host, deque()).extend(tickets)
        self._turns.join(host)
        self.advance()

    def drop(self, ticket: Ticket) -> None:
        """A ticket that waits is not wanted any more."""
        if not ticket.waits:
            return
        assert ticket.host is not None
        self._waiting[ticket.host].remove(ticket)
        self._unwait(ticket)

    def end(self, ticket: Ticket) -> None:
        """A download is over: its place is free."""
        assert ticket.host is not None
        if ticket.is_idle:
            self.set_idle(ticket, False)
        self._running -= 1
        ticket.host.files -= 1
        self.free(ticket.host)

    def free(self, host: Host) -> None:
        """There may be room at `host` again."""
        if host in self._waiting:
            self._turns.join(host)
        self._advance_soon()

    def set_idle(self, ticket: Ticket, idle: bool) -> None:
        """The download has brought nothing of late, or does so again."""
        if ticket.is_idle is not idle:
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
        return max(0, min(spare, self._total - self._running - self._hosts.extra))

    def refuse_waiting(self, host: Host) -> None:
        """The origin was given up: what waits for it is told so."""
        line = self._waiting.get(host)
        why = host.politeness.given_up
        while line and why is not None:
            ticket = line.popleft()
            self._unwait(ticket)
            self._starter.refuse(ticket, why)

    def advance(self) -> None:
        """Begin as many downloads as there is room for."""
        self._awaited = False
        if self._advancing:
            return
        self._advancing = True
        try:
            while (room := self._room()) > 0:
                host = self._turns.next(self._is_ready)
                if host is None:
                    return
                # nobody else waits for the places that one origin alone can take
                self._begin_of(host, min(room, host.room) if len(self._turns) == 1 and host.politeness.is_free else 1)
        finally:
            self._advancing = False

    def _advance_soon(self) -> None:
        """When many have ended in one turn of the loop, their places are given away together."""
        if not self._awaited:
            self._awaited = True
            self._soon(self.advance)

    def _room(self) -> int:
        """Downloads that may begin, as far as all origins together go."""
        if self._held:
            return 0
        running = self._running
        return min(self._max_files - (running - self._idle), self._total - running - self._hosts.extra)

    def _begin_of(self, host: Host, count: int) -> None:
        line, begin = self._waiting[host], self._starter.begin
        for _ in range(count):
            if not line or self._held:
                return
            ticket = line.popleft()
            ticket.waits = False
            host.waiting -= 1
            if not host.waiting:
                del self._waiting[host]
            self._running += 1
            host.files += 1
            begin(ticket)

    def _unwait(self, ticket: Ticket) -> None:
        assert ticket.host is not None
        ticket.waits = False
        ticket.host.waiting -= 1
        if not ticket.host.waiting:
            del self._waiting[ticket.host]

    def _is_ready(self, host: Host) -> bool:
        if host not in self._waiting or host.room <= 0:
            return False  # an ending gives it its turn back
        delay = host.politeness.delay(self._now())
        if delay <= 0:
            return True
        if host not in self._timed:
            self._timed.add(host)
            self._later(delay, lambda: self._wake(host))
        return False

    def _wake(self, host: Host) -> None:
        self._timed.discard(host)
        if host in self._waiting:
            self._turns.join(host)
            self.advance()
