"""Programs that tests need: installed where that is ours to do, and missed aloud where they could not be."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest


def install(program: str, words: Sequence[str], find: Callable[[], str | None]) -> None:
    """``apt-get install WORDS`` as root on a Debian, unless PENSTOCK_INSTALL_`PROGRAM`=0 or `find` has it by then."""
    if os.environ.get(f"PENSTOCK_INSTALL_{program.upper()}") == "0" or not shutil.which("apt-get"):
        return
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    # several test workers come here at once; the first one installs
    path = Path(tempfile.gettempdir()) / f"penstock-{program}.lock"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if find() is None:
            for command in (["update", "-q"], ["install", "-y", "-q", *words]):
                subprocess.run(["apt-get", *command], check=False, capture_output=True)


def require(items: Sequence[pytest.Item], program: str, words: Sequence[str], find: Callable[[], str | None]) -> None:
    """Have what the tests need, or skip them; nothing is done when there are none."""
    if items and find() is None:
        install(program, words, find)
    if find() is None:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=_reason(program)))


def tell_missing(reporter: pytest.TerminalReporter, program: str) -> None:
    """Say loudly what did not run for want of it."""
    missing = [report for report in reporter.stats.get("skipped", []) if _reason(program) in str(report.longrepr)]
    if missing:
        reporter.write_line(
            f"NOT TESTED: {len(missing)} tests need {program}, which is not installed and could not be.",
            red=True,
            bold=True,
        )


def _reason(program: str) -> str:
    return f"{program.upper()}-MISSING"
