"""The first request for one of many files, on the bet that it is small and nothing is out of the ordinary.

Then a handful of calls is all it takes: request, body in memory, file. Whatever else happens is handed over, the
answer with it, to a `Download`, which knows what to do: nothing is asked for twice. One that won its bet is used for
the next file: its handle is set up already.
"""

from __future__ import annotations

import time
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from penstock.core.answer import Partial, Plain, Whole, plain, read_answer
from penstock.core.headers import http_date
from penstock.core.retry import Cause, Failure
from penstock.core.wanted import unwanted
from penstock.engine.context import Surroundings
from penstock.engine.opening import Opening
from penstock.engine.probe import Opened
from penstock.model import Digest, Head, Options, Representation, Validator
from penstock.net.configure import Exchange
from penstock.net.transfer import Transfer
from penstock.store.deliver import Delivered, Outcome, Parcel, hex_digest

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

#: Swifts at rest, at most.
_KEPT: Final = 256


class Errand(NamedTuple):
    """What is to be fetched, and where it belongs: the file `name` in `folder`, where nothing is."""

    url: str
    folder: str
    name: str
    #: Length and digest that it must have.
    size: int | None = None
    checksum: Digest | None = None
    #: Compute the SHA-256.
    sha256: bool = False


class Landed(NamedTuple):
    """A small file came, and is in its place."""

    size: int
    #: In hexadecimal digits, if it was asked for.
    sha256: str | None
    validator: Validator | None
    media_type: str | None
    #: The file's modification time, nanoseconds, where it is known without looking.
    mtime_ns: int | None
    #: Seconds that it took.
    elapsed: float


class Owner(Protocol[T_contra]):
    """Whom the swifts of `token`s answer to."""

    def arrived(self, token: T_contra) -> None:
        """Nothing more is wanted of the network."""

    def tried(self, token: T_contra, end: Landed | Opened | Failure) -> None:
        """It is over; called once, unless it was stopped. With what a `Download` is to begin with, if the bet was
        lost."""


class Swifts(Generic[T]):
    """Those at rest, all for the same options and the same kind of URL."""

    def __init__(self, shared: Surroundings, owner: Owner[T]) -> None:
        self._shared = shared
        self._owner = owner
        self._resting: list[Swift[T]] = []
        self._options: Options | None = None
        self._scheme = ""

    def begin(self, token: T, errand: Errand, options: Options) -> Swift[T]:
        """Ask for it."""
        scheme = errand.url[:6]
        if options is not self._options or scheme != self._scheme:
            while self._resting:
                self._resting.pop().transfer.let_go()
            self._options, self._scheme = options, scheme
        if not self._resting:
            return Swift(self._shared, self, self._owner, options, token, errand)
        swift = self._resting.pop()
        swift.again(token, errand)
        return swift

    def rest(self, swift: Swift[T]) -> None:
        """It has nothing to do."""
        same = swift.options is self._options and swift.transfer.url[:6] == self._scheme
        if same and len(self._resting) < _KEPT and swift.transfer.is_reusable:
            self._resting.append(swift)
        else:
            swift.transfer.let_go()


class Swift(Generic[T]):
    """One request at a time."""

    __slots__ = ("_began", "_errand", "_is_lost", "_is_simple", "_known", "_others", "_owner", "_shared", "_token",
                 "opening", "options", "transfer")  # fmt: skip

    def __init__(
        self, shared: Surroundings, others: Swifts[T], owner: Owner[T], options: Options, token: T, errand: Errand
    ) -> None:
        self.options = options
        self._shared = shared
        self._others = others
        self._owner = owner
        self._is_simple = not (
            options.min_size or options.accept_types or options.reject_types or options.max_size is not None
        )
        self._known: Plain | None = None
        #: True when the file was not to be put in its place: then a `Download` must look.
        self._is_lost = False
        self._token: T | None = token
        self._errand = errand
        self._began = shared.loop.now()
        self.opening = Opening(self._began, options, shared.purse, self._on_answer)
        exchange = Exchange(errand.url, errand.url, options, range="bytes=0-", decode=True, may_share=True)
        self.transfer = Transfer(shared.loop, exchange, self.opening, on_whole=self._on_whole)
        self.transfer.is_kept = True

    def again(self, token: T, errand: Errand) -> None:
        """Ask for another."""
        self._token = token
        self._errand = errand
        self._began = now = self._shared.loop.now()
        self.opening.again(now)
        self.transfer.again(errand.url)

    def stop(self) -> None:
        """Break it off: its owner will not hear of it, unless the file is on its way to its place."""
        if self.is_stoppable:
            self._token = None
            self._give_up()

    @property
    def is_stoppable(self) -> bool:
        """False while the file is on its way to its place."""
        return self._known is None

    @property
    def received(self) -> int:
        """Bytes that came."""
        return self.transfer.received

    def look(self, now: float) -> None:
        """A few times a second."""
        if not self.is_stoppable:
            return  # it came whole: however long the disk takes, there is nothing to be asked for again
        self.transfer.judge_early()  # it has waited long enough for all of its bytes
        self.opening.look(self.transfer, now)

    def _give_up(self) -> None:
        self.transfer.stop()
        self.transfer.let_go()
        self.opening.forget()

    def _on_answer(self) -> None:
        if self.opening.ended:
            self._answered()
        else:  # this may be a libcurl callback, in which libcurl must not be called
            self._shared.loop.soon(self._answered)

    def _answered(self) -> None:
        token, opening = self._token, self.opening
        if token is None:
            return
        if opening.head is None:
            self._give_up()
            self._owner.tried(token, opening.failure or Failure(Cause.CUT, "no answer"))
            return
        known = self._whole()
        if known is None or self._is_lost or not self._is_plain(known):
            self._hand_over(token)
        else:
            self._put(token, Plain(known.validator, known.media_type, known.last_modified), opening.blocks)

    def _on_whole(self, head: Head) -> bool:
        """All of a body came that is so small that nobody has judged the head yet."""
        token, errand, received = self._token, self._errand, self.transfer.received
        if token is None or not self._is_simple or errand.checksum is not None or errand.size not in {None, received}:
            return False
        known = plain(head, received)
        if known is None:
            return False
        self._put(token, known, self.transfer.early)
        return True

    def _put(self, token: T, known: Plain, blocks: list[bytes]) -> None:
        """Send it to its place."""
        self._known = known
        errand = self._errand
        modified = http_date(known.last_modified) if self.options.remote_time else None
        size = self.transfer.received
        parcel = Parcel(errand.folder, errand.name, blocks, size, modified=modified, sha256=errand.sha256)
        self._shared.deliveries.put(parcel, self._delivered)
        self._owner.arrived(token)

    def _whole(self) -> Representation | None:
        """What came, when all of it is in memory."""
        opening = self.opening
        assert opening.head is not None
        if not opening.complete:
            return None
        answer = read_answer(opening.head, time.time())
        if isinstance(answer, Partial):
            whole = answer.range.start == 0 and answer.range.stop == opening.received == answer.representation.length
            return answer.representation if whole else None
        if isinstance(answer, Whole) and answer.representation.length == opening.received:
            return answer.representation
        return None

    def _is_plain(self, known: Representation) -> bool:
        """True when it is as it should be, and there is nothing to say."""
        errand, received = self._errand, self.opening.received
        if known.digests or known.encoded or unwanted(known, self.options) is not None:
            return False
        limit, wanted = self.options.max_size, errand.checksum
        if (limit is not None and received > limit) or errand.size not in {None, received}:
            return False
        return wanted is None or hex_digest(self.opening.blocks, wanted.algorithm) == wanted.value.hex()

    def _delivered(self, outcome: Outcome) -> None:
        known, token = self._known, self._token
        assert known is not None
        assert token is not None
        self._known = None
        if not isinstance(outcome, Delivered):
            self._is_lost = True
            if self.opening.answered:
                self._hand_over(token)
            else:
                self.transfer.replay()
            return
        elapsed = self._shared.loop.now() - self._began
        landed = Landed(
            self.transfer.received, outcome.sha256, known.validator, known.media_type, outcome.mtime_ns, elapsed
        )
        self._token = None
        if self.opening.answered:
            self.opening.forget()
        self._others.rest(self)
        self._owner.tried(token, landed)

    def _hand_over(self, token: T) -> None:
        assert self.opening.head is not None
        self._token = None
        self.transfer.let_go()
        self._owner.tried(token, Opened(self.transfer, self.opening, self.opening.head, self.transfer.url))
