"""Promises and tasks: a coroutine waits, goes on, and hears of errors; nothing resumes inside a settling call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from penstock.net.tasks import Promise, Task


class Turns:
    """A loop of nothing but calls to come."""

    def __init__(self) -> None:
        self.calls: deque[Callable[[], None]] = deque()

    def soon(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def run(self) -> None:
        while self.calls:
            self.calls.popleft()()


@pytest.fixture
def turns() -> Turns:
    return Turns()


def ended(ends: list[Any]) -> Callable[[Any, BaseException | None], None]:
    return lambda value, error: ends.append(error if error is not None else value)


def test_a_task_waits_for_promises_and_returns(turns: Turns) -> None:
    first: Promise[int] = Promise(turns.soon)
    second: Promise[int] = Promise(turns.soon)
    ends: list[Any] = []

    async def add() -> int:
        return await first + await second

    Task(add(), ended(ends)).start()
    second.set(2)
    turns.run()
    assert ends == []
    first.set(1)
    assert ends == [], "nothing may resume inside the call that settled the promise"
    turns.run()
    assert ends == [3]


def test_an_error_is_raised_where_it_is_awaited(turns: Turns) -> None:
    promise: Promise[int] = Promise(turns.soon)
    ends: list[Any] = []

    async def rescue() -> str:
        try:
            await promise
        except OSError as error:
            return f"caught {error}"
        return "nothing"

    Task(rescue(), ended(ends)).start()
    promise.fail(OSError("full"))
    promise.set(1)
    turns.run()
    assert ends == ["caught full"]


def test_an_exception_ends_the_task_and_reaches_its_owner(turns: Turns) -> None:
    ends: list[Any] = []

    async def fail() -> None:
        raise ValueError("no")

    Task(fail(), ended(ends)).start()
    assert isinstance(ends[0], ValueError)


def test_throwing_into_a_wait_lets_it_clean_up_and_forget_the_wait(turns: Turns) -> None:
    never: Promise[int] = Promise(turns.soon)
    cleaning: Promise[int] = Promise(turns.soon)
    ends: list[Any] = []

    async def live() -> str:
        try:
            await never
        except KeyboardInterrupt:
            await cleaning
            return "cleaned"
        return "never"

    task = Task(live(), ended(ends))
    task.start()
    task.throw(KeyboardInterrupt())
    never.set(1)
    turns.run()
    assert ends == []
    cleaning.set(1)
    turns.run()
    assert ends == ["cleaned"]
    task.throw(KeyboardInterrupt())
    assert len(ends) == 1
