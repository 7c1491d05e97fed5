"""What the system grants: limits, clock, terminal."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

import click

from penstock.cli.doctor.facts import Clock, Limits, Terminal
from penstock.cli.get import get
from penstock.engine.descriptors import connections_within_limits

_GROUPS: Final = Path("/sys/fs/cgroup")
#: A limit beyond this is none (version 1 of control groups says so).
_NO_LIMIT: Final = 1 << 60


def limits() -> Limits:
    """The limits of this process, and of what children of the same shell would get."""
    open_files, open_files_hard = _limit("RLIMIT_NOFILE")
    option = next(param for param in get.params if param.name == "total_connections")
    wanted = int(option.get_default(click.Context(get)) or 1)
    processors = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else processors
    return Limits(
        open_files=open_files,
        open_files_hard=open_files_hard,
        connections=connections_within_limits(wanted),
        connections_wanted=wanted,
        file_size=_limit("RLIMIT_FSIZE")[0],
        address_space=_limit("RLIMIT_AS")[0],
        memory=_memory(),
        processors=processors,
        processors_allowed=allowed,
    )


def _limit(name: str) -> tuple[int | None, int | None]:
    """The soft and the hard limit; None for no limit."""
    try:
        import resource
    except ImportError:  # Windows
        return None, None
    number = getattr(resource, name, None)
    if number is None:
        return None, None
    soft, hard = (None if value == resource.RLIM_INFINITY else value for value in resource.getrlimit(number))
    return soft, hard


def _memory() -> int | None:
    """What the control group allows (containers), bytes."""
    own = _GROUPS / _own_group()
    for path in (own / "memory.max", _GROUPS / "memory.max", _GROUPS / "memory" / "memory.limit_in_bytes"):
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < _NO_LIMIT:
            return int(text)
    return None


def _own_group() -> str:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return ""
    return next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), "")


def clock() -> Clock:
    """The time."""
    return Clock(unix=round(time.time(), 3), zone=time.strftime("%z")[:3] + ":" + time.strftime("%z")[3:])


def terminal() -> Terminal:
    """Where progress goes, as rich sees it."""
    from rich.console import Console

    console = Console(stderr=True)
    return Terminal(
        is_terminal=console.is_terminal,
        columns=console.width,
        lines=console.height,
        kind=os.environ.get("TERM", ""),
        colour=console.color_system if console.is_terminal and not console.no_color else None,
        encoding=getattr(sys.stderr, "encoding", None) or "none",
    )
