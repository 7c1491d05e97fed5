"""Wait for sockets: `select.epoll` itself where there is one, else the best that `selectors` has.

`selectors` keeps an object for each socket and costs 15 µs for each transfer; with thousands of small files a second
that is a tenth of everything.
"""

from __future__ import annotations

import contextlib
import select
import selectors
import sys
from typing import Final, Protocol

READ: Final = 1
WRITE: Final = 2


class Poller(Protocol):
    """Which sockets are watched, and for what."""

    def watch(self, descriptor: int, events: int) -> None:
        """Watch for `events` (READ, WRITE or both) from now on."""

    def unwatch(self, descriptor: int) -> None:
        """Watch no more; nothing happens when it was not watched, or closed meanwhile. It may take effect only with the
        next `wait`."""

    def wait(self, timeout: float) -> list[tuple[int, int]]:
        """The descriptors that are ready, with what for, after at most `timeout` seconds."""

    def close(self) -> None:
        """Let go."""


if sys.platform == "linux":
    _EPOLL_MASKS: Final = (0, select.EPOLLIN, select.EPOLLOUT, select.EPOLLIN | select.EPOLLOUT)

    class _Epoll:
        def __init__(self) -> None:
            self._epoll = select.epoll()
            self._masks: dict[int, int] = {}
            #: Not watched any more since the last wait, and since the one before it: only these are taken off, for most
            #: are watched again by then, as connections between one transfer and the next.
            self._dropped: set[int] = set()
            self._dropped_before: set[int] = set()

        def watch(self, descriptor: int, events: int) -> None:
            mask = _EPOLL_MASKS[events]
            self._dropped.discard(descriptor)
            self._dropped_before.discard(descriptor)
            if descriptor in self._masks:
                try:
                    self._epoll.modify(descriptor, mask)
                except FileNotFoundError:  # the number was closed and came back as another socket
                    self._epoll.register(descriptor, mask)
            else:
                try:
                    self._epoll.register(descriptor, mask)
                except FileExistsError:
                    self._epoll.modify(descriptor, mask)
            self._masks[descriptor] = mask

        def unwatch(self, descriptor: int) -> None:
            self._dropped.add(descriptor)

        def _take_off(self) -> None:
            for descriptor in self._dropped_before:
                if self._masks.pop(descriptor, None) is not None:
                    with contextlib.suppress(OSError):
                        self._epoll.unregister(descriptor)
            self._dropped, self._dropped_before = set(), self._dropped

        def wait(self, timeout: float) -> list[tuple[int, int]]:
            if self._dropped or self._dropped_before:
                self._take_off()
            ready = self._epoll.poll(timeout)
            idle = self._dropped_before
            # errors and hang-ups (anything but IN and OUT) are for the reader to see
            return [(fd, (WRITE if mask & select.EPOLLOUT else 0) | (READ if mask & ~select.EPOLLOUT else 0))
                    for fd, mask in ready if fd not in idle]  # fmt: skip

        def close(self) -> None:
            self._epoll.close()


class _Selector:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, descriptor: int, events: int) -> None:
        try:
            self._selector.modify(descriptor, events)
        except KeyError:
            self._selector.register(descriptor, events)
        except OSError:  # the number was closed and came back as another socket
            with contextlib.suppress(KeyError, OSError):
                self._selector.unregister(descriptor)
            self._selector.register(descriptor, events)

    def unwatch(self, descriptor: int) -> None:
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._selector.unregister(descriptor)

    def wait(self, timeout: float) -> list[tuple[int, int]]:
        return [(key.fd, events) for key, events in self._selector.select(timeout)]

    def close(self) -> None:
        self._selector.close()


def make_poller() -> Poller:
    """The best for this platform."""
    return _Epoll() if sys.platform == "linux" else _Selector()
