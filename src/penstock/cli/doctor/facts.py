"""What is gathered. Sizes are bytes, times seconds unless their name says otherwise; None is unknown or unlimited."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Software:
    """What runs. `packages` are versions by name, None for what is not installed."""

    penstock: str
    python: str
    system: str
    sqlite: str
    packages: dict[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Transport:
    """libcurl. `error` says why it cannot be used; `parts` are its libraries with their versions."""

    error: str | None = None
    pycurl: str = ""
    libcurl: str = ""
    tls: str = ""
    parts: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The proxy of `scheme`, and what named it: a variable or a file. `url` is without credentials."""

    scheme: str
    url: str
    source: str
    is_supported: bool = True


@dataclass(frozen=True, kw_only=True)
class Network:
    """The way out. `bypass` is no_proxy's value; `ignored` are variables that other programs read."""

    proxies: tuple[Proxy, ...] = ()
    bypass: str | None = None
    ignored: tuple[str, ...] = ()
    #: The CA certificates, what named their file, and why it cannot be used.
    authorities: str
    authorities_source: str
    certificates: int = 0
    authorities_error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the system grants. `connections` are those that the open files are enough for, of those `wanted`."""

    open_files: int | None = None
    open_files_hard: int | None = None
    connections: int
    connections_wanted: int
    file_size: int | None = None
    address_space: int | None = None
    memory: int | None = None
    processors: int = 1
    processors_allowed: int = 1


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Seconds since 1970, and the zone as in ``+01:00``."""

    unix: float
    zone: str


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """Where progress is shown. `colour` is None for none."""

    is_terminal: bool
    columns: int
    lines: int
    kind: str
    colour: str | None
    encoding: str


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The configuration file, and the keys that it sets."""

    path: str
    is_there: bool = False
    keys: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The target directory, and what its file system can do; each was tried, None: cannot be tried here.

    `tried_in` is the nearest directory around it that is there already.
    """

    directory: str
    tried_in: str
    error: str | None = None
    file_system: str | None = None
    free: int | None = None
    size: int | None = None
    free_inodes: int | None = None
    inodes: int | None = None
    reserves_space: bool | None = None
    has_unnamed_files: bool | None = None
    has_hard_links: bool | None = None
    has_sparse_files: bool | None = None
    has_locks: bool | None = None
    tells_case: bool | None = None
    longest_name: int | None = None
    sync_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything."""

    software: Software
    transport: Transport
    network: Network
    limits: Limits
    clock: Clock
    terminal: Terminal
    configuration: Configuration
    disk: Disk
