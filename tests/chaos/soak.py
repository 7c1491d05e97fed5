"""Soak: thousands of files from servers that reset, stall, trickle, lie, limit and restart at random; nothing is lost.

    python -m tests.chaos.soak [--seconds 300] [--seed 1] [--files 2000] [--largest 4194304] [--wildness 0.15]

Rounds of `files` files are fetched by one process (`tests/chaos/fetcher.py`) until the time is up. A round runs its
list through `Unruly` servers until every row is done or its share of the time is over, then once more through sound
ones. After every run: each row has exactly one state, as many as there were lines; every file that has its name has
its digest; no thread, descriptor or connection is left. Over all rounds memory stays flat. Exit code 1 when not.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

from penstock.store.records import Records
from tests.chaos.unruly import Item, Known, Restarting, Unruly
from tests.conftest import sha256
from tests.servers.content import Content
from tests.servers.fault import FaultServer

SERVERS: Final = 3
#: Different contents: each costs 1 MiB of memory here.
_SEEDS: Final = 16
#: Seconds between restarts of each server.
_RESTART_SECONDS: Final = 6.0
#: Seconds that a run through sound servers may take.
_CALM_SECONDS: Final = 240.0
#: Seconds of trouble that a round is given before its servers turn sound.
_WILD_SECONDS: Final = 45.0
#: Resident bytes that later rounds may have above the first one: measured noise of the allocator.
MEMORY_NOISE: Final = 16 << 20


class Broken(AssertionError):
    """Something was lost, wrong or left behind."""


class Memory:
    """Samples the resident size of a process, bytes; nothing where the system does not tell."""

    def __init__(self, pid: int) -> None:
        self._path = Path(f"/proc/{pid}/status")
        self._ended = threading.Event()
        self._most = 0
        self._thread = threading.Thread(target=self._run, name="memory")
        self._thread.start()

    def now(self) -> int:
        """At this moment."""
        try:
            lines = self._path.read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")), 0)

    def take_most(self) -> int:
        """The largest sample since the last call."""
        most, self._most = max(self._most, self.now()), 0
        return most

    def stop(self) -> None:
        """No more samples."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            self._most = max(self._most, self.now())


class Soak:
    """The servers, the process that fetches, and what is checked of it."""

    def __init__(self, home: Path, *, files: int, largest: int, seed: int, wildness: float) -> None:
        self._home = home
        self._seed = seed
        self._stack = ExitStack()
        self._dice = random.Random(seed)
        self.servers = [self._stack.enter_context(FaultServer()) for _ in range(SERVERS)]
        self.items = [self._item(number, largest) for number in range(files)]
        self.scripts = [Unruly(server, self.items, seed, wildness) for server in self.servers]
        self._urls = {item.path: self._serve(number, item) for number, item in enumerate(self.items)}
        self._list = home / "list.jsonl"
        self._list.write_text("".join(json.dumps(self._line(item)) + "\n" for item in self.items))
        self.failures: Counter[str] = Counter()
        self.restarts = 0
        self.most: list[int] = []
        self.at_rest: list[int] = []
        self._fetcher = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.fetcher"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._memory = Memory(self._fetcher.pid)

    def close(self) -> None:
        """End the process, then the servers."""
        self._memory.stop()
        assert self._fetcher.stdin is not None
        self._fetcher.stdin.close()
        try:
            self._fetcher.wait(60)
        except subprocess.TimeoutExpired:
            self._fetcher.kill()
            self._fetcher.wait()
        self._stack.close()

    def round(self, number: int, seconds: float) -> dict[str, int]:
        """All files once: through trouble for at most `seconds`, then to the end."""
        directory = self._home / f"round{number}"
        restarting = [Restarting(s, self._seed + 7 * number + i, _RESTART_SECONDS) for i, s in enumerate(self.servers)]
        for server, script, restarts in zip(self.servers, self.scripts, restarting, strict=True):
            server.script = script
            restarts.start()
        until = time.monotonic() + seconds
        runs = 0
        try:
            while (left := until - time.monotonic()) > 0:
                runs += 1
                if self._run(directory, left)["done"] == len(self.items):
                    break
        finally:
            for restarts in restarting:
                restarts.stop()
                self.restarts += restarts.restarts
        for server in self.servers:
            server.script = lambda _request, _reply: None
        summary = self._run(directory, _CALM_SECONDS)
        if summary["done"] != len(self.items):
            raise Broken(f"sound servers did not give everything: {summary}")
        self.at_rest.append(self._memory.now())
        self.most.append(self._memory.take_most())
        return {"runs": runs + 1, "size": sum(item.content.size for item in self.items)}

    @property
    def requests(self) -> int:
        """Requests that the servers had."""
        return sum(len(server.log) for server in self.servers)

    def faults(self) -> Counter[str]:
        """How often what went wrong."""
        total: Counter[str] = Counter()
        for script in self.scripts:
            total.update(script.counts)
        return total

    def check_memory(self) -> None:
        """The last third of the rounds must not need more than the first; a single round may, by chance."""
        for name, sizes in (("at most", self.most), ("between rounds", self.at_rest)):
            third = max(1, len(sizes) // 3)
            if median(sizes[-third:]) > median(sizes[:third]) + MEMORY_NOISE:
                raise Broken(f"memory grows: {name} {[size >> 20 for size in sizes]} MiB")

    # One run of the list

    def _run(self, directory: Path, seconds: float) -> dict[str, Any]:
        manifest = directory.with_suffix(".penstock")
        job = {"rows": str(self._list), "directory": str(directory), "manifest": str(manifest), "seconds": seconds}
        assert self._fetcher.stdin is not None
        assert self._fetcher.stdout is not None
        self._fetcher.stdin.write(json.dumps(job) + "\n")
        self._fetcher.stdin.flush()
        line = self._fetcher.stdout.readline()
        if not line:
            raise Broken(f"the process that fetches died: {self._fetcher.wait()}")
        summary: dict[str, Any] = json.loads(line)
        self._check_left_over(summary)
        self._check_rows(manifest, summary)
        self._check_files(directory)
        return summary

    def _check_left_over(self, summary: dict[str, Any]) -> None:
        if summary["threads"] or summary["descriptors"]:
            raise Broken(f"left behind: {summary['threads']} {summary['descriptors']}")
        for server in self.servers:
            try:
                server.wait_for(lambda server=server: server.live == 0)  # type: ignore[misc]
            except TimeoutError:
                raise Broken(f"{server.live} connections are still open") from None
            if server.errors:
                raise server.errors[0]

    def _check_rows(self, manifest: Path, summary: dict[str, Any]) -> None:
        records = Records(manifest)
        facts = list(records.rows())
        records.close()
        states = Counter(fact.state for fact in facts)
        if summary["total"] == len(self.items) and len({fact.url for fact in facts}) != len(self.items):
            raise Broken(f"{len(facts)} rows for {len(self.items)} lines")
        if summary["done"] != states["done"] or summary["failed"] != states["failed"]:
            raise Broken(f"the summary says {summary}, the manifest {states}")
        self.failures.update(fact.reason or "?" for fact in facts if fact.state == "failed")

    def _check_files(self, directory: Path) -> None:
        for item in self.items:
            path = directory / item.path[1:]
            if path.exists() and sha256(path) != item.content.sha256:
                raise Broken(f"{path} has other bytes than it should")

    # What is served

    def _item(self, number: int, largest: int) -> Item:
        size = 0 if number % 100 == 99 else int(largest ** self._dice.random())
        return Item(f"/{number:05}.bin", Content(size, number % _SEEDS), list(Known)[number % 3])

    def _serve(self, number: int, item: Item) -> str:
        return self.servers[number // 3 % SERVERS].serve(item.path, item.content)

    def _line(self, item: Item) -> dict[str, Any]:
        line: dict[str, Any] = {"url": self._urls[item.path], "name": item.path[1:]}
        if item.known is Known.SIZE:
            line["size"] = item.content.size
        if item.known is Known.DIGEST:
            line["sha256"] = item.content.sha256
        return line


def soak(*, seconds: float, seed: int, files: int, largest: int, wildness: float, home: Path) -> Soak:
    """Rounds for about `seconds`, at least one; raises Broken."""
    ended = Soak(home, files=files, largest=largest, seed=seed, wildness=wildness)
    began = time.monotonic()
    try:
        number = longest = 0.0
        while number == 0 or began + seconds - time.monotonic() > longest:
            since = time.monotonic()
            number += 1
            done = ended.round(int(number), min(_WILD_SECONDS, seconds / 2))
            longest = max(longest, time.monotonic() - since)
            print(
                f"round {number:.0f}: {files} files, {done['size'] / 1e6:.0f} MB in {done['runs']} runs and "
                f"{time.monotonic() - since:.0f} s; {ended.requests} requests so far; memory at most "
                f"{ended.most[-1] / 2**20:.0f} MiB, {ended.at_rest[-1] / 2**20:.0f} at rest",
                flush=True,
            )
            for path in (home / f"round{number:.0f}").iterdir():
                path.unlink()
        ended.check_memory()
    finally:
        ended.close()
    return ended


def main() -> None:
    """Soak, and say what was survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--largest", type=int, default=4 << 20)
    parser.add_argument("--wildness", type=float, default=0.15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        try:
            ended = soak(**vars(options), home=Path(home))
        except Broken as broken:
            print(f"BROKEN (seed {options.seed}): {broken}")
            raise SystemExit(1) from None
    print(f"{ended.requests} requests, {ended.faults().total()} went wrong, {ended.restarts} restarts: nothing lost")
    print("faults:  ", ", ".join(f"{name} {count}" for name, count in ended.faults().most_common()))
    print("failures:", ", ".join(f"{name} {count}" for name, count in ended.failures.most_common()) or "none")


if __name__ == "__main__":
    main()
