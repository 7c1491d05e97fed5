"""The command in a process of its own, under limits (`sh`'s ulimit) or with a system that refuses (`injected`)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.cli.command import ROOT, SOURCE, environment

SECONDS = 60


def command(*args: str, faults: Sequence[str] = (), limit: str = "") -> list[str]:
    """The command line; `limit` are the arguments of ulimit, as in ``-n 64``."""
    module = ["tests.chaos.injected", *faults, "--"] if faults else ["penstock"]
    line = [sys.executable, "-m", *module, *args]
    return ["sh", "-c", f'ulimit {limit} && exec "$@"', "sh", *line] if limit else line


def surroundings() -> dict[str, str]:
    """Its environment: a fresh user's, from which the tests can be imported."""
    return environment(PYTHONPATH=f"{SOURCE}:{ROOT}")


def run(
    *args: str | Path, faults: Sequence[str] = (), limit: str = "", stdin: str = "", **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run it to its end. It never shows a traceback, whatever happens."""
    done = subprocess.run(
        command(*map(str, args), faults=faults, limit=limit),
        env=surroundings(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        **options,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What it said of a failure: the lines that are no progress."""
    return [line for line in done.stderr.splitlines() if line.startswith(("penstock:", "failed:", "warning:"))]
