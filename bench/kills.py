"""Kill -9 at random instants, run the same command again, compare every byte.

python -m bench.kills [--kills 20] [--size 256] [--rate 50] [--seed 1]

A file of `size` MiB comes at about `rate` MB/s in all, over 4 connections. Each download is killed again and again at
random instants until it is through; then the next one begins, until there were enough kills. What each resume fetched
again is counted at the server: the bytes it sent, less those that the file still lacked by the last journal.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers.content import Content
from tests.servers.fault import FaultServer

from bench.harness import penstock, sha256

MB = 1_000_000
_CONNECTIONS = 4


def journaled(output: Path) -> int:
    """Bytes that the journal vouches for."""
    try:
        body = output.with_name(output.name + ".part.journal").read_bytes().partition(b"\n")[2]
    except FileNotFoundError:
        return 0
    return sum(stop - start for start, stop in json.loads(body)["done"])


def main() -> None:
    """Kill, resume, compare; print a line a kill and a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    content = Content(options.size << 20)
    kills, rounds, worst, wrong = 0, 0, 0, 0
    with FaultServer() as server, tempfile.TemporaryDirectory() as folder:
        server.rates = [options.rate * MB / _CONNECTIONS]
        url = server.serve("/file.bin", content)
        while kills < options.kills:
            rounds += 1
            output = Path(folder) / f"{rounds}.bin"
            through = False
            while not through:
                had, sent = journaled(output), server.bytes_sent
                process = subprocess.Popen(penstock(url, output, _CONNECTIONS), stderr=sys.stderr)
                instant = dice.uniform(0.2, 1.1 * options.size * 1.048576 / options.rate)
                try:
                    through = process.wait(instant if kills < options.kills else None) == 0
                except subprocess.TimeoutExpired:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    kills += 1
                fetched = server.bytes_sent - sent
                have = content.size if through else journaled(output)
                again = max(0, fetched - (have - had))
                worst = max(worst, again)
                end = "through" if through else f"kill {kills}"
                print(
                    f"{end}: had {had / MB:.1f} MB, fetched {fetched / MB:.1f} MB, "
                    f"has {have / MB:.1f} MB, lost {again / MB:.1f} MB",
                    flush=True,
                )
            wrong += sha256(output) != content.sha256
            output.unlink()
    print(f"{kills} kills over {rounds} downloads: {wrong} wrong files; at most {worst / 2**20:.1f} MiB fetched twice")
    if wrong or worst > 64 << 20:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
