"""Does one file cost the same among a thousand and among a hundred thousand, one byte over 1 and over 256 connections?

All files are one file under many names, so that the server's side stays small.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from bench import fetching
from bench.jobs import many
from bench.peers import File, Files
from bench.process import run, sha256
from bench.results import Case, Job, Row
from bench.rounds import Entry, play
from bench.stage import QUIET, Stage, make_file, say
from bench.targets import OURS

_ABOUT = (
    "What one more costs: processor time a file of {kib} KiB (into a memory file system) as the list grows, and a GiB "
    "as the allowed connections grow. *Growth* is the cost over that of the program's first row: 1 is flat. "
    "Connections are earned, so Penstock uses no more of those allowed than make it faster."
)
_COLUMNS = ("wall", "cpu", "unit", "growth", "memory")
_KIB = 16
_AT_ONCE = 50
#: Beside ours, for scale.
_BESIDE_FILES, _BESIDE_CONNECTIONS = "curl", "aria2"
_EXTRA = QUIET + " location /g/ { rewrite ^ /one.bin break; }"


def measure(stage: Stage) -> Job:
    """Files, then connections."""
    return Job("i", "Growth", _ABOUT.format(kib=_KIB), (_files(stage), _connections(stage)))


def _files(stage: Stage) -> Case:
    rows: list[Row] = []
    block = random.Random(2).randbytes(_KIB << 10)
    with stage.nginx(where=stage.memory, extra=_EXTRA) as server:
        (server.root / "one.bin").write_bytes(block)
        for count in stage.scale.growth_files:
            say(f"i: {count:,} files")
            names = [f"{number:06}.bin" for number in range(count)]
            with stage.folder(stage.memory) as folder:
                files = Files(server.url("g/"), names, folder / "out", folder / "lists", _AT_ONCE)
                files.write_lists()
                digest = digest_of(names, block)

                def is_right(files: Files = files, digest: str = digest) -> bool:
                    return many.digest_of(files.directory) == digest

                programs = many.entries(stage, files, is_right, rivals=())
                rows.extend(_played(stage, programs, _BESIDE_FILES, count, f"{count:,} files", 1e6 / count))
    return Case("i-files", "Processor time a file, µs", _COLUMNS, tuple(rows))


def _connections(stage: Stage) -> Case:
    rows: list[Row] = []
    with stage.nginx() as server, stage.folder() as folder:
        source = server.root / "file.bin"
        size = make_file(source, stage.scale.large_mib)
        file = File(server.url("file.bin"), folder / "out" / "file.bin", size, sha256=sha256(source))
        run(["cat", str(source)])
        for count in stage.scale.growth_connections:
            say(f"i: {count} connections")
            programs = fetching.entries(stage, fetching.over(file, count))
            rows.extend(_played(stage, programs, _BESIDE_CONNECTIONS, count, f"{count} connections", (1 << 30) / size))
    return Case("i-connections", "Processor time a GiB, s", _COLUMNS, tuple(rows))


def _played(stage: Stage, programs: list[Entry], beside: str, count: int, words: str, per_unit: float) -> Iterator[Row]:
    """Ours and the one beside it, each row with its count and what a unit cost."""
    chosen = [each for each in programs if each.program in (OURS, beside) and each.step is not None]
    for each in chosen:
        each.rounds = stage.scale.growth_rounds
    for row in play(chosen, warm_up=0):
        samples = tuple(
            each | {"count": float(count), "unit": each["cpu"] * per_unit} if each else each for each in row.samples
        )
        yield Row(f"{row.program}, {words}", samples, row.note, row.command)


def digest_of(names: list[str], block: bytes) -> str:
    """What `bench.jobs.many.digest_of` says of a directory with these names, all of the same bytes."""
    whole = hashlib.sha256()
    for name in sorted(names):
        whole.update(name.encode())
        whole.update(block)
    return whole.hexdigest()
