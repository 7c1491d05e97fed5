"""The origins that are remembered, and those that are forgotten: no sockets, and a clock that jumps."""

from __future__ import annotations

from penstock.core.retry import Cause, Failure
from penstock.engine.hosts import Hosts
from penstock.model import Origin

NOWHERE = Failure(Cause.NAME_RESOLUTION, "no such host")


class Clock:
    """Says the time that it was set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def hosts_by(clock: Clock) -> Hosts:
    return Hosts(clock, per_host=None, pace=None, on_trouble=lambda *_: None, on_given_up=lambda _: None)


def number(number: int) -> Origin:
    return Origin("http", f"h{number}.example", 80)


def test_origins_that_cannot_be_had_are_forgotten_too() -> None:
    clock = Clock()
    hosts = hosts_by(clock)
    for count in range(3000):
        host = hosts.get(number(count), 8)
        hosts.failed(host, NOWHERE)
        hosts.give_up(host, "no such host", NOWHERE)
        clock.now += 1.0
    assert len(list(hosts)) <= 256


def test_an_origin_that_is_given_up_is_not_forgotten_before_its_time() -> None:
    clock = Clock()
    hosts = hosts_by(clock)
    busy = Failure(Cause.STATUS, "429", status=429, retry_after=3600.0)
    first = hosts.get(number(0), 8)
    hosts.failed(first, busy)
    clock.now = 3000.0
    for count in range(1, 600):
        hosts.get(number(count), 8)
    assert hosts.get(number(0), 8) is first


def test_a_crawl_delay_is_not_forgotten_among_many_origins() -> None:
    clock = Clock()
    hosts = hosts_by(clock)
    hosts.slow_down(number(0), 0.1)
    for count in range(1, 600):
        hosts.get(number(count), 8)
    politeness = hosts.get(number(0), 8).politeness
    politeness.on_request(clock.now)
    assert politeness.delay(clock.now) > 5
