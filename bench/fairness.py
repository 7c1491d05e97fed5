"""Three origins, one healthy, one silent, one that answers 429 with Retry-After: does the healthy one suffer?

python -m bench.fairness [--rounds 3] [--files 400]

The healthy server sends 64 KiB files at a rate that makes its share take about ten seconds. Alone and mixed runs take
turns; what counts is when the last healthy file was there, by its time of change. Prints the ratio of the medians.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

from bench.figures import middle

_SIZE = 64 * 1024


def healthy(_request: Request, reply: Reply) -> None:
    """Eight connections of it bring about 40 files a second."""
    reply.rate = 5.2 * _SIZE


def silent(_request: Request, reply: Reply) -> None:
    """Accept and say nothing."""
    reply.silent = True


def busy(_request: Request, reply: Reply) -> None:
    """Too many requests."""
    reply.become(429, {"Retry-After": "5"})


def fetch(urls: list[str], expected: int) -> float:
    """Seconds from the start of the process until the last healthy file is there."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "list").write_text("\n".join(urls))
        command = [
            sys.executable,
            "-m",
            "penstock",
            "get",
            "--no-config",
            "-q",
            "-i",
            "list",
            "-d",
            "out",
            "--no-remote-time",
        ]
        began = time.time()
        process = subprocess.Popen(command, cwd=folder)
        out = Path(folder) / "out"
        while process.poll() is None and (not out.exists() or sum(1 for _ in out.glob("h*.bin")) < expected):
            time.sleep(0.05)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait()
        times = [path.stat().st_ctime for path in out.glob("h*.bin")]
        if len(times) != expected:
            raise SystemExit(f"{len(times)} of {expected} files")
        return max(times) - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=400)
    options = parser.parse_args()
    with FaultServer() as good, FaultServer() as stalling, FaultServer() as refusing:
        good.script, stalling.script, refusing.script = healthy, silent, busy
        alone = [good.serve(f"/h{number}.bin", Content(_SIZE, seed=number)) for number in range(options.files)]
        others = [
            [server.serve(f"/{number}", Content(10)) for number in range(options.files)]
            for server in (stalling, refusing)
        ]
        mixed = [url for three in zip(alone, *others, strict=True) for url in three]
        times: dict[str, list[float]] = {"alone": [], "mixed": []}
        for _ in range(options.rounds):
            times["alone"].append(fetch(alone, options.files))
            times["mixed"].append(fetch(mixed, options.files))
        first, second = middle(times["alone"]), middle(times["mixed"])
        print(f"alone {first:.2f} s, beside the others {second:.2f} s: {second / first:.3f} of it")


if __name__ == "__main__":
    main()
