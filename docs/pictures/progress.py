"""Take the pictures of the progress display: real downloads from a local server, in a real terminal.

    python -m docs.pictures.progress [NAME]...         # needs tmux; writes docs/pictures/progress-NAME.svg

The server is on the loopback address; in the pictures `https://dl.example.org`, which is as long, stands in its place,
in the text that was captured. Nothing else is changed. Links are uneven on purpose, as in `bench`.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.cli.tmux import Tmux
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

from docs.pictures.svg import picture

_MB = 1_000_000
_SHOWN = "https://dl.example.org"
_NAME = "debian-13.1.0-amd64-netinst.iso"
_IMAGE = Content(100 * _MB, seed=7)
_RATES = [4 * _MB, 4 * _MB, 4 * _MB, 0.2 * _MB]
_FILES = 500
#: The end of a live line.
_LIVE = re.compile(r"\d:\d\d +\d+x$", re.MULTILINE)

Scene = Callable[[FaultServer, Path, Path], tuple[str, int, str]]


def one(server: FaultServer, directory: Path, programs: Path) -> tuple[str, int, str]:
    """One file, half way, on 80 columns."""
    server.rates = _RATES
    url = server.serve(f"/iso/{_NAME}", _IMAGE)
    with Tmux(80, 24, directory, programs) as terminal:
        terminal.type(f"penstock {url}")
        terminal.wait_for(lambda screen: _done(screen) > 0.6)
        return terminal.screen(colours=True), 80, "one file over uneven connections"


def many(server: FaultServer, directory: Path, programs: Path, columns: int = 80) -> tuple[str, int, str]:
    """500 files of all sizes, some of which are not there."""
    _serve_photos(server, directory)
    with Tmux(columns, 24, directory, programs) as terminal:
        terminal.type("penstock -i photos.txt -d photos")
        terminal.wait_for(lambda screen: _files(screen) > 180 and len(_LIVE.findall(screen)) >= 4)
        return terminal.screen(colours=True), columns, f"500 files on {columns} columns"


def narrow(server: FaultServer, directory: Path, programs: Path) -> tuple[str, int, str]:
    """The same on 40 columns."""
    return many(server, directory, programs, 40)


def finished(server: FaultServer, directory: Path, programs: Path) -> tuple[str, int, str]:
    """A whole run, checked."""
    server.rates = _RATES
    url = server.serve(f"/iso/{_NAME}", _IMAGE)
    with Tmux(80, 24, directory, programs) as terminal:
        terminal.type(f"penstock --checksum sha-256:{_IMAGE.sha256} {url}")
        terminal.wait_for(_is_back)
        return terminal.screen(colours=True), 80, "a finished download, checked by its SHA-256"


def interrupted(server: FaultServer, directory: Path, programs: Path) -> tuple[str, int, str]:
    """Ctrl-C, and the same command again."""
    server.rates = _RATES
    url = server.serve(f"/iso/{_NAME}", _IMAGE)
    with Tmux(80, 24, directory, programs) as terminal:
        terminal.type(f"penstock {url}")
        terminal.wait_for(lambda screen: _done(screen) > 0.5)
        terminal.press("C-c")
        terminal.wait_for(_is_back)
        terminal.type(f"penstock {url}")
        terminal.wait_for(lambda screen: _done(screen) > 0.75 and _LIVE.search(screen) is not None)
        return terminal.screen(colours=True), 80, "an interrupted download, and the same command again"


_SCENES: Final[dict[str, Scene]] = {
    "one": one,
    "many": many,
    "narrow": narrow,
    "finished": finished,
    "interrupted": interrupted,
}


def _serve_photos(server: FaultServer, directory: Path) -> None:
    urls = []
    for number in range(1, _FILES + 1):
        path = f"/photos/IMG_{2000 + number}.jpg" if number % 40 else f"/photos/VID_{2000 + number}.mp4"
        size = 300_000 + number * 7919 % 900_000 if number % 40 else 50 * _MB
        urls.append(server.url(path) if number in {31, 112} else server.serve(path, Content(size, seed=number)))
    (directory / "photos.txt").write_text("\n".join(urls))

    def script(request: Request, reply: Reply) -> None:
        reply.rate = 1.6 * _MB if ".mp4" in request.path else 4 * _MB

    server.script = script


def _done(screen: str) -> float:
    """The part of the file that is there, by the last line."""
    found = re.findall(r"([\d.]+)/([\d.]+) MiB", screen)
    return float(found[-1][0]) / float(found[-1][1]) if found else 0.0


def _files(screen: str) -> int:
    found = re.findall(rf"(\d+)/{_FILES} ", screen)
    return int(found[-1]) if found else 0


def _is_back(screen: str) -> bool:
    """True when the shell asks for the next command."""
    return screen.endswith("\n$")


def _take(name: str) -> None:
    with FaultServer() as server, tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "work").mkdir()
        screen, columns, title = _SCENES[name](server, here / "work", here / "bin")
        assert len(server.url("")) == len(_SHOWN)
        screen = re.sub(r"\n\$ *\Z", "", screen.replace(server.url(""), _SHOWN))
    target = Path(__file__).parent / f"progress-{name}.svg"
    target.write_text(picture(screen, columns, f"penstock: {title}"), encoding="utf-8")
    print(target)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or _SCENES:
        _take(chosen)
