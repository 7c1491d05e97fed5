"""What every room of one download needs: its request, the loop, the disk threads, and a voice."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

from penstock.core.urls import identity, redact
from penstock.events import AnyEvent, Warned
from penstock.model import Options, Request
from penstock.net.loop import Loop
from penstock.net.tasks import Promise
from penstock.store.threads import Workers

T = TypeVar("T")


class Context:
    """One download's surroundings. Belongs to the loop's thread."""

    def __init__(
        self,
        number: int,
        request: Request,
        *,
        loop: Loop,
        writer: Workers,
        workers: Workers,
        emit: Callable[[AnyEvent], None],
    ) -> None:
        self.number = number
        self.request = request
        self.loop = loop
        self.writer = writer
        self.workers = workers
        self.emit = emit
        self.started = loop.now()

    @property
    def options(self) -> Options:
        """How this download is carried out."""
        return self.request.options

    @property
    def url(self) -> str:
        """The source's URL, with the credentials it may hold: for asking, not for showing."""
        return self.request.sources[0].url

    @property
    def shown_url(self) -> str:
        """The source's URL as people and programs may see it."""
        return redact(self.url)

    @property
    def source(self) -> str:
        """The source's identity in the journal."""
        return identity(self.url)

    @property
    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return self.loop.now()

    def warn(self, message: str) -> None:
        """Tell the user something that does not stop the download."""
        self.emit(Warned(download=self.number, at=self.now, message=message))

    def promise(self) -> Promise[Any]:
        """A promise that wakes its waiter on the loop."""
        return Promise(self.loop.soon)

    def disk(self, job: Callable[[], T]) -> Promise[T]:
        """Run `job` on a disk thread."""
        promise: Promise[T] = Promise(self.loop.soon)

        def done(value: Any, error: BaseException | None) -> None:
            if error is None:
                promise.set(value)
            else:
                promise.fail(error)

        self.workers.submit(job, done)
        return promise

    def sleep(self, seconds: float) -> Promise[None]:
        """A promise that is kept after `seconds`."""
        promise: Promise[None] = Promise(self.loop.soon)
        self.loop.call_later(seconds, lambda: promise.set(None))
        return promise

    @staticmethod
    def jitter() -> float:
        """A random number in [0, 1), to keep many clients from retrying in step."""
        return random.random()
