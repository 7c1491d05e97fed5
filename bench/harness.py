"""Run a command as a whole process and account for it; pair commands, round by round; print Markdown."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

#: Starts a command, waits for it and prints what it took. On Linux a process's peak memory begins with that of the one
#: it was started from, so that must be small: this one takes about 9 MiB, and no peak below that can be seen.
_LAUNCHER = """
import os, signal, sys, time
limit, *command = sys.argv[1:]
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
started = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=quiet, setsigdef=[signal.SIGPIPE])
signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
signal.setitimer(signal.ITIMER_REAL, float(limit))
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - started
print(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""
#: `ru_maxrss` counts kibibytes, except on macOS.
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024


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
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(timeout), *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, check=True,
    )  # fmt: skip
    wall, user, system, memory, code = launched.stdout.split()
    return Run(float(wall), float(user), float(system), int(memory) * _MEMORY_UNIT, int(code))


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
