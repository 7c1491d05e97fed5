"""Whose turn it is, and what is left for the further connections of big files."""

from __future__ import annotations

from typing import Any

from penstock.core.politeness import FIRST_FILES, GivenUp
from penstock.engine.hosts import Hosts
from penstock.engine.queue import Queue, Ticket
from penstock.model import Origin


class Starter:
    """Notes what begins and what is refused."""

    def __init__(self) -> None:
        self.begun: list[Ticket] = []
        self.refused: list[Ticket] = []

    def begin(self, ticket: Any) -> None:
        self.begun.append(ticket)

    def refuse(self, ticket: Any, why: GivenUp) -> None:
        self.refused.append(ticket)


def made(*, max_files: int, per_host: int) -> tuple[Queue, Starter, Hosts]:
    """A queue at time 0, on which nothing but the tickets acts."""
    hosts = Hosts(lambda: 0.0, per_host=per_host, pace=None, on_trouble=lambda *_: None, on_given_up=lambda *_: None)
    soon: list[Any] = []
    queue = Queue(hosts, lambda: 0.0, soon.append, lambda *_: None, max_files=max_files, total_connections=256)
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
