"""Hand whole small files to a disk thread in groups: while one group is put away, the next one gathers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from penstock.net.tasks import Promise
from penstock.store.deliver import Deliverer, Outcome, Parcel
from penstock.store.threads import Workers

#: Files in one group, at most: the first of them waits for the last.
GROUP_FILES: Final = 128


class Deliveries:
    """What is on its way to the disk. Belongs to the loop's thread; `soon` runs a call after the current one."""

    def __init__(self, workers: Workers, soon: Callable[..., None]) -> None:
        self._workers = workers
        self._soon = soon
        self._deliverer = Deliverer()
        self._waiting: deque[tuple[Parcel, Promise[Outcome]]] = deque()
        self._busy = False

    def put(self, parcel: Parcel) -> Promise[Outcome]:
        """A promise of the parcel's outcome."""
        promise: Promise[Outcome] = Promise(self._soon)
        self._waiting.append((parcel, promise))
        if not self._busy:
            self._busy = True
            self._soon(self._send)  # not yet: others may come in the same turn
        return promise

    def close(self) -> None:
        """Let go of the directories, once nothing is on its way any more."""
        self._deliverer.close()

    def _send(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_FILES))]
        parcels = [parcel for parcel, _ in group]

        def done(outcomes: Any, error: BaseException | None) -> None:
            for index, (_, promise) in enumerate(group):
                if error is None:
                    promise.set(outcomes[index])
                else:
                    promise.fail(error)
            if self._waiting:
                self._send()
            else:
                self._busy = False

        self._workers.submit(lambda: self._deliverer.deliver(parcels), done)
