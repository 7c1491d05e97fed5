"""A list as long as you like against a server of tiny answers: is memory flat, is the end as fast as the beginning?"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from bench.results import Case, Row, Sample
from bench.stage import Stage, say
from bench.targets import OURS

_EXTRA = """
keepalive_requests 10000000; access_log off;
location /status { stub_status; }
location /t/ { default_type text/plain; return 200 "0123456789abcdef"; }
"""
_LOOK_EVERY = 0.1
#: Moment in seconds, requests so far, resident bytes.
Look = tuple[float, int, int]


def million(stage: Stage) -> Case:
    """Run it once, ours alone: what the others do with such a list ends in hours or in no memory."""
    count = stage.scale.urls
    say(f"f: {count:,} URLs")
    with stage.nginx(extra=_EXTRA) as server, tempfile.TemporaryDirectory(dir=stage.memory) as target:
        manifest = Path(target) / "manifest"
        command = [
            sys.executable, "-m", "penstock", "get", "--no-config", "-q", "-i", "-", "-d", f"{target}/out",
            "--template", "{path}/{name}", "-j", "50", "--per-host", "50", "--manifest", str(manifest),
        ]  # fmt: skip
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        feeder = threading.Thread(target=feed, args=(process, server.url(""), count), daemon=True)
        feeder.start()
        looks: list[Look] = []
        while process.poll() is None:
            looks.append((time.monotonic() - began, served(server.url("status")), peak_of(process)))
            time.sleep(_LOOK_EVERY)
        elapsed = time.monotonic() - began
        counted = subprocess.run(
            [sys.executable, "-m", "penstock", "status", str(manifest)], capture_output=True, text=True, check=False
        )
        right = process.returncode == 0 and f"{count:,} done" in counted.stdout
    row = Row(OURS, (sample(looks, count, elapsed),), "" if right else "NOT ALL DONE", "penstock get -q -i - -d DIR …")
    return Case("f-million", f"{count:,} URLs", ("memory", "wall", "first", "last"), (row,), {"files": float(count)})


def feed(process: subprocess.Popen[bytes], prefix: str, count: int) -> None:
    """Write the list into the pipe; a thousand files in each folder."""
    assert process.stdin is not None
    for start in range(0, count, 1000):
        lines = (f"{prefix}t/{start // 1000:05}/{number:03}.txt\n" for number in range(min(1000, count - start)))
        process.stdin.write("".join(lines).encode())
    process.stdin.close()


def peak_of(process: subprocess.Popen[bytes]) -> int:
    """The most that was resident so far, in bytes; 0 once it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) * 1024 if found else 0


def served(status_url: str) -> int:
    """Requests so far."""
    with urllib.request.urlopen(status_url) as answer:
        return int(answer.read().split()[9])


def sample(looks: list[Look], count: int, elapsed: float) -> Sample:
    """The peak of memory, and the pace at both ends in files per second."""

    def when(files: int) -> float:
        return next((at for at, done, _ in looks if done >= files), elapsed)

    first, last = when(count // 10) - when(1), elapsed - when(count * 9 // 10)
    return {
        "memory": float(max(peak for _, _, peak in looks)),
        "wall": elapsed,
        "first": count / 10 / max(first, _LOOK_EVERY),
        "last": count / 10 / max(last, _LOOK_EVERY),
    }
