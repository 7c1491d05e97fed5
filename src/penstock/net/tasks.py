"""Just enough to write one download's life as a coroutine on the network thread.

A `Promise` is a value that comes later; a `Task` runs a coroutine that awaits promises. Both belong to the loop's
thread and need no locks; a promise never resumes its waiter inside the call that settled it, because that call may
stand inside a libcurl callback, where libcurl must not be called.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
Soon = Callable[..., None]


class Promise(Generic[T]):
    """A value or an error that arrives once. `soon(function, *args)` runs a function outside the current call."""

    __slots__ = ("_error", "_settled", "_soon", "_value", "_waiters")

    def __init__(self, soon: Soon) -> None:
        self._soon = soon
        self._settled = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._waiters: list[Callable[[], None]] = []

    @property
    def settled(self) -> bool:
        """True once it has its value or error."""
        return self._settled

    def set(self, value: T) -> None:
        """Settle with a value; a second settling is ignored."""
        self._settle(value, None)

    def fail(self, error: BaseException) -> None:
        """Settle with an error that its waiter will see raised; a second settling is ignored."""
        self._settle(None, error)

    def result(self) -> T:
        """The value; raises the error. Only when settled."""
        if self._error is not None:
            raise self._error
        return cast("T", self._value)

    def on_settled(self, callback: Callable[[], None]) -> None:
        """Call back once settled, never inside this call."""
        if self._settled:
            self._soon(callback)
        else:
            self._waiters.append(callback)

    def __await__(self) -> Generator[Promise[T], None, T]:
        if not self._settled:
            yield self
        return self.result()

    def _settle(self, value: T | None, error: BaseException | None) -> None:
        if self._settled:
            return
        self._settled, self._value, self._error = True, value, error
        for waiter in self._waiters:
            self._soon(waiter)
        self._waiters.clear()


class Task:
    """Runs a coroutine to its end; `on_end(value, error)` is called once."""

    def __init__(
        self, coroutine: Coroutine[Promise[Any], None, T], on_end: Callable[[T | None, BaseException | None], None]
    ) -> None:
        self._coroutine = coroutine
        self._on_end = on_end
        self._waits: Promise[Any] | None = None
        self._ended = False

    def start(self) -> None:
        """Run to the first wait."""
        self._step(None)

    def throw(self, error: BaseException) -> None:
        """Raise `error` where the coroutine waits; nothing happens once it has ended."""
        if not self._ended:
            self._step(error)

    def _step(self, error: BaseException | None) -> None:
        self._waits = None
        try:
            promise = self._coroutine.throw(error) if error is not None else self._coroutine.send(None)
        except StopIteration as end:
            self._end(end.value, None)
        except BaseException as raised:
            self._end(None, raised)
        else:
            self._waits = promise
            promise.on_settled(lambda: self._resume(promise))

    def _resume(self, promise: Promise[Any]) -> None:
        if self._waits is promise:  # else it was thrown out of that wait
            self._step(None)

    def _end(self, value: Any, error: BaseException | None) -> None:
        self._ended = True
        self._on_end(value, error)
