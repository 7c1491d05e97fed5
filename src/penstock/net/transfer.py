"""One HTTP exchange: a request set up on an easy handle, its head, its body, its end.

Knows nothing of segments or files. Whoever follows it (`Follower`) is asked, inside libcurl's callbacks, what to do
with the head and with each block of the body; it must not touch libcurl from there, only decide.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import pycurl

from penstock.core.retry import Cause, Failure
from penstock.model import Head
from penstock.net.configure import Exchange, aim, configure, proxy_of
from penstock.net.failures import failure_of

if TYPE_CHECKING:
    from penstock.net.loop import Loop

#: A redirect's or error's body is read to its end up to this many bytes, which keeps the connection usable.
_DRAIN_BYTES: Final = 64 * 1024
#: A server may send this many interim (1xx) heads before the real one; libcurl bounds their bytes, not their number.
_MAX_INTERIM: Final = 32
#: Bytes of body that are taken before the head is judged, where somebody waits for whole small ones.
EARLY_BYTES: Final = 32 * 1024
#: What a write callback returns to break the transfer off: fewer bytes than it was given.
_ABORT: Final = 0
#: All that may be cut off around a field (RFC 9112 §5): NBSP and NEL, which `str.strip` takes too, end letters in
#: UTF-8.
_OWS: Final = " \t\r\n"


class Ending(NamedTuple):
    """What became of a transfer's bytes, in the words of a trace. It filled ``[start, stop)`` of the file, for the
    segment with this number."""

    end: str
    segment: int
    start: int
    stop: int
    why: str | None = None

    def told(self) -> dict[str, str | int]:
        """What is known of it."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class Verdict(enum.Enum):
    """What to do with a body, decided from its head."""

    #: Not yet known: nobody has judged the head.
    UNKNOWN = "unknown"
    TAKE = "take"
    #: Hold it back until `Transfer.resume`: the disk is not ready for it yet.
    HOLD = "hold"
    #: Read and forget, if it is short: the connection lives on.
    DRAIN = "drain"
    #: Break off: the connection dies.
    ABORT = "abort"


#: What was taken early is passed on.
_TAKEN: Final = frozenset({Verdict.TAKE, Verdict.HOLD})


class Follower(Protocol):
    """Who decides about a transfer. All three are called on the loop's thread."""

    def on_head(self, transfer: Transfer, head: Head) -> Verdict:
        """The final head arrived."""

    def on_body(self, transfer: Transfer, block: bytes) -> bool:
        """A block of the body arrived; False breaks the transfer off (its segment is done)."""

    def on_end(self, transfer: Transfer, failure: Failure | None) -> None:
        """It is over: as it should (None), or not. Not called after `stop`."""


class Transfer:
    """Runs one `Exchange` on the loop from its making to `on_end`, or to `stop`."""

    url: str
    head: Head | None
    #: When it was made.
    opened: float
    #: Seconds from opening to the head; None until it came.
    setup: float | None
    #: Bytes of body taken.
    received: int
    #: Blocks of the body that came before its head was judged.
    early: list[bytes]
    #: The number of the download that it is for, 0 for none; and, for a trace, what became of its bytes.
    download: int = 0
    ending: Ending | None = None
    _is_unspoilt: bool

    def __init__(
        self, loop: Loop, exchange: Exchange, follower: Follower, *, on_whole: Callable[[Head], bool] | None = None
    ) -> None:
        """With `on_whole` the first `EARLY_BYTES` of the body are taken, into `early`, before anybody judges the head.
        When that is all, it is called with the head; True: it took them. Else, and for whatever is longer, slower or
        broken, the follower hears of head and body in turn."""
        self.follower = follower
        #: True while its handle is to be left as it is when it ends, for `again`.
        self.is_kept = False
        self._exchange = exchange
        self._loop = loop
        self._on_whole = on_whole
        self._lines: list[bytes] = []
        self._curl: Any = loop.new_handle()
        configure(self._curl, exchange)
        self._curl.setopt(pycurl.HEADERFUNCTION, self._on_header if on_whole is None else self._lines.append)
        self._curl.setopt(pycurl.WRITEFUNCTION, self._on_block if on_whole is None else self._on_early_block)
        self._begin(exchange.url)

    def again(self, url: str) -> None:
        """Ask for another URL of the same kind (scheme, credentials) in just the same way: a kept one that has
        ended."""
        self._lines.clear()
        if not self._is_unspoilt:
            self._begin(url)
            return
        loop = self._loop
        self.url = url
        self.head = None
        self.setup = None
        self.opened = loop.now()
        self.received = 0
        self.early = []
        self._ended = self._is_unspoilt = False
        aim(self._curl, url)
        loop.add(self._curl, self)

    def _begin(self, url: str) -> None:
        loop = self._loop
        self.url = url
        self.head = None
        self.opened = loop.now()
        self.setup = None
        self.received = 0
        #: True when we ended it before the server did: its connection is closed.
        self.broken_off = False
        self.early = []
        self._verdict = Verdict.TAKE if self._on_whole is None else Verdict.UNKNOWN
        self._drained = self._interim = 0
        self._is_held = False
        self._error: Exception | None = None
        self._ended = False
        #: True when all that changed since the beginning is what every small file changes.
        self._is_unspoilt = False
        aim(self._curl, url)
        loop.add(self._curl, self)

    def stop(self) -> None:
        """Break it off; `on_end` will not come. May be called from a callback: it takes effect after it."""
        if self._ended:
            return
        self._ended = self.broken_off = True
        self.is_kept = False
        self._verdict = Verdict.ABORT
        self._loop.gate.forget(self)
        self._loop.soon(self._loop.drop, self._curl, self)

    def let_go(self) -> None:
        """It will not be begun `again`: its handle is for others."""
        if self.is_kept:
            self.is_kept = False
            if self._ended:
                self._loop.recycle(self._curl)

    def replay(self) -> None:
        """Let the follower hear after all of what `on_whole` took."""
        self._is_unspoilt = False
        self._judge_lines()
        self.follower.on_end(self, None)

    @property
    def asked(self) -> float | None:
        """Seconds from its making until the request was sent; None while it is not."""
        return self._curl.getinfo(pycurl.PRETRANSFER_TIME) or None

    @property
    def is_reusable(self) -> bool:
        """True when it ended as it should, so that it may be begun `again`."""
        return self.is_kept and self._ended and not self.broken_off

    def hold(self) -> None:
        """Take no more of the body until `resume`."""
        if self._verdict is Verdict.TAKE:
            self._verdict = Verdict.HOLD

    def resume(self) -> None:
        """Let a held or gated body flow."""
        if self._ended:
            return
        if self._verdict is Verdict.HOLD:
            self._verdict = Verdict.TAKE
        # libcurl may call back with what it kept, right inside; a transfer that just ended has nothing to resume
        with contextlib.suppress(pycurl.error):
            self._curl.pause(pycurl.PAUSE_CONT)

    # libcurl's callbacks

    def _on_header(self, raw: bytes) -> int | None:
        # called for every line: the usual case first
        if len(raw) > 2:
            self._lines.append(raw)
            return None
        if self.head is not None or not self._lines:
            return None  # after a trailer
        head = parse_head(self._lines, self.url)
        self._lines.clear()
        if head.status < 200:
            self._interim += 1
            return None if self._interim <= _MAX_INTERIM and head.status != 101 else -1
        self.head = head
        self.setup = self._loop.now() - self.opened
        return self._judge(head)

    def _read_head(self) -> Head:
        """The head of the lines that came; of several (1xx) the last one."""
        lines = self._lines
        if lines.count(b"\r\n") > 1:
            starts = [index for index, line in enumerate(lines) if line.startswith(b"HTTP/")]
            lines = lines[starts[-1] if starts else 0 :]
        self.head = head = parse_head(lines or [b""], self.url)
        self.setup = self._loop.now() - self.opened
        return head

    def judge_early(self) -> None:
        """Let the follower judge now what was taken early, and whatever comes after it as it comes."""
        if self.early:  # else the head may not be complete
            self._judge_lines()

    def _judge_lines(self) -> int | None:
        if self._verdict is not Verdict.UNKNOWN or not self._lines:
            return None
        ended, self._ended = self._ended, False
        judged = self._judge(self.head or self._read_head())
        if judged is None and self._verdict in _TAKEN and not all(map(self._passed_on, self.early)):
            judged = -1
        self._ended = ended
        return judged

    def _passed_on(self, block: bytes) -> bool:
        try:
            if self.follower.on_body(self, block):
                return True
        except Exception as error:  # as in _on_block
            self._error = error
        self.broken_off = True
        return False

    def _judge(self, head: Head) -> int | None:
        if self._ended:
            return -1
        try:
            self._verdict = self.follower.on_head(self, head)
        except Exception as error:  # as in _on_block
            self._error = error
            return -1
        if self._verdict is Verdict.ABORT:
            self.broken_off = True
            return -1
        return None

    def _on_block(self, block: bytes) -> int | None:
        # called for every 16 KiB: the usual case first, and nothing in it that could wait
        gate = self._loop.gate
        if self._verdict is not Verdict.TAKE or gate.closed:
            return self._on_unusual_block(block)
        self.received += len(block)
        if gate.limited:
            gate.passed(len(block))
        try:
            if self.follower.on_body(self, block):
                return None
        except Exception as error:  # a follower's exception is its own failure, never libcurl's or another's
            self._error = error
        self.broken_off = True
        return _ABORT

    def _on_unusual_block(self, block: bytes) -> int | None:
        if self._verdict is Verdict.DRAIN:
            self._drained += len(block)
            if self._drained <= _DRAIN_BYTES:
                return len(block)
            self.broken_off = True
            return _ABORT
        if self._verdict is Verdict.ABORT:
            return _ABORT
        if self._verdict is Verdict.TAKE:
            self._is_held = True
            self._loop.gate.hold(self)
        return int(pycurl.WRITEFUNC_PAUSE)

    def _on_early_block(self, block: bytes) -> int | None:
        if self._verdict is not Verdict.UNKNOWN:
            return self._on_block(block)
        gate = self._loop.gate
        if gate.closed:
            self._is_held = True
            gate.hold(self)
            return int(pycurl.WRITEFUNC_PAUSE)
        size = self.received + len(block)
        if size > EARLY_BYTES:
            return self._on_block(block) if self._judge_lines() is None else _ABORT
        self.received = size
        self.early.append(block)
        if gate.limited:
            gate.passed(len(block))
        return None

    def on_curl_done(self, number: int, message: str) -> None:
        """libcurl is through with it (called by the loop)."""
        if self._ended:
            return
        self._ended = True
        if self._is_held:
            self._loop.gate.forget(self)
        if self._verdict is Verdict.UNKNOWN:
            self._is_unspoilt = number == 0 and not self._is_held
            if number == 0 and self._lines and self._on_whole is not None and self._on_whole(self._read_head()):
                return
            self._is_unspoilt = False
            if number == 0 or self.early:
                self._judge_lines()
        self.follower.on_end(self, self._outcome(number, message))

    def _outcome(self, number: int, message: str) -> Failure | None:
        if self._error is not None:
            return Failure(Cause.OTHER, f"internal error: {type(self._error).__name__}: {self._error}")
        if self.broken_off:
            return None
        if self._interim > _MAX_INTERIM:
            return Failure(Cause.BAD_RESPONSE, "endless interim responses")
        if number:
            exchange = self._exchange
            return failure_of(
                number, message, self._curl, proxy=proxy_of(exchange), is_guarded=exchange.options.public_only
            )
        if self.head is None:
            return Failure(Cause.BAD_RESPONSE, "the server closed the connection without an answer")
        return None


def parse_head(raw: list[bytes], url: str) -> Head:
    """A head from its raw lines, the status line first. Lines without a colon are ignored."""
    words = raw[0].split(None, 2)
    status = int(words[1]) if len(words) > 1 and len(words[1]) == 3 and words[1].isdigit() else 0
    head = Head(status, tuple(filter(None, map(_field, raw[1:]))), url)
    return head if head.get("") is None else Head(status, tuple(_unfolded(head.headers)), url)


@lru_cache(maxsize=512)
def _field(line: bytes) -> tuple[str, str] | None:
    """Name and value; the name is empty for a line that goes on with the last one (RFC 9112 §5.2). Remembered, for
    most lines come again with every file of a server."""
    text = line.decode("latin-1")
    if text[:1] in {" ", "\t"}:
        return "", text.strip(_OWS)
    name, colon, value = text.partition(":")
    name = name.strip(_OWS).lower()
    return (name, value.strip(_OWS)) if colon and name else None


def _unfolded(fields: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    whole: list[tuple[str, str]] = []
    for name, value in fields:
        if name:
            whole.append((name, value))
        elif whole:
            last, text = whole[-1]
            whole[-1] = last, f"{text} {value}".strip(_OWS)
    return whole
