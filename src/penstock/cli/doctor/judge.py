"""What the facts mean: what is wrong, and what to do about it. Touches nothing: facts in, findings out."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Final, NamedTuple

from penstock.cli.doctor.facts import Configuration, Disk, Facts, Limits, Network, Software, Terminal, Transport
from penstock.core import words
from penstock.core.naming import MAX_NAME_BYTES
from penstock.net.proxies import SCHEMES

#: ``UPDATE ... FROM`` came with it (sqlite.org/lang_update.html).
OLDEST_SQLITE: Final = (3, 33)
#: No clock is right that is before this, seconds: 2025-01-01.
EARLIEST: Final = 1_735_689_600.0
#: Bytes below which a download is likely to fill a disk, or memory.
LITTLE_SPACE: Final = 256 * 1024 * 1024
LITTLE_MEMORY: Final = 128 * 1024 * 1024
LITTLE_ADDRESS_SPACE: Final = 1024 * 1024 * 1024
FEW_INODES: Final = 1000
#: Milliseconds from which on every small file is felt to wait for the disk.
SLOW_SYNC_MS: Final = 200.0
#: A working file's suffix needs so many bytes behind the longest name that is given: ``.part.journal~``.
SUFFIX_BYTES: Final = 14
#: Enough for all connections, and for what else a process has open.
ENOUGH_FILES: Final = 4096
#: File systems that hold no file of 4 GiB.
_SMALL_FILES: Final = frozenset({"vfat", "msdos"})


class Level(enum.Enum):
    """How bad it is."""

    #: Something will fail, or go much slower than it need.
    PROBLEM = "problem"
    #: Good to know.
    NOTE = "note"


class Finding(NamedTuple):
    """Something about `about`, a label of the report: `what` it is, and `todo`, what to do about it."""

    level: Level
    about: str
    what: str
    todo: str


def judge(facts: Facts) -> list[Finding]:
    """What is wrong, and what is good to know."""
    return [
        *_software(facts.software),
        *_transport(facts.transport),
        *_network(facts.network),
        *_limits(facts.limits),
        *_clock(facts.clock.unix),
        *_terminal(facts.terminal),
        *_configuration(facts.configuration),
        *_disk(facts.disk),
    ]


def _problem(about: str, what: str, todo: str) -> Finding:
    return Finding(Level.PROBLEM, about, what, todo)


def _note(about: str, what: str, todo: str) -> Finding:
    return Finding(Level.NOTE, about, what, todo)


def _software(software: Software) -> Iterator[Finding]:
    for name, version in software.packages.items():
        if version is None:
            yield _problem("packages", f"{name} is not installed", f"pip install {name}")
    sqlite = tuple(int(part) for part in software.sqlite.split(".")[:2] if part.isdigit())
    if sqlite < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        yield _problem("sqlite", f"lists need SQLite {needed}, this is {software.sqlite}", "use a newer Python")


def _transport(transport: Transport) -> Iterator[Finding]:
    reinstall = "pip install --force-reinstall --only-binary :all: pycurl"
    if transport.error is not None:
        yield _problem("libcurl", f"pycurl cannot be imported ({transport.error})", reinstall)
        return
    for scheme in ("http", "https"):
        if scheme not in transport.protocols:
            yield _problem("protocols", f"libcurl does not speak {scheme}", reinstall)
    if "asynchronous DNS" not in transport.features:
        yield _problem("features", "looking a name up holds every transfer up", reinstall)
    if "large files" not in transport.features:
        yield _problem("features", "files beyond 2 GiB cannot be fetched", reinstall)
    if "HTTP/2" not in transport.features:
        yield _note("features", "without HTTP/2 each file of a list takes a connection of its own", reinstall)


def _network(network: Network) -> Iterator[Finding]:
    for proxy in network.proxies:
        if not proxy.is_supported:
            yield _problem(
                "proxies", f"{proxy.source}: {proxy.url} is of no known kind", f"use one of {', '.join(SCHEMES)}"
            )
    if network.authorities_error is not None:
        repair = "pip install --force-reinstall certifi" if network.authorities_source == "certifi" else "mend cacert"
        yield _problem("certificates", f"{network.authorities}: {network.authorities_error}", repair)
    if "HTTP_PROXY" in network.ignored:
        yield _note("proxies", "HTTP_PROXY is not read: in a CGI program a client sets it", "set http_proxy")
    if others := [name for name in network.ignored if name != "HTTP_PROXY"]:
        what = f"{', '.join(others)}: set for other programs, and not read"
        yield _note("certificates", what, 'give --cacert FILE, or cacert = "FILE" in config.toml')


def _limits(limits: Limits) -> Iterator[Finding]:
    if limits.connections < limits.connections_wanted:
        hard = limits.open_files_hard
        files = ENOUGH_FILES if hard is None else min(hard, ENOUGH_FILES)
        what = (
            f"open files are limited to {limits.open_files}, enough for {limits.connections} connections of "
            f"{limits.connections_wanted}"
        )
        can_raise = limits.open_files is not None and files > limits.open_files
        yield _problem(
            "open files", what, f"ulimit -n {files}" if can_raise else "let an administrator raise the limit"
        )
    if limits.file_size is not None:
        what = f"no file may be larger than {words.size(limits.file_size)}"
        yield _problem("file size", what, "ulimit -f unlimited")
    if limits.address_space is not None and limits.address_space < LITTLE_ADDRESS_SPACE:
        what = f"the address space is limited to {words.size(limits.address_space)}"
        yield _problem("address space", what, "ulimit -v unlimited, or ask for less at once with -j")
    if limits.memory is not None and limits.memory < LITTLE_MEMORY:
        what = f"the container has only {words.size(limits.memory)} of memory"
        yield _problem("memory", what, "give it more, or ask for less at once with -j")


def _clock(unix: float) -> Iterator[Finding]:
    if unix < EARLIEST:
        yield _problem("clock", "it is years behind, so certificates seem invalid", "set the clock")


def _terminal(terminal: Terminal) -> Iterator[Finding]:
    if terminal.encoding.lower().replace("-", "") != "utf8":
        what = f"{terminal.encoding} cannot show every name; the rest are shown as escapes"
        yield _note("encoding", what, "export LC_ALL=C.UTF-8")
    if terminal.is_terminal and terminal.kind in {"dumb", "unknown"}:
        yield _note("terminal", f"TERM is {terminal.kind}: progress is plain lines", "export TERM=xterm-256color")


def _configuration(configuration: Configuration) -> Iterator[Finding]:
    if configuration.error is not None:
        yield _problem("configuration", configuration.error, "mend the file, or give --no-config")


def _disk(disk: Disk) -> Iterator[Finding]:
    elsewhere = "choose another directory with -d"
    if disk.error is not None:
        yield _problem("directory", f"{disk.tried_in}: no file can be made there ({disk.error})", elsewhere)
    if disk.free is not None and disk.free < LITTLE_SPACE:
        yield _problem("free space", f"only {words.size(disk.free)} are free", f"make room, or {elsewhere}")
    if disk.inodes and disk.free_inodes is not None and disk.free_inodes < FEW_INODES:
        what = f"only {disk.free_inodes:,} more files can be made"
        yield _problem("inodes", what, f"delete files, or {elsewhere}")
    if disk.file_system in _SMALL_FILES:
        yield _note("file system", f"{disk.file_system} holds no file of 4 GiB or more", elsewhere)
    needed = MAX_NAME_BYTES + SUFFIX_BYTES
    if disk.longest_name is not None and disk.longest_name < needed:
        what = f"names longer than {disk.longest_name - SUFFIX_BYTES} bytes cannot be made"
        yield _problem("longest name", what, "give long-named files another name with -o or --template")
    if disk.has_locks is False:
        what = "two runs with one target are not kept apart"
        yield _problem("locks", what, f"run one at a time, or {elsewhere}")
    if disk.has_hard_links is False:
        what = "without hard links a file that appears at the last moment may be replaced"
        yield _note("hard links", what, "let no other program write there meanwhile")
    if disk.sync_ms is not None and disk.sync_ms > SLOW_SYNC_MS:
        what = f"a sync takes {disk.sync_ms:.0f} ms, which lists of small files wait for"
        yield _note("sync", what, "a local disk is quicker: -d DIR")
