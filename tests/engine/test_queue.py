"""Whose turn it is, and what is left for the further connections of big files."""

from __future__ import annotations

from typing import Any

from penstock.core.politeness import FIRST_FILES, GivenUp
from penstock.core.retry import Cause, Failure
from penstock.engine.hosts import Hosts
from penstock.engine.queue import Queue, Ticket
from penstock.model import Origin


class Starter:
    """Notes what begins, what goes on and what is refused."""

    def __init__(self) -> None:
        self.begun: list[Ticket] = []
        self.gone_on: list[Ticket] = []
        self.refused: list[Ticket] = []

    def begin(self, ticket: Any) -> None:
        self.begun.append(ticket)

    def go_on(self, ticket: Any) -> None:
        self.gone_on.append(ticket)

    def refuse(self, ticket: Any, why: GivenUp) -> None:
        self.refused.append(ticket)


def made(*, max_files: int, per_host: int, total: int = 256) -> tuple[Queue, Starter, Hosts]:
    """A queue at time 0, on which nothing but the tickets acts."""
    hosts = Hosts(lambda: 0.0, per_host=per_host, pace=None, on_trouble=lambda *_: None, on_given_up=lambda *_: None)
    soon: list[Any] = []
    queue = Queue(hosts, lambda: 0.0, soon.append, lambda *_: None, max_files=max_files, total_connections=total)
    queue.starter = starter = Starter()
    return queue, starter, hosts


def tickets(name: str, count: int) -> list[Ticket]:
    return [Ticket(Origin("http", name, 80), 8) for _ in range(count)]


def test_a_waiting_file_has_the_room_that_a_big_file_would_like() -> None:
    """Another origin has files under way; they must not make it look as if nobody here could begin."""
    queue, _, hosts = made(max_files=60, per_host=60)
    queue.put(tickets("other", 30))
    queue.put(tickets("busy", 100))
    busy = hosts.get(Origin("http", "busy", 80), 8)
    assert (busy.files, busy.waiting) == (FIRST_FILES, 100 - FIRST_FILES)
    assert queue.spare_connections(busy) == 0


def test_a_lone_file_may_have_what_the_origin_is_not_known_to_refuse() -> None:
    queue, _, hosts = made(max_files=60, per_host=12)
    queue.put(tickets("lone", 1))
    assert queue.spare_connections(hosts.get(Origin("http", "lone", 80), 8)) == 11


def test_origins_take_turns() -> None:
    queue, starter, _ = made(max_files=6, per_host=60)
    queue.hold("test", True)
    for name in ("a", "b", "c"):
        queue.put(tickets(name, 10))
    queue.hold("test", False)
    queue.advance()
    assert [ticket.origin.host for ticket in starter.begun] == ["a", "b", "c", "a", "b", "c"]


def test_who_is_led_elsewhere_goes_before_those_that_have_not_begun_there() -> None:
    queue, starter, hosts = made(max_files=60, per_host=1)
    queue.put(tickets("source", 1))
    queue.put(tickets("target", 3))
    led, first = starter.begun
    target = hosts.get(Origin("http", "target", 80), 8)
    queue.move(led, target)
    queue.advance()
    assert starter.gone_on == []
    queue.end(first)
    queue.advance()
    assert (starter.gone_on, starter.begun) == ([led], [led, first])
    queue.end(led)
    queue.advance()
    assert (target.files, target.waiting, len(starter.begun)) == (1, 1, 3)


def test_downloads_that_wait_for_each_other_s_origins_go_on_though_there_is_room_for_no_more() -> None:
    queue, starter, hosts = made(max_files=2, per_host=1, total=2)
    queue.put(tickets("a", 2))
    queue.put(tickets("b", 2))
    a, b = starter.begun
    at_a, at_b = (hosts.get(Origin("http", name, 80), 8) for name in "ab")
    queue.move(a, at_b)
    queue.move(b, at_a)
    queue.advance()
    assert sorted(ticket.origin.host for ticket in starter.gone_on) == ["a", "b"]
    assert (at_a.files, at_b.files, len(starter.begun)) == (1, 1, 2)


def test_an_origin_whose_files_wait_elsewhere_leaves_connections_to_others() -> None:
    queue, starter, hosts = made(max_files=60, per_host=60, total=16)
    nowhere = hosts.get(Origin("http", "nowhere", 80), 8)
    queue.put(tickets("nowhere", 4))
    queue.put(tickets("leading", 100))
    while led := next(
        (ticket for ticket in starter.begun if ticket.origin.host == "leading" and ticket.has_place), None
    ):
        queue.move(led, nowhere)
        queue.advance()
    assert nowhere.waiting < 16
    queue.put(tickets("other", 3))
    assert starter.begun[-1].origin.host == "other"


def test_who_waits_where_the_origin_is_given_up_hears_of_it() -> None:
    queue, starter, hosts = made(max_files=60, per_host=1)
    queue.put(tickets("source", 1))
    queue.put(tickets("target", 2))
    target = hosts.get(Origin("http", "target", 80), 8)
    queue.move(starter.begun[0], target)
    target.give_up("gone", Failure(Cause.REFUSED, "refused"), 0.0)
    queue.refuse_waiting(target)
    assert [ticket.origin.host for ticket in starter.refused] == ["source", "target"]
    queue.end(starter.begun[0])
    queue.end(starter.begun[1])
    assert (target.files, target.waiting) == (0, 0)


def test_those_that_rest_get_their_places_back_though_they_are_more_than_may_be_under_way_now() -> None:
    queue, starter, hosts = made(max_files=60, per_host=4)
    queue.put(tickets("busy", 20))
    busy = hosts.get(Origin("http", "busy", 80), 8)
    while (moving := next((ticket for ticket in starter.begun if ticket.has_place), None)) is not None:
        queue.lend(moving)
        queue.advance()
    assert (len(starter.begun), busy.resting, busy.files) == (8, 8, 0)
    busy.politeness.on_failure(Failure(Cause.STATUS, "busy", status=503), 0.0)
    for ticket in starter.begun:
        queue.move(ticket, busy)
    queue.advance()
    assert starter.gone_on == starter.begun[:2]
    for count, ticket in enumerate(starter.begun[:8], 3):
        queue.end(ticket)
        queue.advance()
        assert len(starter.gone_on) == min(8, count)
    assert (busy.resting, busy.files, len(starter.begun)) == (0, 2, 10)
