"""A server that is never to be trusted: it resets, stalls, trickles, lies, limits and corrupts at random.

What happens to the n-th request for a path follows from (seed, path, n) alone, whatever order requests come in.
It never tells a lie that nobody could see through: a plausible smaller size, or other bytes under the same validator,
only for files whose size or digest the list says.
"""

from __future__ import annotations

import enum
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request


class Known(enum.Enum):
    """What the list says of a file."""

    NOTHING = "nothing"
    SIZE = "size"
    DIGEST = "digest"


@dataclass(frozen=True)
class Item:
    """A file that is served."""

    path: str
    content: Content
    known: Known


class Unruly:
    """A script for `FaultServer`: a share of `wildness` of all requests goes wrong; `counts` says what did."""

    def __init__(self, server: FaultServer, items: list[Item], seed: int, wildness: float) -> None:
        self.wildness = wildness
        self.counts: Counter[str] = Counter()
        self._server = server
        self._seed = seed
        self._items = {item.path: item for item in items}
        self._asked: Counter[str] = Counter()
        self._guard = threading.Lock()

    def __call__(self, request: Request, reply: Reply) -> None:
        with self._guard:
            self._asked[request.path] += 1
            dice = random.Random(f"{self._seed} {request.path} {self._asked[request.path]}")
        if dice.random() >= self.wildness or reply.status not in {200, 206}:
            return
        item = self._items[request.path]
        faults = [*_FAULTS, *(_FAULTS_OF_KNOWN if item.known is not Known.NOTHING else [])]
        fault = dice.choice([*faults, *(_FAULTS_OF_PROVEN if item.known is Known.DIGEST else [])])
        fault(reply, item, dice)
        with self._guard:
            self.counts[fault.__name__.lstrip("_")] += 1


Fault = Callable[[Reply, Item, random.Random], None]


def _reset(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.reset_after = dice.randint(0, reply.length)


def _cut(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.close_after = dice.randint(0, reply.length)


def _refusal(reply: Reply, _item: Item, _dice: random.Random) -> None:
    reply.refuse = True


def _stall(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.stall_after = dice.randint(0, reply.length)


def _silence(reply: Reply, _item: Item, _dice: random.Random) -> None:
    reply.silent = True


def _trickle(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.trickle_after, reply.trickle_rate = dice.randint(0, reply.length), dice.choice([1.0, 3000.0])


def _slow(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.rate, reply.delay = 10.0 ** dice.uniform(4, 6), dice.uniform(0, 0.5)


def _limit(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.become(dice.choice([429, 503]), {"Retry-After": dice.choice(["0", "1", ""])})


def _trouble(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.become(dice.choice([408, 500, 502, 504, 520]), {}, b"sorry" * dice.randint(0, 20))


def _bad_chunks(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.chunked = True
    reply.close_after = dice.randint(0, reply.length)


def _longer_than_said(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.extra, reply.close = b"x" * dice.randint(1, 5000), True


def _shorter_than_said(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.headers["Content-Length"], reply.close = str(reply.length + dice.randint(1, 5000)), True


def _other_etag(reply: Reply, _item: Item, dice: random.Random) -> None:
    reply.headers["ETag"] = f'"{dice.randint(2, 9)}"'


def _no_range(reply: Reply, _item: Item, _dice: random.Random) -> None:
    if reply.status == 206:
        del reply.headers["Content-Range"]


def _whole_instead(reply: Reply, item: Item, _dice: random.Random) -> None:
    reply.status, reply.start, reply.stop = 200, 0, item.content.size
    reply.headers.pop("Content-Range", None)


def _other_range(reply: Reply, item: Item, dice: random.Random) -> None:
    if reply.status == 206 and item.content.size > 1:
        start = dice.randrange(item.content.size)
        reply.claim(start, dice.randint(start + 1, item.content.size), item.content.size)


def _short_range(reply: Reply, item: Item, dice: random.Random) -> None:
    if reply.status == 206:
        reply.claim(reply.start, dice.randint(reply.start + 1, reply.stop), item.content.size)


def _larger_total(reply: Reply, item: Item, dice: random.Random) -> None:
    if reply.status == 206:
        reply.claim(reply.start, reply.stop, item.content.size + dice.randint(1, 5000))


def _smaller_file(reply: Reply, item: Item, dice: random.Random) -> None:
    """All of a smaller one: nothing in the answer shows that it is not so."""
    size = dice.randint(0, item.content.size)
    reply.status, reply.start, reply.stop = 200, 0, size
    reply.headers.pop("Content-Range", None)


def _wrong_bytes(reply: Reply, _item: Item, dice: random.Random) -> None:
    """One byte is another one."""
    if reply.length:
        body = bytearray(reply.block(0, reply.length))
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        reply.body = bytes(body)


_FAULTS: list[Fault] = [
    _reset, _cut, _refusal, _stall, _silence, _trickle, _slow, _slow, _limit, _limit, _trouble, _bad_chunks,
    _longer_than_said, _shorter_than_said, _other_etag, _no_range, _whole_instead, _other_range, _short_range,
    _larger_total,
]  # fmt: skip
_FAULTS_OF_KNOWN: list[Fault] = [_smaller_file]
_FAULTS_OF_PROVEN: list[Fault] = [_wrong_bytes]


class Restarting:
    """Closes the server and brings it back, at random, from `start` to `stop`."""

    def __init__(self, server: FaultServer, seed: int, every: float) -> None:
        """About each `every` seconds."""
        self.restarts = 0
        self._server = server
        self._dice = random.Random(seed)
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="restarting")

    def start(self) -> None:
        """Begin to do so."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the server running."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._dice.uniform(0.5, 1.5) * self._every):
            self._server.close()
            self._ended.wait(self._dice.uniform(0.05, 0.5))
            self._server.restart()
            self.restarts += 1
