"""A small internet for documents: every host that a page names is a server on this machine, and has every file.

`Stage` runs the code of one page as a reader would: in a directory of its own, with `penstock` and `python3` on the
path and a home without configuration. Hosts in the code are replaced by local servers, proxies by local proxies.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.cli.command import environment
from tests.conftest import sha256
from tests.docs.blocks import Block, Promise
from tests.servers.content import Content
from tests.servers.fault import FaultServer, File, Reply, Request
from tests.servers.proxy import Proxy
from tests.servers.replies import correct_reply

SECONDS: Final = 60
#: Large enough that there is time to interrupt it at the rate that the pages set; bytes.
LARGE: Final = 6_000_000
SMALL: Final = 150_000
_LARGE_NAMES: Final = (".iso", ".tar.xz")
#: So much has come when a download is interrupted; bytes.
_BEGUN: Final = 1_500_000
_HOST: Final = re.compile(r"https://([a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:org|com|net))(?![\w.-])")
_HEX: Final = re.compile(r"\b[0-9a-f]{64}\b")
#: A digest that is meant to be wrong.
_WRONG: Final = "0" * 60
_KINDS: Final = {".jpg": "image/jpeg", ".png": "image/png", ".pdf": "application/pdf", ".html": "text/html"}
_GALLERY: Final = b"""<html><body><img src="cat.jpg"><img src="dog.jpg"><img src="spacer.png">
<a href="notes.pdf">Notes</a> <a href="more.html">More</a></body></html>"""
_PAGES: Final = {
    "gallery.html": _GALLERY,
    "more.html": b'<html><body><img src="bird.jpg"></body></html>',
    "table.csv": b"name,size\na,1\nb,2\n",
}


def content(name: str) -> Content:
    """What every host serves under this name."""
    size = LARGE if name.endswith(_LARGE_NAMES) else 1_000 if name.startswith("spacer") else SMALL
    return Content(size, zlib.crc32(name.encode()))


def digest(name: str) -> str:
    """Its SHA-256, hexadecimal."""
    return hashlib.sha256(_PAGES[name]).hexdigest() if name in _PAGES else content(name).sha256


class Stage:
    """The directory and the servers of one page; close it when done."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._open = contextlib.ExitStack()
        self._servers: dict[str, FaultServer] = {}
        self._count = 0
        self.directory = self._fresh()
        self._tools = home / "bin"
        self._tools.mkdir()
        for name, module in (("penstock", "-m penstock"), ("python3", "")):
            tool = self._tools / name
            tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
            tool.chmod(0o755)

    def close(self) -> None:
        """End the servers; raise what went wrong in them."""
        self._open.close()
        for server in self._servers.values():
            if server.errors:
                raise server.errors[0]

    # Running code

    def run_shell(self, block: Block) -> str:
        """Run a block of commands, see that it keeps its promise, and return what it printed."""
        promise = block.promise
        if promise.is_fresh:
            self.directory = self._fresh()
        with self._proxies(promise) as proxies:
            code = self._localised(block.code, promise, proxies)
            before = {server: len(server.log) for server in self._servers.values()}
            process = self._begin(["sh", "-e", "-c", code])
            if promise.is_interrupted:
                self._interrupt(process, block, before)
            printed, _ = process.communicate(timeout=SECONDS)
            self._judge(promise, process.returncode, printed)
            asked = sum(len(server.log) - before.get(server, 0) for server in self._servers.values())
            seen = sum(len(proxy.seen) for proxy in proxies.values())
            if promise.proxy:
                assert seen, "nothing came through the proxy"
            if promise.avoids_proxies:
                assert asked, "nothing was asked for"
                assert not seen, "it came through the proxy"
        return printed

    def run_python(self, block: Block) -> str:
        """Run a program in an empty directory, see that it ends well, and return what it printed.

        What it saved must have the bytes of one of the files that it names; one whose files are not all missing must
        save something.
        """
        self.directory = self._fresh()
        process = self._begin([sys.executable, "-c", self._localised(block.code, block.promise, {})])
        printed, _ = process.communicate(timeout=SECONDS)
        self._judge(block.promise, process.returncode, printed)
        saved = [path for path in self.directory.rglob("*") if path.is_file() and path.suffix != ".penstock"]
        urls = re.findall(r"https://[^\"\s]+", block.code)
        names = {url.rpartition("/")[2] for url in urls} | {f"{letter}.csv" for letter in "abc"}
        assert {sha256(path) for path in saved} <= {digest(name) for name in names}, saved
        assert saved or all("missing" in url for url in urls), "nothing was saved"
        return printed

    def _begin(self, command: list[str]) -> subprocess.Popen[str]:
        kept = {name: value for name, value in environment().items() if not name.lower().endswith("_proxy")}
        return subprocess.Popen(
            command,
            cwd=self.directory,
            env={**kept, "PATH": f"{self._tools}{os.pathsep}{kept['PATH']}", "HOME": str(self._home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _interrupt(self, process: subprocess.Popen[str], block: Block, before: dict[FaultServer, int]) -> None:
        """Press Ctrl-C once enough has come: the terminal sends it to the whole group."""
        host = _HOST.search(block.code)
        assert host is not None, "there is nothing to interrupt"
        server = self._server(host[1])
        first = before.get(server, 0)
        server.wait_for(lambda: sum(request.sent for request in server.log[first:]) >= _BEGUN)
        os.killpg(process.pid, signal.SIGINT)

    def _judge(self, promise: Promise, code: int, printed: str) -> None:
        # a shell that a signal ended is a negative number here, and 128 and the signal's to another shell
        assert (128 - code if code < 0 else code) == promise.code, printed
        for text in promise.prints:
            assert text in printed, printed
        for path in promise.leaves:
            assert (self.directory / path).exists(), f"{path} is not there: {printed}"
        for path in promise.lacks:
            assert not (self.directory / path).exists(), f"{path} is there: {printed}"
        for path, name in promise.saves.items():
            assert (self.directory / path).exists(), f"{path} is not there: {printed}"
            assert sha256(self.directory / path) == digest(Path(name).name), f"{path} has other bytes"

    def _fresh(self) -> Path:
        self._count += 1
        directory = self._home / f"work{self._count}"
        directory.mkdir()
        return directory

    # The small internet

    def _localised(self, code: str, promise: Promise, proxies: dict[str, Proxy]) -> str:
        """The code with hosts, proxies and digests of this stage."""
        local = _HOST.sub(lambda match: self._server(match[1]).url("").rstrip("/"), code)
        for place, proxy in proxies.items():
            local = local.replace(place, f"127.0.0.1:{proxy.port}")
        if promise.digest_of:
            known = digest(promise.digest_of)
            local = _HEX.sub(lambda match: match[0] if match[0].startswith(_WRONG) else known, local)
        return local

    def _server(self, host: str) -> FaultServer:
        if host not in self._servers:
            server = self._servers[host] = self._open.enter_context(FaultServer())
            server.script = _answer
        return self._servers[host]

    @contextlib.contextmanager
    def _proxies(self, promise: Promise) -> Iterator[dict[str, Proxy]]:
        """The proxies that the page names, by their places there; what a block does not name it does not use."""
        place, *login = promise.proxy or ("127.0.0.1:1080",)
        kind = "socks5h" if place.endswith(":1080") else "http"
        with Proxy(kind, user=login[0] if login else None) as proxy:
            yield {place: proxy}


def _answer(request: Request, reply: Reply) -> None:
    """Any file, by the last part of its path; nothing below or called "missing"."""
    name = request.path.partition("?")[0].rpartition("/")[2]
    if name == "robots.txt" or "missing" in request.path:
        return
    kind = _KINDS.get(Path(name).suffix, "application/octet-stream")
    if name in _PAGES:
        reply.become(200, {"Content-Type": kind, "ETag": '"1"'}, _PAGES[name])
        return
    served = content(name)
    vars(reply).update(vars(correct_reply(request, File(served, etag=f'"{served.seed}"', content_type=kind))))
