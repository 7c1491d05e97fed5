"""What a request asks, what a sound server answers, and everything that can be wrong with an answer.

Knows nothing of sockets. `correct_reply` follows RFC 9110; a script then edits the `Reply`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime

from tests.servers.content import Content

LAST_MODIFIED = "Mon, 01 Jan 2024 00:00:00 GMT"
#: One range only; more of them may be ignored (RFC 9110 §14.2), so they are.
_RANGE = re.compile(r"bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))", re.IGNORECASE)


@dataclass
class File:
    """What is served under a path. Replace it to change the file on the server."""

    content: Content
    etag: str | None = '"1"'
    last_modified: str | None = LAST_MODIFIED
    content_type: str | None = "application/octet-stream"
    headers: tuple[tuple[str, str], ...] = ()
    ranges: bool = True


@dataclass
class Request:
    """One request as it came. `start` and `stop` are the asked range, half-open; None where it did not ask."""

    connection: int
    #: Its number on its connection, from 1.
    turn: int
    #: Its number on the server, from 1.
    number: int
    method: str
    path: str
    headers: dict[str, str]
    #: When it came, by the monotonic clock.
    at: float
    start: int | None = None
    stop: int | None = None
    #: The last so many bytes were asked for (``bytes=-500``).
    suffix: int | None = None
    status: int = 0
    #: Bytes of body that were sent.
    sent: int = 0
    #: When its answer was over, however it ended; None before.
    ended: float | None = None

    @property
    def keeps_alive(self) -> bool:
        """It does not ask for the connection to be closed."""
        return "close" not in self.headers.get("connection", "").lower()


@dataclass
class Reply:
    """An answer and its faults. Byte counts are of the body."""

    status: int
    #: A header whose value is empty is not sent: ``headers["Content-Length"] = ""`` leaves it out.
    headers: dict[str, str] = field(default_factory=dict)
    content: Content | None = None
    start: int = 0
    stop: int = 0
    #: Bytes per second; None for as fast as it goes.
    rate: float | None = None
    #: Bytes per second at a time of the monotonic clock, instead of `rate`.
    rate_at: Callable[[float], float] | None = None
    #: Seconds before the head.
    delay: float = 0.0
    reset_after: int | None = None
    close_after: int | None = None
    stall_after: int | None = None
    #: From here on `trickle_rate` bytes per second.
    trickle_after: int | None = None
    trickle_rate: float = 1.0
    #: Bytes to send behind the end of the body.
    extra: bytes = b""
    chunked: bool = False
    #: Close when done, whatever was said.
    close: bool = False
    #: Never answer.
    silent: bool = False
    #: Reset at once, without an answer.
    refuse: bool = False
    #: Send exactly this instead of everything, then close.
    raw: bytes | None = None
    #: Send these pieces instead of everything, until they end, the peer leaves or the server closes.
    pieces: Iterable[bytes] | None = None
    #: After `raw`, stay connected and say nothing more.
    keep_open: bool = False
    #: A body that is no content's.
    body: bytes | None = None
    version: str = "HTTP/1.1"
    #: Headers to send besides, for names that come twice.
    more_headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Bytes of body, when nothing goes wrong."""
        return len(self.body) if self.body is not None else self.stop - self.start

    def become(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer this instead: other status, other headers, a body of its own."""
        self.status, self.headers, self.body = status, dict(headers or {}), body

    def redirect(self, location: str, status: int = 302) -> None:
        """Send the client elsewhere."""
        self.become(status, {"Location": location})

    def claim(self, start: int, stop: int, total: int | str) -> None:
        """A 206 that says it is bytes ``[start, stop)`` of `total` (``"*"`` for unknown), and sends those."""
        self.status, self.start, self.stop, self.body = 206, start, stop, None
        self.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"

    def block(self, position: int, size: int) -> bytes:
        """`size` bytes of the body from `position`."""
        if self.body is not None:
            return self.body[position : position + size]
        assert self.content is not None, "a reply without content needs a body"
        return self.content.read(self.start + position, self.start + position + size)


def parse(head: str, connection: int, turn: int, number: int, now: float) -> Request:
    """Read a request's head. Raises ValueError when its first line has not three words."""
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    if target.startswith(("http://", "https://")):  # what a proxy is asked; servers take it too (RFC 9112 §3.2.2)
        target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    request = Request(connection, turn, number, method, target, headers, now)
    asked = _RANGE.fullmatch(headers.get("range", ""))
    if asked is None:
        return request
    first_byte, last_byte, suffix = asked.groups()
    request.start = int(first_byte) if first_byte else None
    request.stop = int(last_byte) + 1 if last_byte else None
    request.suffix = int(suffix) if suffix else None
    return request


def correct_reply(request: Request, file: File | None) -> Reply:
    """What a sound server would answer (RFC 9110 §13.1.5, §14.2)."""
    if file is None:
        return Reply(404, {"Content-Type": "text/plain"}, body=b"no such file\n")
    size = file.content.size
    headers = {
        "Date": formatdate(usegmt=True),
        "ETag": file.etag or "",
        "Last-Modified": file.last_modified or "",
        "Content-Type": file.content_type or "",
        **dict(file.headers),
    }
    if file.ranges:
        headers["Accept-Ranges"] = "bytes"
    whole = Reply(200, headers, file.content, 0, size)
    if not file.ranges or request.method != "GET" or not _if_range_holds(request, file):
        return whole
    start, stop = request.start, min(size if request.stop is None else request.stop, size)
    if request.suffix is not None:
        start = size - min(request.suffix, size) if request.suffix else size
    if start is None or (request.stop is not None and request.stop <= start):
        return whole  # no range asked, or none that makes sense
    if start >= size:
        return Reply(416, {**headers, "Content-Range": f"bytes */{size}"}, body=b"")
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return Reply(206, headers, file.content, start, stop)


def _if_range_holds(request: Request, file: File) -> bool:
    condition = request.headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith('"'):
        return condition == file.etag
    if condition.startswith("W/") or file.last_modified is None:
        return False
    try:
        return parsedate_to_datetime(condition) == parsedate_to_datetime(file.last_modified)
    except ValueError:
        return False
