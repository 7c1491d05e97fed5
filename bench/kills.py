"""Kill -9 at random instants, run the same command again, compare every byte.

python -m bench.kills [--kills 20] [--size 256] [--rate 50] [--connections 4] [--seed 1] [--dir DIR]

A file of `size` MiB comes at `rate` MB/s in all. Every round begins in a fresh directory: start, kill at a random
instant, run the same command to its end, compare the digest. In three rounds of ten the resumed command is killed too.
What a kill cost is counted at the server: the bytes it sent, less those that the journal then vouched for. That counts
too much rather than too little, as it includes bytes that were still on their way.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.servers.content import Content
from tests.servers.fault import FaultServer

from bench.page.columns import table
from bench.peers.programs import penstock
from bench.process import sha256

MB = 1_000_000
#: What a resume may fetch again.
ALLOWED = 64 << 20
_KILL_AGAIN = 0.3
_LAST_RUN_SECONDS = 300


@dataclass(frozen=True)
class Attempt:
    """One run of the command: seconds until it was killed (None when it ended by itself), and what it brought."""

    killed_at: float | None
    #: Bytes the journal vouched for before.
    had: int
    #: Bytes the server sent.
    fetched: int
    #: Bytes vouched for after it; the whole size when it ended well.
    has: int
    ended_well: bool

    @property
    def lost(self) -> int:
        """Bytes that the next run has to fetch again, or that this one fetched twice."""
        return max(0, self.fetched - (self.has - self.had))


def journaled(output: Path) -> int:
    """Bytes that the journal vouches for; 0 when there is none."""
    try:
        body = output.with_name(output.name + ".part.journal").read_bytes().partition(b"\n")[2]
    except FileNotFoundError:
        return 0
    return sum(stop - start for start, stop in json.loads(body)["done"])


def attempt(server: FaultServer, command: list[str], output: Path, size: int, seconds: float | None) -> Attempt:
    """Run the command; kill it after `seconds`, or let it come to its end."""
    had, sent = journaled(output), server.bytes_sent
    process = subprocess.Popen(command)
    killed_at = None
    try:
        process.wait(_LAST_RUN_SECONDS if seconds is None else seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        if seconds is None:
            raise
        killed_at = seconds
    server.wait_for(lambda: server.live == 0)  # now its count stands still
    has = size if output.exists() else journaled(output)
    return Attempt(killed_at, had, server.bytes_sent - sent, has, process.returncode == 0)


def main() -> None:
    """Kill, resume, compare; print a table and a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", default=None, help="where the files go; a temporary directory by default")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    content = Content(options.size << 20)
    whole = content.size / MB / options.rate
    kills, wrong, downloads = 0, 0, 0
    losses: list[int] = []
    rows: list[list[str]] = []
    with FaultServer() as server:
        server.rates = [options.rate * MB / options.connections]
        url = server.serve("/file.bin", content)
        while kills < options.kills:
            downloads += 1
            with tempfile.TemporaryDirectory(dir=options.dir) as folder:
                output = Path(folder) / "file.bin"
                command = penstock(url, output, options.connections)
                instants = [dice.uniform(0.05, whole)]
                if dice.random() < _KILL_AGAIN:
                    instants.append(dice.uniform(0.05, whole / 2))
                attempts = [
                    attempt(server, command, output, content.size, instant)
                    for instant in [*instants, None]
                    if not output.exists()  # a kill may come too late
                ]
                right = output.exists() and sha256(output) == content.sha256
            kills += sum(each.killed_at is not None for each in attempts)
            wrong += not right
            losses.extend(each.lost for each in attempts)
            rows.extend(row(downloads, each) for each in attempts)
            print(f"download {downloads}, kill {kills}: {'right' if right else 'WRONG'}", flush=True)
    print(table(["download", "killed after s", "had MB", "fetched MB", "has MB", "to fetch again MiB"], rows))
    print(
        f"{kills} kills over {downloads} downloads: {wrong} wrong files; "
        f"at most {max(losses) / 2**20:.1f} MiB fetched again after one"
    )
    if wrong or max(losses) > ALLOWED:
        raise SystemExit(1)


def row(download: int, each: Attempt) -> list[str]:
    """One attempt's line."""
    end = "ended well" if each.ended_well else "failed"
    at = end if each.killed_at is None else f"{each.killed_at:.2f}"
    counts = [f"{count / MB:.1f}" for count in (each.had, each.fetched, each.has)]
    return [str(download), at, *counts, f"{each.lost / 2**20:.1f}"]


if __name__ == "__main__":
    main()
