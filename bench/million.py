"""A list as long as you like against a server of tiny answers: is memory flat, and is the end as fast as the beginning?

python -m bench.million [--urls 1000000] [--dir DIR]

The list is made as it is read, through a pipe. Memory is that of the process (VmRSS), sampled twice a second; files are
counted by nginx. Every row must be done in the manifest. Exits 1 when one is not.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from tests.servers.nginx import start_nginx

_EXTRA = """
keepalive_requests 10000000; access_log off;
location /status { stub_status; }
location /t/ { default_type text/plain; return 200 "0123456789abcdef"; }
"""


def feed(process: subprocess.Popen[bytes], prefix: str, count: int) -> None:
    """Write the list into the pipe; a thousand files in each folder."""
    assert process.stdin is not None
    for start in range(0, count, 1000):
        lines = (f"{prefix}t/{start // 1000:05}/{number:03}.txt\n" for number in range(min(1000, count - start)))
        process.stdin.write("".join(lines).encode())
    process.stdin.close()


def memory_of(process: subprocess.Popen[bytes]) -> int:
    """Resident bytes; 0 once it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) * 1024 if found else 0


def served(status_url: str) -> int:
    """Requests so far."""
    with urllib.request.urlopen(status_url) as answer:
        return int(answer.read().split()[9])


def main() -> None:
    """Run it once and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--dir", type=Path, default=Path("/dev/shm"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory(dir=options.dir) as target:
        server = start_nginx(Path(home) / "nginx", Path(home) / "root", extra=_EXTRA)
        try:
            manifest = Path(target) / "manifest"
            command = [
                sys.executable, "-m", "penstock", "get", "--no-config", "-q", "-i", "-", "-d", f"{target}/out",
                "--template", "{path}/{name}", "-j", "50", "--per-host", "50", "--manifest", str(manifest),
            ]  # fmt: skip
            began = time.monotonic()
            process = subprocess.Popen(command, stdin=subprocess.PIPE)
            feeder = threading.Thread(target=feed, args=(process, server.url(""), options.urls))
            feeder.start()
            samples: list[tuple[float, int, int]] = []
            while process.poll() is None:
                samples.append((time.monotonic() - began, served(server.url("status")), memory_of(process)))
                time.sleep(0.5)
            feeder.join()
            report(samples, options.urls, time.monotonic() - began)
            counted = subprocess.run(
                [sys.executable, "-m", "penstock", "status", str(manifest)], capture_output=True, text=True, check=True
            )
            print(counted.stdout.strip())
            if process.returncode or f"{options.urls:,} done" not in counted.stdout:
                raise SystemExit(1)
        finally:
            server.stop()


def report(samples: list[tuple[float, int, int]], count: int, elapsed: float) -> None:
    """Print the peak of memory, and the pace at both ends."""

    def when(files: int) -> float:
        return next((at for at, done, _ in samples if done >= files), elapsed)

    first, last = when(count // 10) - when(1), elapsed - when(count * 9 // 10)
    peak = max(memory for _, _, memory in samples)
    half = [memory for at, _, memory in samples if at > elapsed / 2]
    print(f"{count:,} files in {elapsed:.0f} s ({count / elapsed:,.0f} a second)")
    print(f"memory: peak {peak / 2**20:.0f} MiB, at most {max(half) / 2**20:.0f} MiB in the second half")
    print(f"pace: first tenth {count / 10 / first:,.0f} a second, last tenth {count / 10 / last:,.0f} a second")


if __name__ == "__main__":
    main()
