"""Where jobs find what they share: sizes, programs, folders, and a server."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.nginx import Nginx, start_nginx

from bench.peers import PEERS, Peer
from bench.scale import Scale
from bench.targets import OURS

#: Connections are kept and nothing is logged, so that the server costs little.
QUIET = "keepalive_requests 10000000; access_log off;"


@dataclass(frozen=True)
class Stage:
    """Given to every job. `disk` is a folder for large files, `memory` one in a memory file system."""

    scale: Scale
    disk: Path
    memory: Path
    #: Where small files go besides, if anywhere.
    small_files_too: Path | None
    #: Who takes part, by name; "" stands for all.
    programs: tuple[str, ...] = ()

    @property
    def peers(self) -> list[Peer]:
        """Who takes part."""
        return [peer for peer in PEERS if not self.programs or peer.name in (OURS, *self.programs)]

    def rounds_of(self, program: str, rivals: tuple[str, ...]) -> int:
        """More for us and for those that a target is about."""
        return self.scale.rounds if program == OURS or program in rivals else self.scale.other_rounds

    @contextlib.contextmanager
    def folder(self, where: Path | None = None) -> Iterator[Path]:
        """A folder that is gone afterwards; on the disk unless told otherwise."""
        with tempfile.TemporaryDirectory(dir=where or self.disk, prefix="penstock-bench-") as name:
            yield Path(name)

    @contextlib.contextmanager
    def nginx(self, *, where: Path | None = None, extra: str = QUIET, http: str = "") -> Iterator[Nginx]:
        """A server over its own folder."""
        with self.folder(where) as home:
            server = start_nginx(home / "nginx", home / "root", extra=extra, http=http)
            try:
                yield server
            finally:
                server.stop()


def shared_memory() -> Path:
    """A folder in memory, or the one for what is temporary where there is none."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() else Path(tempfile.gettempdir())


def say(text: str) -> None:
    """Tell whoever waits what is going on."""
    print(text, file=sys.stderr, flush=True)


def make_file(path: Path, mebibytes: int) -> int:
    """A file that no compression or hole makes easier; returns its bytes."""
    block = random.Random(1).randbytes(1 << 20)
    with path.open("wb") as file:
        for number in range(mebibytes):
            file.write(number.to_bytes(8, "big") + block[8:])
    return mebibytes << 20


def sync(folder: Path) -> None:
    """Write what lies in the folder to the disk."""
    for path in folder.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())


def clean(folder: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
