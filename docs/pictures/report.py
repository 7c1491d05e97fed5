"""Take the pictures of the report: real runs against a local server, opened in headless Chromium.

    python -m docs.pictures.report         # needs chromium; writes docs/pictures/report*.png and report-text.svg

The runs go over links of 4, 4, 4 and 0.2 MB/s in turn, of which one goes silent, and over a list of small files from
two hosts. The servers are on the loopback address; in the pictures `https://dl.example.org` and `https://cdn.example.net`
stand in their places, in the traces before they are read. Nothing else is changed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser.chromium import chromium
from tests.browser.views import Theme, view
from tests.cli.command import environment
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

from docs.pictures.svg import picture

_MB = 1_000_000
_RATES = (4 * _MB, 4 * _MB, 4 * _MB, 0.2 * _MB)
_SILENT = 5
_FILES = 600


def _shaped(request: Request, reply: Reply) -> None:
    reply.rate = _RATES[(request.connection - 1) % len(_RATES)]
    if request.connection == _SILENT:
        reply.stall_after = 2 * _MB


def _uneven(request: Request, reply: Reply) -> None:
    """A host with an answer of its own pace to each path."""
    reply.delay = 0.02 + (sum(request.path.encode()) % 7) * 0.02
    if request.path.endswith("7.jpg") and len(request.path) % 2:
        reply.become(404)


def _slow(_request: Request, reply: Reply) -> None:
    reply.delay = 0.3


def _run(home: Path, *arguments: str) -> Path:
    """The trace of one run."""
    trace = home / "run.json"
    command = [sys.executable, "-m", "penstock", "-q", "-d", str(home / "data"), "--trace", str(trace), *arguments]
    subprocess.run(command, env=environment(), check=False, capture_output=True)
    return trace


def _renamed(trace: Path, names: dict[str, str]) -> None:
    text = trace.read_text(encoding="ascii")
    for shown, name in names.items():
        text = text.replace(shown, name)
    trace.write_text(text, encoding="ascii")


def one_file(home: Path) -> Path:
    """The report of one file over links that are not alike."""
    with FaultServer() as server:
        server.script = _shaped
        url = server.serve("/iso/debian-13.1.0-amd64-netinst.iso", Content(100 * _MB, seed=7))
        trace = _run(home, url)
        _renamed(trace, {server.url(""): "https://dl.example.org"})
    return trace


def many_files(home: Path) -> Path:
    """The report of a list from a quick host and a slow one."""
    with FaultServer() as quick, FaultServer() as slow:
        quick.script, slow.script = _uneven, _slow
        urls = [quick.serve(f"/photos/{number}.jpg", Content(20_000 + number * 100)) for number in range(_FILES)]
        urls += [slow.serve(f"/thumbs/{number}.jpg", Content(30_000)) for number in range(_FILES // 4)]
        listed = home / "photos.txt"
        listed.write_text("\n".join(urls))
        trace = _run(home, "-i", str(listed))
        _renamed(trace, {quick.url(""): "https://dl.example.org", slow.url(""): "https://cdn.example.net"})
    return trace


def _report(trace: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "penstock", "report", str(trace), *arguments]
    done = subprocess.run(command, env=environment(COLUMNS="80"), check=True, capture_output=True, text=True)
    return done.stdout


def main() -> None:
    """Make all of them."""
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        home = Path(folder)
        trace = one_file(home)
        page = home / "report.html"
        _report(trace, "-o", str(page))
        windows: tuple[tuple[str, int, Theme], ...] = (
            ("report", 1100, "light"), ("report-dark", 1100, "dark"), ("report-phone", 390, "light"),
        )  # fmt: skip
        for name, width, theme in windows:
            with view(browser, page, width, theme) as opened:
                opened.page.screenshot(path=here / f"{name}.png", full_page=name != "report-phone")
                if name == "report":
                    for tab in ("Connections", "Bytes"):
                        opened.page.get_by_role("tab", name=tab).click()
                        opened.page.screenshot(path=here / f"report-{tab.lower()}.png", full_page=True)
        text = f"$ penstock report run.json --format text\n{_report(trace, '--format', 'text')}"
        (here / "report-text.svg").write_text(picture(text, 80, "a report as text"), encoding="utf-8")
        trace = many_files(home)
        _report(trace, "-o", str(page))
        with view(browser, page, 1100, "light") as opened:
            opened.page.screenshot(path=here / "report-list.png", full_page=True)


if __name__ == "__main__":
    main()
