"""Run a command as a whole process and account for it: time, processor, memory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Starts a command, waits for it and prints what it took. On Linux a process's peak memory begins with that of the one
#: it was started from, so that must be small: this one takes about 9 MiB, and no peak below that can be seen.
_LAUNCHER = """
import os, signal, sys, time
limit, output, *command = sys.argv[1:]
quiet = [(os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
started = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=quiet, setsigdef=[signal.SIGPIPE])
signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
signal.setitimer(signal.ITIMER_REAL, float(limit))
_, status, usage = os.wait4(child, 0)
wall, ended = time.perf_counter() - started, time.time()
print(wall, ended, usage.ru_utime, usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""
#: `ru_maxrss` counts kibibytes, except on macOS.
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024
#: The exit code of a process that was killed because its time was over.
OUT_OF_TIME = -9


@dataclass(frozen=True)
class Run:
    """One process: seconds of wall, user and system time, peak resident bytes, exit code; -9 when out of time.

    `ended` is the time of its end, in Unix seconds.
    """

    wall: float
    ended: float
    user: float
    system: float
    memory: int
    code: int

    @property
    def cpu(self) -> float:
        """User and system seconds."""
        return self.user + self.system


def run(
    command: Sequence[str],
    *,
    timeout: float = 120.0,
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
) -> Run:
    """Run a command to its end, or kill it after `timeout` seconds.

    Its standard output goes to the file `output`, or nowhere; `environment` is added to ours.
    """
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(timeout), str(output or os.devnull), *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
        env=variables | dict(environment or {}),
    )  # fmt: skip
    wall, ended, user, system, memory, code = launched.stdout.split()
    return Run(float(wall), float(ended), float(user), float(system), int(memory) * _MEMORY_UNIT, int(code))


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
