"""Modelled links, to drive the ramp without a network: what n connections bring, tick by tick.

Time goes in steps of 10 ms; the ramp is asked every 50 ms, as the engine asks it. Everything is deterministic
for a seed, and the noise of a moment depends on the moment alone, so that two runs over one link meet the
same weather.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

MB = 1_000_000
STEP = 0.01
STEPS_PER_TICK = 5
#: TCP's first window: 10 segments (RFC 6928).
FIRST_WINDOW = 10 * 1460
#: How long a fixed count waits before it asks again where it was refused.
REFUSED_PAUSE = 1.0


class Count(Protocol):
    """What decides how many connections are open: the ramp, or a fixed number."""

    @property
    def limit(self) -> int: ...
    def on_first_answer(self, setup: float) -> None: ...
    def on_tick(self, now: float, *, flowing: int, opening: int, received: int) -> None: ...
    def on_refused(self, now: float, *, working: int) -> None: ...


@dataclass
class Fixed:
    """Always `limit` connections."""

    limit: int

    def on_first_answer(self, setup: float) -> None:
        """Learn nothing."""

    def on_tick(self, now: float, *, flowing: int, opening: int, received: int) -> None:
        """Learn nothing."""

    def on_refused(self, now: float, *, working: int) -> None:
        """Learn nothing."""


def unlimited(now: float) -> float:
    """No bottleneck at any time."""
    return math.inf


@dataclass(frozen=True)
class Link:
    """A server and the way to it. Rates are bytes per second.

    `rates`: each connection's own rate, cycled over the connections. `bottleneck`: what all share, by time.
    `collapse_past` N: past N connections the total falls like (N/n)². `refuse_past` N: further ones are
    turned away. `rtt`: seconds; a connection is silent for two of them, then slow-starts. `noise` 0.2: the
    total of each tick is off by up to 20 %.
    """

    name: str
    rates: tuple[float, ...] = (2 * MB,)
    bottleneck: Callable[[float], float] = unlimited
    collapse_past: int = 0
    refuse_past: int = 0
    rtt: float = 0.001
    noise: float = 0.0

    def total(self, now: float, rates: list[float]) -> float:
        """What all connections together bring per second, noise aside."""
        total = sum(rates)
        if self.collapse_past and len(rates) > self.collapse_past:
            total *= (self.collapse_past / len(rates)) ** 3
        return min(total, self.bottleneck(now))


@dataclass
class Connection:
    """One open connection: when it was opened, and what it may bring at most."""

    opened: float
    cap: float

    def flows(self, now: float, rtt: float) -> bool:
        """True from the first byte on."""
        return now >= self.opened + 2 * rtt

    def rate(self, now: float, rtt: float) -> float:
        """Bytes per second in the step that ends at `now`: nothing, then slow start, then the cap."""
        age = now - self.opened - 2 * rtt
        if age <= 0:
            return 0.0
        grown = FIRST_WINDOW / rtt * 2 ** min(40.0, age / rtt)
        return min(self.cap, grown) * min(1.0, age / STEP)


@dataclass
class Run:
    """What a modelled download came to."""

    seconds: float = 0.0
    received: int = 0
    refused: int = 0
    refused_at: list[float] = field(default_factory=list)
    #: (time, limit) at each change.
    limits: list[tuple[float, int]] = field(default_factory=list)

    def limit_at(self, now: float) -> int:
        """The limit that held at `now`."""
        return [limit for at, limit in self.limits if at <= now][-1]


def run(link: Link, count: Count, *, seconds: float = 600.0, size: float = math.inf, seed: int = 0) -> Run:
    """Download over `link` until `size` bytes or `seconds`, with as many connections as `count` allows."""
    weather = random.Random(seed)
    result = Run()
    connections: list[Connection] = []
    opened = 0
    received = 0.0
    closed_until = 0.0
    count.on_first_answer(2 * link.rtt)
    rates: list[float] = []
    grown = False  # True while every connection brings its cap, and nothing need be computed anew
    for step in range(round(seconds / STEP) + 1):
        now = step * STEP
        if not grown:
            rates = [connection.rate(now, link.rtt) for connection in connections]
            grown = all(rate >= connection.cap for rate, connection in zip(rates, connections, strict=True))
        total = link.total(now, rates)
        if step % STEPS_PER_TICK == 1:
            gust = 1 + weather.uniform(-link.noise, link.noise)
        if step:
            received += total * gust * STEP
        if received >= size:
            break
        if step % STEPS_PER_TICK:
            continue
        flowing = sum(1 for connection in connections if grown or connection.flows(now, link.rtt))
        count.on_tick(now, flowing=flowing, opening=len(connections) - flowing, received=int(received))
        if not result.limits or result.limits[-1][1] != count.limit:
            result.limits.append((now, count.limit))
        if len(connections) != count.limit:
            grown = False
        del connections[count.limit :]
        while len(connections) < count.limit and now >= closed_until:
            if link.refuse_past and len(connections) >= link.refuse_past:
                result.refused_at += [now] * (count.limit - len(connections))
                for _ in range(count.limit - len(connections)):
                    count.on_refused(now, working=len(connections))
                closed_until = now + REFUSED_PAUSE
                break
            connections.append(Connection(now, link.rates[opened % len(link.rates)]))
            opened += 1
    result.seconds = now
    result.received = int(received)
    result.refused = len(result.refused_at)
    return result


@cache
def best_fixed(link: Link, ceiling: int, seconds: float, seed: int) -> tuple[int, int]:
    """(bytes, count) of the best fixed number of connections from 1 to `ceiling`."""
    runs = {n: run(link, Fixed(n), seconds=seconds, seed=seed).received for n in range(1, ceiling + 1)}
    count = max(runs, key=lambda n: runs[n])
    return runs[count], count
