"""Whose turn it is, and what is left for the further connections of big files."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

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


def names(begun: list[Ticket]) -> Counter[str]:
    return Counter(ticket.origin.host for ticket in begun)


def test_F52_origins_that_never_answer_leave_connections_to_those_that_do() -> None:
    queue, starter, hosts = made(max_files=100, per_host=60, total=16)
    for number in range(10):
        queue.put(tickets(f"silent{number}", 8))
    shares = {"silent0": 4, "silent1": 4, "silent2": 1, "silent3": 1, "silent4": 1, "silent5": 1}
    assert names(starter.begun) == shares, "half of the connections, and first files in another quarter"
    healthy = hosts.get(Origin("http", "healthy", 80), 8)
    queue.put(tickets("healthy", 8))
    assert healthy.files == 0, "nothing tells it from them yet"
    for number in range(5):
        queue.end(starter.begun[8 + number])
        queue.advance()
    assert healthy.files == 1, "the origins before it had their turns, and no other had two"
    hosts.answered(healthy)
    queue.free(healthy)
    queue.advance()
    assert healthy.files == 4, "the last quarter is for those that answer"


def test_F52_an_origin_is_asked_for_its_first_file_before_others_are_for_more() -> None:
    queue, starter, _ = made(max_files=100, per_host=60, total=40)
    queue.hold("test", True)
    for number in range(30):
        queue.put(tickets(f"silent{number}", 8))
    queue.hold("test", False)
    queue.advance()
    assert names(starter.begun) == Counter(f"silent{number}" for number in range(30))


def test_a_slow_origin_that_is_alone_has_all_that_it_is_allowed() -> None:
    queue, starter, hosts = made(max_files=100, per_host=60, total=64)
    queue.put(tickets("slow", 100))
    slow = hosts.get(Origin("http", "slow", 80), 8)
    for _ in range(60):
        hosts.answered(slow)
        for ticket in starter.begun:
            queue.set_idle(ticket, True)
        queue.free(slow)
        queue.look()
    assert slow.files == 60


HAPPENINGS = ["put", "move", "lend", "end", "idle", "answer", "refuse", "look"]


@given(st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 99)), min_size=20, max_size=60))
def test_whatever_happens_the_bounds_hold_the_counts_are_right_and_everybody_has_a_turn(
    happenings: list[tuple[str, int]],
) -> None:
    queue, starter, hosts = made(max_files=5, per_host=3, total=7)
    where = [hosts.get(Origin("http", name, 80), 1) for name in "abcd"]
    put: list[Ticket] = []
    over: set[Ticket] = set()

    def check() -> None:
        queue.advance()
        under_way = [ticket for ticket in starter.begun if ticket not in over]
        placed = [ticket for ticket in under_way if ticket.has_place]
        assert len(placed) <= 7
        for host in where:
            here = [ticket for ticket in placed if ticket.host is host]
            assert host.files == len(here) <= 3
            assert host.idle == sum(ticket.is_idle for ticket in here)
            assert host.resting == sum(ticket.rests for ticket in under_way if ticket.host is host)
            assert host.waiting == sum(ticket.waits for ticket in put if ticket.host is host)
            assert host.away == sum(
                ticket.waits and ticket.host is not host for ticket in under_way if ticket.home is host
            )

    for kind, number in happenings:
        host = where[number % 4]
        under_way = [ticket for ticket in starter.begun if ticket not in over]
        if kind == "put":
            new = [Ticket(host.origin, 1) for _ in range(number % 7 + 1)]
            put += new
            queue.put(new)
        elif kind == "answer":
            hosts.answered(host)
            queue.free(host)
        elif kind == "refuse":
            host.politeness.on_failure(Failure(Cause.STATUS, "busy", status=503), 0.0)
        elif kind == "look":
            queue.look()
        elif under_way:
            ticket = under_way[number % len(under_way)]
            if kind == "move":
                queue.move(ticket, host)
            elif kind == "lend":
                ticket.is_on_disk = number % 2 == 0
                queue.lend(ticket)
            elif kind == "idle":
                queue.set_idle(ticket, number % 3 > 0)
            else:
                over.add(ticket)
                queue.end(ticket)
        check()
    for _ in range(2 * len(put) + 1):  # those that rest want their places back, and all others end
        for ticket in [ticket for ticket in starter.begun if ticket not in over and not ticket.waits]:
            if ticket.rests:
                assert ticket.host is not None
                queue.move(ticket, ticket.host)
            else:
                over.add(ticket)
                queue.end(ticket)
        check()
    assert over == set(put)
    assert all(host.is_unused and not host.unsure for host in where)
