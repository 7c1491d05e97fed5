"""Many small files from nginx over loopback: wall and CPU time of each program, paired round by round.

python -m bench.small_files [--files 10000] [--size 16] [--rounds 5] [--dir DIR] [--disk DIR]

The size is in KiB. Files go into a memory file system (/dev/shm), where making them does not drown the rest; with
--disk into that directory as well. "bare loop" is libcurl driven from Python without files or checks: the limit. All
files of every run are compared by one digest over their names and bytes. Ratios are of medians within this run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.servers.nginx import start_nginx

from bench.harness import Run, middle, rounds, run, table

_AT_ONCE = 50
_BARE_LOOP = """
import sys
import pycurl
urls = open(sys.argv[1]).read().split()
multi, left, free = pycurl.CurlMulti(), iter(urls), [pycurl.Curl() for _ in range(50)]
def begin(curl):
    url = next(left, None)
    if url is None:
        return 0
    curl.setopt(pycurl.URL, url)
    curl.body = []
    curl.setopt(pycurl.WRITEFUNCTION, curl.body.append)
    multi.add_handle(curl)
    return 1
running = sum(map(begin, free))
while running:
    multi.perform()
    more = 1
    while more:
        more, good, bad = multi.info_read()
        assert not bad
        for curl in good:
            multi.remove_handle(curl)
            running += begin(curl) - 1
    multi.select(1.0)
"""


def digest_of(directory: Path) -> str:
    """One digest over the names and bytes of the files in a directory."""
    whole = hashlib.sha256()
    for path in sorted(directory.glob("*.bin")):
        whole.update(path.name.encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def commands(home: Path, urls: list[str], target: Path) -> dict[str, list[str] | None]:
    """Each program with the flags that serve it best."""
    (home / "list").write_text("\n".join(urls) + "\n")
    lines = (f'url = "{url}"\noutput = "{target / url.rpartition("/")[2]}"\n' for url in urls)
    (home / "curl.cfg").write_text("".join(lines))
    (home / "bare.py").write_text(_BARE_LOOP)
    many = ["-q", "-i", str(home / "list"), "-d", str(target), "-j", str(_AT_ONCE), "--per-host", str(_AT_ONCE)]
    base = [sys.executable, "-m", "penstock", "get", "--no-config", *many]
    curl, aria2 = shutil.which("curl"), shutil.which("aria2c")
    return {
        "penstock": [*base, "--manifest", str(target.parent / "manifest")],
        "penstock --no-manifest": [*base, "--no-manifest"],
        "curl -Z": None
        if curl is None
        else [curl, "-sZ", "--parallel-max", str(_AT_ONCE), "--config", str(home / "curl.cfg")],
        "aria2c -j16": None
        if aria2 is None
        else [aria2, "--no-conf", "-q", "-j16", "-i", str(home / "list"), "-d", str(target)],
        "bare loop": [sys.executable, str(home / "bare.py"), str(home / "list")],
    }


def step(name: str, command: list[str] | None, target: Path, digest: str) -> Callable[[], Run | None]:
    """A round's step: into an empty directory, every byte compared."""

    def fetch() -> Run | None:
        if command is None:
            return None
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for left in target.parent.glob("manifest*"):
            left.unlink()
        outcome = run(command)
        if outcome.code or (name != "bare loop" and digest_of(target) != digest):
            raise SystemExit(f"{name}: exit {outcome.code}, or wrong bytes")
        return outcome

    return fetch


def measure(home: Path, urls: list[str], where: Path, digest: str, count: int) -> dict[str, list[Run]]:
    """The rounds, in one place."""
    with tempfile.TemporaryDirectory(dir=where) as folder:
        target = Path(folder) / "out"
        programs = commands(home, urls, target)
        return rounds({name: step(name, command, target, digest) for name, command in programs.items()}, count)


def show(results: dict[str, list[Run]], files: int) -> None:
    """Print a table of medians and ratios."""
    curl = middle(r.wall for r in results["curl -Z"]) if results["curl -Z"] else None
    aria2 = middle(r.wall for r in results["aria2c -j16"]) if results["aria2c -j16"] else None
    rows = []
    for name, runs in results.items():
        if not runs:
            rows.append([name, "not installed", "", "", "", ""])
            continue
        wall, user, system = (middle(getattr(r, part) for r in runs) for part in ("wall", "user", "system"))
        rows.append([
            name, f"{wall:.2f}", f"{wall / curl:.2f}" if curl else "", f"{wall / aria2:.2f}" if aria2 else "",
            f"{user / files * 1e6:.0f}", f"{system / files * 1e6:.0f}",
        ])  # fmt: skip
    print(table(["program", "wall, s", "/ curl -Z", "/ aria2", "user µs a file", "system µs a file"], rows))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dir", type=Path, default=Path("/dev/shm"))
    parser.add_argument("--disk", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = start_nginx(home / "nginx", home / "root", extra="keepalive_requests 1000000; access_log off;")
        try:
            source = random.Random(1)
            for number in range(options.files):
                (server.root / f"{number:06}.bin").write_bytes(source.randbytes(options.size * 1024))
            digest = digest_of(server.root)
            urls = [server.url(f"{number:06}.bin") for number in range(options.files)]
            for where in filter(None, (options.dir, options.disk)):
                print(f"\n{options.files} files of {options.size} KiB into {where}, {os.cpu_count()} cores\n")
                show(measure(home, urls, where, digest, options.rounds), options.files)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
