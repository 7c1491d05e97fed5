"""Peak resident memory: of a file much larger than memory should ever see, and of a list without an end in sight."""

from __future__ import annotations

from bench.fetching import entries
from bench.jobs.million import million
from bench.peers import File
from bench.process import sha256
from bench.results import Case, Job
from bench.rounds import play
from bench.stage import Stage, say
from bench.targets import OURS

_ABOUT = (
    "Peak resident memory of the process. The large file has holes on the server's side, so only the client's disk is "
    "filled. A peak below about 9 MiB cannot be seen on Linux: that is what starts the programs. The list is made as "
    "it is read, through a pipe; its files are of 16 bytes and go into a memory file system."
)
_COLUMNS = ("memory", "wall")
_OUR_ROUNDS = 3


def measure(stage: Stage) -> Job:
    """Both."""
    return Job("f", "Memory", _ABOUT, (_large(stage), million(stage)))


def _large(stage: Stage) -> Case:
    scale = stage.scale
    title = f"{scale.memory_mib:,} MiB over {scale.memory_connections} connections"
    say(f"f: {title}")
    with stage.nginx() as server, stage.folder() as folder:
        source, size = server.root / "file.bin", scale.memory_mib << 20
        with source.open("wb") as holes:
            holes.truncate(size)
        url, output = server.url("file.bin"), folder / "out" / "file.bin"
        programs = entries(stage, File(url, output, size, scale.memory_connections, sha256=sha256(source)))
        for each in programs:
            each.rounds = _OUR_ROUNDS if each.program == OURS else 1
        return Case("f-large", title, _COLUMNS, play(programs, warm_up=0))
