"""Many files of one origin into a memory file system, over HTTP/1.1 and HTTP/2.

All files of every run are compared by one digest over their names and bytes.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable
from pathlib import Path

from tests.servers.nginx import Nginx

from bench.fetching import entry_of
from bench.peers import Command, Files, Peer
from bench.process import run
from bench.results import Case, Job, Row, Sample
from bench.rounds import Entry, RoundFailedError, play, sample_of
from bench.stage import Stage, clean, say
from bench.targets import RIVALS

_ABOUT = (
    "Files from nginx into a memory file system, so that making them does not drown the rest{disk}. HTTP/2 is over "
    "TLS. Penstock keeps its manifest, as it does by default. *bare loop* is libcurl driven from Python without files, "
    "digests or checks: the limit."
)
_COLUMNS = ("wall", "our wall", "user a file", "system a file", "memory")
#: Files under way at once.
AT_ONCE = 50
_BARE = "bare loop"
#: A program's text: libcurl driven from Python and nothing else. `keep(curl)` is called with what came, in `curl.body`.
LOOP = """
import sys
import pycurl
def fetch(urls, at_once, keep):
    multi, left, handles = pycurl.CurlMulti(), iter(urls), [pycurl.Curl() for _ in range(at_once)]
    def begin(curl):
        curl.url = next(left, None)
        if curl.url is None:
            return 0
        curl.setopt(pycurl.URL, curl.url)
        curl.body = []
        curl.setopt(pycurl.WRITEFUNCTION, curl.body.append)
        multi.add_handle(curl)
        return 1
    running = sum(map(begin, handles))
    while running:
        multi.perform()
        more = 1
        while more:
            more, good, bad = multi.info_read()
            assert not bad
            for curl in good:
                multi.remove_handle(curl)
                keep(curl)
                running += begin(curl) - 1
        multi.select(1.0)
"""
_BARE_LOOP = f"{LOOP}fetch(open(sys.argv[1]).read().split(), {AT_ONCE}, lambda curl: None)"


def measure(stage: Stage) -> Job:
    """Small and larger files, both protocols; then on the disk too, when one was named."""
    scale = stage.scale
    sizes = (("small", scale.small_files, scale.small_kib), ("middle", scale.middle_files, scale.middle_kib))
    cases = []
    for key, count, kib in sizes:
        with stage.nginx(where=stage.memory) as server:
            names = make_files(server.root, count, kib)
            digest = digest_of(server.root)
            for version in (1, 2):
                title = f"{count:,} × {kib:,} KiB, HTTP/{'1.1' if version == 1 else '2'}"
                say(f"d: {title}")
                case = _case(stage, server, names, digest, version, stage.memory)
                cases.append(Case(f"d-{key}-{version}", title, _COLUMNS, case, {"files": float(count)}))
            if stage.small_files_too is not None:
                rows = _case(stage, server, names, digest, 1, stage.small_files_too)
                title = f"{count:,} × {kib:,} KiB onto the disk, HTTP/1.1"
                cases.append(Case(f"d-{key}-disk", title, _COLUMNS, rows, {"files": float(count)}))
    disk = " (and onto a disk)" if stage.small_files_too else ""
    return Job("d", "Many files", _ABOUT.format(disk=disk), tuple(cases))


def _case(stage: Stage, server: Nginx, names: list[str], digest: str, version: int, where: Path) -> tuple[Row, ...]:
    with stage.folder(where) as folder:
        tls = version == 2
        authority = server.ca_file if tls else None
        files = Files(server.url("", tls=tls), names, folder / "out", folder / "lists", AT_ONCE, authority)
        files.write_lists()
        programs = entries(stage, files, lambda: digest_of(files.directory) == digest, RIVALS["d"])
        if not tls:
            programs.append(_bare_loop(stage, files))
        return play(programs)


def entries(stage: Stage, files: Files, is_right: Callable[[], bool], rivals: tuple[str, ...]) -> list[Entry]:
    """Every program with its command for the files."""

    def entry(peer: Peer) -> Entry:
        def step(command: Command) -> Callable[[], Sample]:
            return lambda: fetched(command, files, is_right, stage.scale.timeout)

        return entry_of(stage, peer, peer.many(files), step, rivals=rivals, names=names_of(files))

    return [entry(peer) for peer in stage.peers]


def fetched(command: Command, files: Files, is_right: Callable[[], bool], timeout: float) -> Sample:
    """Fetch them into an empty directory, look at what came, empty it again."""
    clean(files.directory)
    for left in files.directory.parent.glob(f"{files.directory.name}.penstock*"):
        left.unlink()
    try:
        sample = sample_of(run(command.words, timeout=timeout, environment=command.environment), timeout)
        if not is_right():
            raise RoundFailedError("WRONG BYTES")
        return sample
    finally:
        clean(files.directory)


def names_of(files: Files) -> dict[str, str]:
    """What stands for this machine's places in a command that is shown."""
    return {
        str(files.urls): "URLS", str(files.name_list): "NAMES", str(files.curl_config): "URLS-AND-OUTPUTS",
        str(files.directory): "DIR", files.base: "BASE/", str(files.authority or ""): "CERTIFICATE",
        str(Path(__file__).resolve().parent.parent): "bench",
    }  # fmt: skip


def _bare_loop(stage: Stage, files: Files) -> Entry:
    command = Command((sys.executable, "-c", _BARE_LOOP, str(files.urls)))
    return Entry(
        _BARE,
        lambda: sample_of(run(command.words, timeout=stage.scale.timeout), stage.scale.timeout),
        stage.scale.rounds,
        command="python bench/jobs/many.py's loop over pycurl",
    )


def make_files(folder: Path, count: int, kib: int) -> list[str]:
    """So many files of different bytes; returns their names."""
    source = random.Random(1)
    block = source.randbytes(kib << 10)
    names = [f"{number:06}.bin" for number in range(count)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(number.to_bytes(8, "big") + block[8:])
    return names


def digest_of(directory: Path) -> str:
    """One digest over the names and bytes of the files in a directory."""
    whole = hashlib.sha256()
    for path in sorted(directory.glob("*.bin")):
        whole.update(path.name.encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()
