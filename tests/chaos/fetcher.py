"""The process that the soak watches: it carries out one batch after another and says what it holds on to.

    python -m tests.chaos.fetcher

Each line of its input is a JSON object: `rows` (a file of JSON lines), `directory`, `manifest`, `seconds` (after which
the batch is cancelled). Each line of its output: the summary, and the threads and descriptors that are left over.
"""

from __future__ import annotations

import concurrent.futures
import gc
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import penstock
from penstock.core.digests import parse_checksum
from penstock.core.rows import Row

#: The hosts of this soak restart, stall and trickle: little patience with a silence, much with failures.
OPTIONS: dict[str, Any] = {"stall_timeout": 2.0, "connect_timeout": 2.0, "max_tries": 8, "max_connections": 4}


def rows(path: Path) -> Iterator[Row]:
    """The list."""
    with path.open() as file:
        for number, line in enumerate(file, 1):
            fields = json.loads(line)
            checksum = parse_checksum(fields["sha256"]) if "sha256" in fields else None
            yield Row((fields["url"],), number, output=fields["name"], checksum=checksum, size=fields.get("size"))


def descriptors() -> list[str]:
    """What this process has open, where the system tells."""
    found = []
    for number in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []:
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:  # the one that listed them
            continue
    return sorted(found)


def carry_out(job: dict[str, Any]) -> dict[str, Any]:
    """One batch; how it ended."""
    before = descriptors()
    with penstock.Downloader(max_files=32, per_host=12, **OPTIONS) as downloader:
        future = downloader.submit_many(
            rows(Path(job["rows"])), directory=job["directory"], manifest=job["manifest"], if_exists="error"
        )
        try:
            concurrent.futures.wait([future], job["seconds"])
        finally:
            downloader.close(cancel=True)
        summary = future.result()
    gc.collect()
    left = descriptors()
    for name in before:
        if name in left:
            left.remove(name)
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("penstock")]
    return {**vars(summary), "threads": threads, "descriptors": left}


def main() -> None:
    """Do as told, until nobody says anything more."""
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line)), default=str), flush=True)


if __name__ == "__main__":
    main()
