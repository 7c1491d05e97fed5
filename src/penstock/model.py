"""The nouns, frozen. Sizes are bytes (int), times are seconds (float); see ARCHITECTURE.md for each word's meaning."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

#: A ceiling on connections, not an order: they are earned one by one (core/ramp.py).
DEFAULT_MAX_CONNECTIONS = 8
#: Least size of a segment that is worth a request of its own.
DEFAULT_MIN_SEGMENT = 256 * 1024


class IfExists(enum.Enum):
    """What to do when the target is already there."""

    #: Fail with `TargetExists`.
    ERROR = "error"
    #: Leave it, and be content.
    SKIP = "skip"
    #: Replace it, once the new file is complete and checked.
    OVERWRITE = "overwrite"
    #: Save under another name: ``a.iso`` as ``a.1.iso``.
    RENAME = "rename"


@dataclass(frozen=True)
class Origin:
    """Scheme, host (lower case, no brackets) and port: the unit of limits, politeness and credentials."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = {"http": 80, "https": 443}.get(self.scheme)
        return f"{self.scheme}://{host}" if self.port == default else f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class Digest:
    """A hash of a whole file. `algorithm` is hashlib's name (``sha256``), `value` the raw bytes."""

    #: hashlib's name, as in ``sha256``.
    algorithm: str
    #: The raw bytes.
    value: bytes

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value.hex()}"


class Validator(NamedTuple):
    """What proves that two answers carry the same bytes: a strong ETag or a strong Last-Modified (RFC 9110 §8.8).

    `kind` is ``"etag"`` or ``"last-modified"``; `value` is the header's value as sent, fit for If-Range.
    """

    #: ``"etag"`` or ``"last-modified"``.
    kind: str
    #: The header's value as sent, fit for If-Range.
    value: str

    def __str__(self) -> str:
        return f"ETag {self.value}" if self.kind == "etag" else f"Last-Modified {self.value}"


@dataclass(frozen=True)
class Representation:
    """What the server says it is serving (RFC 9110 §3.2). `length` is None while unknown."""

    length: int | None = None
    validator: Validator | None = None
    etag: str | None = None
    last_modified: str | None = None
    media_type: str | None = None
    #: True when the server applied a content coding although identity was asked for.
    encoded: bool = False
    #: Digests the server vouches for, of the whole representation, strongest first.
    digests: tuple[Digest, ...] = ()
    #: The raw Content-Disposition value.
    disposition: str | None = None


class Head:
    """The head of one final HTTP response: status, header fields in order (names lower case), and its URL."""

    __slots__ = ("fields", "get", "headers", "status", "url")

    def __init__(self, status: int, headers: tuple[tuple[str, str], ...] = (), url: str = "") -> None:
        self.status = status
        self.headers = headers
        self.url = url
        #: Each field's values, joined by comma, by its name in lower case.
        self.fields = fields = dict(headers)
        if len(fields) < len(headers):  # of fields that come several times, all values (RFC 9110 §5.3)
            values: dict[str, list[str]] = {}
            for name, value in headers:
                values.setdefault(name, []).append(value)
            fields.update((name, ", ".join(each)) for name, each in values.items())
        #: The field's values joined by comma (RFC 9110 §5.3), or None, by its name in lower case.
        self.get: Callable[[str], str | None] = fields.get

    def __repr__(self) -> str:
        return f"Head({self.status}, {self.headers!r}, {self.url!r})"

    def lacks(self, names: frozenset[str]) -> bool:
        """True when it has none of these fields. `names` are lower case."""
        return names.isdisjoint(self.fields)

    def all(self, name: str) -> tuple[str, ...]:
        """Each value of the field, unjoined: for fields whose duplicates must be seen. `name` is lower case."""
        if name not in self.fields:
            return ()
        return tuple([value for other, value in self.headers if other == name])


@dataclass(frozen=True)
class Source:
    """A URL that serves the file."""

    #: It may hold a password, so it is not shown.
    url: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How one download is carried out. Everything has the default that a person at a shell would want."""

    #: Connections at most: a ceiling, not an order.
    max_connections: int = DEFAULT_MAX_CONNECTIONS
    #: Least size of a segment, bytes.
    min_segment: int = DEFAULT_MIN_SEGMENT
    #: Header fields to send, as pairs or a dict; to the source's own origin only, but for harmless ones.
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    #: ``user:password``; sent to the source's own origin only.
    credentials: str | None = field(default=None, repr=False)
    #: Cookie header content, ``a=b; c=d``; sent to the source's own origin only.
    cookies: str | None = field(default=None, repr=False)
    #: A Netscape cookie file to read.
    cookie_file: Path | None = None
    #: Log in with what ``~/.netrc`` says.
    netrc: bool = False
    #: Log in with what this file says, written like ``.netrc``.
    netrc_file: Path | None = None
    #: Proxy URL; None takes the environment's, an empty string means none.
    proxy: str | None = field(default=None, repr=False)
    #: Trust the certificates in this file (PEM).
    ca_file: Path | None = None
    #: Do not check certificates.
    insecure: bool = False
    #: Seconds to connect in.
    connect_timeout: float = 30.0
    #: Seconds of silence after which a transfer loses its remainder and its connection.
    stall_timeout: float = 30.0
    #: Attempts in a row without a single new byte before giving up.
    max_tries: int = 20
    #: Seconds the whole download may take; None for no limit.
    deadline: float | None = None
    #: User-Agent to send instead of Penstock's own.
    user_agent: str | None = None
    #: Referer to send.
    referer: str | None = None
    #: 4 or 6 to use only that family, None for both.
    ip_version: int | None = None
    #: "1.0", "1.1", "2" or "3".
    http_version: str = "1.1"
    #: Redirects to follow at most.
    max_redirects: int = 20
    #: Refuse a body larger than this many bytes.
    max_size: int | None = None
    #: What to do when the target is already there; the policy's name (``"skip"``) will do as well.
    if_exists: IfExists = IfExists.ERROR
    #: Set the target's modification time from Last-Modified.
    remote_time: bool = True
    #: Continue old bytes although nothing proves that they are of the same file.
    resume_unsafe: bool = False
    #: Continue a part file that came from another URL, when a strong ETag and the length agree.
    adopt: bool = False
    #: Follow a redirect from https to http.
    allow_downgrade: bool = False
    #: Connect to addresses of the public internet only; through a proxy, which connects by itself, follow no redirect
    #: to a host that is private as it is written.
    public_only: bool = False
    #: Files smaller than this many bytes are not wanted.
    min_size: int | None = None
    #: Media types that are wanted (none: any); globs such as ``image/*``.
    accept_types: tuple[str, ...] = ()
    #: Media types that are not wanted; globs too.
    reject_types: tuple[str, ...] = ()
    #: Globs on names and paths that are wanted whatever `accept_types` says.
    accept_names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller asks for: one or more sources of the same bytes, where to put them, and how."""

    #: Where it may be had, tried in turn.
    sources: tuple[Source, ...]
    #: Where the target goes; made if need be.
    directory: Path = Path()
    #: Target file as the caller named it, relative to `directory` unless absolute; None: decide from the answer.
    output: Path | None = None
    #: The digest that the file must have; None: none is known.
    checksum: Digest | None = None
    #: Length that it must have, bytes; None: any.
    size: int | None = None
    #: Compute the file's SHA-256 for the result, although nothing is compared with it.
    sha256: bool = False
    #: How it is carried out.
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, kw_only=True)
class Result:
    """A finished download."""

    #: The target.
    path: Path
    #: Bytes of it.
    size: int
    #: The source asked for, without credentials.
    url: str
    #: Where redirects led, without credentials.
    final_url: str
    #: The digest that was checked, or None when there was none to check.
    digest: Digest | None = None
    #: Who expected that digest: ``request``, or ``server``, which proves that nothing was lost, not who made the file.
    digest_source: str | None = None
    #: The file's SHA-256, where the request wanted it.
    sha256: Digest | None = None
    #: What the server gave to tell this version of the file.
    validator: Validator | None = None
    #: What the server says it is, as in ``application/zip``.
    media_type: str | None = None
    #: The file's modification time, nanoseconds since the epoch, where it is known without looking.
    mtime_ns: int | None = None
    #: Seconds from start to target.
    elapsed: float = 0.0
    #: Bytes received in this run, waste included.
    fetched: int = 0
    #: Bytes that an earlier run had left on disk and this one kept.
    resumed: int = 0
    #: Most connections at one time.
    connections: int = 0
    #: True when the target was already there and the policy was to leave it.
    skipped: bool = False


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a download would do, found out without doing it. Sizes are bytes, URLs without credentials.

    `action` is ``fetch``; or ``resume``, keeping `kept` bytes of an earlier run; ``restart``, dropping them, for the
    reason `why`; ``finish``, for all bytes are there; ``skip``, for the target is there and is left as it is.
    """

    action: str
    url: str
    #: Where redirects led; None when the server need not be asked.
    final_url: str | None = None
    path: Path
    length: int | None = None
    #: None when the server need not be asked, and when it had no reason to tell: it sends the whole of a changed file.
    accepts_ranges: bool | None = None
    validator: Validator | None = None
    media_type: str | None = None
    kept: int = 0
    why: str = ""
    #: Something is at `path`. It would be replaced, unless it is left or is the very file.
    exists: bool = False
    #: The digest that the request expects, and the one that the server vouches for.
    checksum: Digest | None = None
    digest: Digest | None = None

    @property
    def replaces(self) -> bool:
        """True when what is at `path` would be replaced."""
        return self.exists and self.action != "skip" and self.final_url is not None


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document read into memory, and where it came from after redirects."""

    url: str
    content: bytes
    media_type: str | None = None
    #: The charset that HTTP said, as it said it.
    charset: str | None = None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How a batch ended, in files of its list."""

    #: Files of the list.
    total: int = 0
    #: Files that are there.
    done: int = 0
    #: Those of them that were there before this run.
    skipped: int = 0
    #: Files that are not there.
    failed: int = 0
    #: Files that were not come to.
    pending: int = 0
    #: Lines that could not be used.
    rejected: int = 0
    #: Bytes that this run fetched.
    size: int = 0
    #: Seconds that it took.
    elapsed: float = 0.0
    #: The most frequent (origin, reason, count) of what failed, most first.
    failures: tuple[tuple[str, str, int], ...] = ()
