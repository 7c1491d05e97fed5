"""How many files ended, in words."""

from __future__ import annotations

import shlex
from typing import Final

from penstock.core import words
from penstock.core.urls import escape
from penstock.errors import Reason
from penstock.model import Summary

#: (origin, reason) pairs that are shown.
_MOST_FAILURES: Final = 5


def ended(summary: Summary, *, manifest: str | None, skips: bool = False, noun: str = "line") -> list[str]:
    """How it ended, what failed, and how to try that again. `skips`: targets that exist are skipped already; `noun`:
    what rejected rows are."""
    lines = [_counts(summary, noun), *_failures(summary)]
    there = sum(count for _, reason, count in summary.failures if reason == Reason.TARGET_EXISTS.value)
    again = summary.failed - there
    if again:
        lists = f"; {listing(manifest)} them" if manifest is not None else ""
        lines.append(f"{_same(manifest, skips=skips)} tries the {again:,} that failed again{lists}")
    elif there and manifest is not None:
        lines.append(f"{listing(manifest)} what failed")
    if there:
        what = "1 is there already: --if-exists skip leaves it, overwrite fetches it again"
        if there > 1:
            what = f"{there:,} are there already: --if-exists skip leaves them, overwrite fetches them again"
        lines.append(what)
    return lines


def stopped(summary: Summary, *, manifest: str | None, skips: bool = False) -> list[str]:
    """Where it was stopped, and how to go on."""
    left = "the rest of the list" if not summary.pending else f"{summary.pending:,} more that were read"
    how = f"{_same(manifest, skips=skips)} goes on"
    line = f"interrupted: {_files(summary.done)} there, {summary.failed:,} failed, {left} to come; {how}"
    return [line] if manifest is None else [line, f"penstock status {escape(shlex.quote(manifest))} counts them"]


def listing(manifest: str) -> str:
    """The command that tells more of failures, fit for the shell and for the eye."""
    return f"penstock status {escape(shlex.quote(manifest))} --state failed lists"


def _same(manifest: str | None, *, skips: bool) -> str:
    return "the same command" if manifest is not None or skips else "the same command with --if-exists skip"


def _counts(summary: Summary, noun: str) -> str:
    total = summary.done + summary.failed + summary.pending
    parts = [f"{summary.done - summary.skipped:,} saved"]
    if summary.skipped:
        parts[0] += f" ({summary.skipped:,} {'was' if summary.skipped == 1 else 'were'} there before)"
    if summary.failed:
        parts.append(f"{summary.failed:,} failed")
    if summary.rejected:
        parts.append(f"{words.count(summary.rejected, noun)} could not be used")
    return f"{_files(total)}: {', '.join(parts)}; {_pace(summary)}"


def _pace(summary: Summary) -> str:
    text = f"{words.size(summary.size)} in {words.duration(summary.elapsed)}"
    fetched = summary.done - summary.skipped
    if summary.elapsed <= 0 or not fetched:
        return text
    return f"{text} ({words.speed(summary.size / summary.elapsed)}, {pace(fetched / summary.elapsed)})"


def pace(rate: float) -> str:
    """``833 files/s``, ``2.5 files/s``."""
    return f"{rate:,.0f} files/s" if rate >= 9.95 else f"{rate:.1f} files/s"


def _failures(summary: Summary) -> list[str]:
    shown = summary.failures[:_MOST_FAILURES]
    lines = [f"  {count:,} x {escape(reason)} at {escape(origin)}" for origin, reason, count in shown]
    rest = len(summary.failures) - len(shown)
    return lines if not rest else [*lines, "  and others"]


def _files(count: int) -> str:
    return f"{count:,} file" if count == 1 else f"{count:,} files"
