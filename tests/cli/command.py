"""Run the command as a person would: in a process of its own, with an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
SECONDS = 60


def environment(**changes: str) -> dict[str, str]:
    """The environment of a fresh user: no configuration, no secrets, a plain terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PENSTOCK_", "XDG_"))}
    path = os.pathsep.join(filter(None, [str(SOURCE), kept.get("PYTHONPATH")]))
    return {**kept, "PYTHONPATH": path, "XDG_CONFIG_HOME": os.devnull, "NO_PROXY": "*", **changes}


def penstock(*args: str, stdin: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
    """Run ``penstock ARGS`` to its end; `changes` are environment variables."""
    return subprocess.run(
        [sys.executable, "-m", "penstock", *args],
        env=environment(**changes),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
