"""Run a command as a whole process and account for it; pair commands, round by round; print Markdown."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Run:
    """One process: seconds of wall, user and system time, peak resident bytes, exit code; -9 when out of time."""

    wall: float
    user: float
    system: float
    memory: int
    code: int

    @property
    def cpu(self) -> float:
        """User and system seconds."""
        return self.user + self.system


def run(command: Sequence[str], *, timeout: float = 120.0) -> Run:
    """Run a command quietly to its end, or kill it after `timeout` seconds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment
    )
    timer = threading.Timer(timeout, process.send_signal, (signal.SIGKILL,))
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024, process.returncode)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rounds(commands: dict[str, Callable[[], Run | None]], count: int, *, warm_up: int = 1) -> dict[str, list[Run]]:
    """Run each command in turn, `count` rounds after `warm_up` uncounted ones; one that returns None is left out."""
    results: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(warm_up + count):
        for name, command in commands.items():
            outcome = command()
            if outcome is not None and number >= warm_up:
                results[name].append(outcome)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def middle(values: Iterable[float]) -> float:
    """The median."""
    return median(list(values))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines.extend("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)
    return "\n".join(lines)


# How each program fetches one file


def penstock(url: str, output: Path, connections: int, *options: str) -> list[str]:
    """The command of this checkout or installation."""
    return [
        sys.executable, "-m", "penstock", "get", url, "-o", str(output), "-x", str(connections),
        "-q", "--no-config", *options,
    ]  # fmt: skip


def aria2(url: str, output: Path, connections: int, *options: str) -> list[str] | None:
    """aria2, which takes at most 16 connections; None when it is not installed."""
    binary = shutil.which("aria2c")
    if binary is None:
        return None
    number = str(min(connections, 16))
    return [
        binary, "--no-conf", "-q", "-x", number, "-s", number, "-k", "1M", "--allow-overwrite=true",
        "-d", str(output.parent), "-o", output.name, *options, url,
    ]  # fmt: skip


def axel(url: str, output: Path, connections: int) -> list[str] | None:
    """axel; None when it is not installed."""
    binary = shutil.which("axel")
    return None if binary is None else [binary, "-q", "-n", str(connections), "-o", str(output), url]


def curl(url: str, output: Path, *options: str) -> list[str] | None:
    """curl over its one connection; None when it is not installed."""
    binary = shutil.which("curl")
    return None if binary is None else [binary, "-s", "-o", str(output), *options, url]


def fetching(
    command: list[str] | None, output: Path, digest: str, *, timeout: float = 120.0
) -> Callable[[], Run | None]:
    """A round's step: fetch into a clean place, check every byte, clean up."""

    def step() -> Run | None:
        if command is None:
            return None
        for left in output.parent.glob(output.name + "*"):
            left.unlink()
        outcome = run(command, timeout=timeout)
        if outcome.code == 0 and sha256(output) != digest:
            raise SystemExit(f"wrong bytes from {command[0]}")
        for left in output.parent.glob(output.name + "*"):
            left.unlink()
        return outcome

    return step
