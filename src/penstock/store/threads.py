"""Threads for work that may block: writing, syncing, hashing, renaming.

Jobs go in from any thread; each answer is handed to `post`, which carries it to the thread that asked.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, Final

from penstock.thread_start import start_thread

Done = Callable[[Any, BaseException | None], None]
_Job = tuple[Callable[[], Any], Done]

#: How long closing waits for a job that does not return (a hung network mount), seconds.
_JOIN_SECONDS: Final = 10.0


class Workers:
    """`count` daemon threads (fewer where the system gives no more) that run jobs in the order they came; with one
    thread that is the order of ending too."""

    def __init__(self, name: str, count: int, post: Callable[..., None]) -> None:
        self._post = post
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        for number in range(count):
            thread = threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            try:
                start_thread(thread)
            except (RuntimeError, MemoryError):  # the system gives no more of them: fewer will do
                if not self._threads:
                    raise
                break
            self._threads.append(thread)

    def submit(self, job: Callable[[], Any], done: Done) -> None:
        """Run `job` on a worker; then `done(value, None)` or `done(None, error)` by way of `post`."""
        self._jobs.put((job, done))

    def close(self) -> None:
        """Let the threads end once they have done what was submitted, and wait for them."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, done = entry
            try:
                value, error = job(), None
            except BaseException as caught:
                value, error = None, caught
            self._post(done, value, error)
            # do not keep the last job's buffers alive while waiting for the next
            del entry, job, done, value, error
