"""What a start costs: a one-byte file from nginx and ``--version``, beside bare Python."""

from __future__ import annotations

import subprocess
import sys

from bench.fetching import entries
from bench.peers import File
from bench.process import run, sha256
from bench.results import Case, Job, Sample
from bench.rounds import Entry, RoundFailedError, play, sample_of
from bench.stage import Stage, say

_ABOUT = (
    "A file of one byte from nginx over loopback, each program as a whole process, its start included. "
    "`penstock --version` must import neither pycurl nor rich: it imports {imported}."
)
_COLUMNS = ("wall ms", "over bare ms", "cpu ms")
#: What ``--version`` has no use for.
_HEAVY = {"pycurl", "rich"}
_CONNECTIONS = 8


def measure(stage: Stage) -> Job:
    """All programs, bare Python and ``--version``."""
    rounds = stage.scale.startup_rounds
    imported = imported_by_version()
    with stage.nginx(where=stage.memory) as server, stage.folder(stage.memory) as folder:
        say("e: a one-byte file")
        source = server.root / "one.bin"
        source.write_bytes(b"x")
        file = File(server.url("one.bin"), folder / "out" / "one.bin", 1, _CONNECTIONS, sha256=sha256(source))
        programs = entries(stage, file)
        programs[0].rounds = rounds
        version = (sys.executable, "-m", "penstock", "--version")
        own = [
            _own("penstock --version", version, rounds, persists=True),
            _own("bare Python", (sys.executable, "-c", "pass"), rounds, persists=True),
        ]
        if imported:
            own[0].step, own[0].note = None, f"imports {', '.join(imported)}"
        rows = play([*programs, *own], warm_up=2)
    about = _ABOUT.format(imported="**" + ", ".join(imported) + "**" if imported else "neither")
    return Job("e", "Start-up", about, (Case("e", "One byte", _COLUMNS, rows),))


def _own(name: str, words: tuple[str, ...], rounds: int, *, persists: bool) -> Entry:
    def step() -> Sample:
        return sample_of(run(words), 120)

    return Entry(name, step, rounds, command=" ".join(["python", *words[1:]]), persists=persists)


def imported_by_version() -> list[str]:
    """Which of the heavy modules ``--version`` imports."""
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "penstock", "--version"], capture_output=True, text=True, check=False
    )
    if seen.returncode:
        raise RoundFailedError("penstock --version failed")
    names = {line.rpartition("|")[2].strip() for line in seen.stderr.splitlines()}
    return sorted(names & _HEAVY)
