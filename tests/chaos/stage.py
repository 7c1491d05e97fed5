"""What is killed, and what loses its power: a server, the command, a file, a list; and what must come of them."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.zygote import Zygote
from tests.conftest import sha256
from tests.servers.content import Content
from tests.servers.fault import FaultServer

#: The single file: large enough for some twenty checkpoints under `zygote.SMALL`.
FILE_BYTES: Final = 300_000
#: Bytes per second over all connections.
RATE: Final = 6_000_000
CONNECTIONS: Final = 4
MANIFEST: Final = "d.penstock"


class Stage:
    """A server and a zygote, and folders that are used once; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = FaultServer()
        self.zygote = Zygote(folder / "zygote")
        #: A function of `tests.chaos.spoilt` that breaks every run of a kill.
        self.spoil: str | None = None
        self._folders = itertools.count(1)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.zygote.__exit__()
        self.server.close()

    def fresh(self) -> Path:
        """A path at which nothing is, to work in."""
        return self.folder / f"{next(self._folders)}"

    def made(self) -> Path:
        """A new folder to work in."""
        path = self.fresh()
        path.mkdir()
        return path

    def at_rest(self) -> None:
        """Wait until the server has noticed that the last run is gone: now its counts stand still."""
        self.server.wait_for(lambda: self.server.live == 0)


@dataclass(frozen=True)
class Single:
    """One file over several connections, into ``d/file.bin``."""

    url: str
    content: Content
    options: tuple[str, ...] = ()

    @property
    def args(self) -> list[str]:
        """The command."""
        pace = ["-x", str(CONNECTIONS), "--min-segment", "16K"]
        return [self.url, "-d", "d", "-o", "file.bin", *pace, *self.options]


@dataclass(frozen=True)
class Many:
    """A list of files of mixed sizes, into folders below ``d``, with a manifest."""

    contents: dict[str, Content]
    options: tuple[str, ...] = ()

    @property
    def args(self) -> list[str]:
        """The command."""
        pace = ["-x", str(CONNECTIONS), "--min-segment", "16K", "-j", "8", "--per-host", "8"]
        return ["-i", "list", "-d", "d", "--template", "{path}/{name}", *pace, *self.options]


def single(stage: Stage, *options: str, size: int = FILE_BYTES, seed: int = 0, etag: str = '"1"') -> Single:
    """Serve one file, at `RATE`."""
    content = Content(size, seed)
    stage.server.rates = [RATE / CONNECTIONS]
    return Single(stage.server.serve("/file.bin", content, etag=etag), content, options)


def many(stage: Stage, folder: Path, *options: str, count: int = 24, folders: int = 6) -> Many:
    """Serve files of 0 to 60 kB and write their list into `folder`; most are small, some go by part and journal."""
    contents = {}
    stage.server.rates = []
    for number in range(count):
        path = f"f{number % folders}/{number:03}.bin"
        size = (0, 1, 900, 5_000, 16_000, 3_000, 60_000, 12_345)[number % 8]
        contents[path] = Content(size, seed=number % 5)
        stage.server.serve(f"/{path}", contents[path])
    (folder / "list").write_text("".join(f"{stage.server.url('/' + path)}\n" for path in contents))
    return Many(contents, options)


def wrong_files(folder: Path, contents: dict[str, Content]) -> list[str]:
    """Which of the finished files below `folder` are missing or have other bytes than they should."""
    wrong = []
    for path, content in contents.items():
        if not (folder / path).is_file():
            wrong.append(f"{path} is missing")
        elif sha256(folder / path) != content.sha256:
            wrong.append(f"{path} has wrong bytes")
    return wrong


def leftovers(folder: Path) -> list[str]:
    """Parts and journals that nobody needs any more."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.part*"))


def rows(manifest: Path) -> list[tuple[str, int, int | None, int | None]]:
    """(target, state, size, mtime) of each row; none when there is no manifest, or only its beginning."""
    if not manifest.exists():
        return []
    db = sqlite3.connect(manifest)
    try:
        return db.execute("SELECT target, state, size, mtime FROM file").fetchall()
    except sqlite3.OperationalError:  # the tables are not there yet
        return []
    finally:
        db.close()


def done(manifest: Path) -> set[str]:
    """The targets of the rows that are done."""
    return {target for target, state, *_ in rows(manifest) if state == 1}


def digest(blocks: Iterable[bytes]) -> str:
    """Hexadecimal SHA-256 of `blocks`."""
    running = hashlib.sha256()
    for block in blocks:
        running.update(block)
    return running.hexdigest()
