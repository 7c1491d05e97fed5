"""How many files ended, in words."""

from __future__ import annotations

from typing import Final

from penstock.cli import format as words
from penstock.core.urls import escape
from penstock.model import Summary

#: (origin, reason) pairs that are shown.
_MOST_FAILURES: Final = 5


def ended(summary: Summary, *, manifest: str | None) -> list[str]:
    """How it ended, what failed, and how to try that again."""
    lines = [_counts(summary), *_failures(summary)]
    if summary.failed and manifest is not None:
        lines.append(f"the same command tries the {summary.failed:,} that failed again; {_lists(manifest)}")
    elif summary.failed:
        lines.append(f"the same command with --if-exists skip tries the {summary.failed:,} that failed again")
    return lines


def stopped(summary: Summary, *, manifest: str | None) -> list[str]:
    """Where it was stopped, and how to go on."""
    left = "the rest of the list" if not summary.pending else f"{summary.pending:,} more that were read"
    how = "the same command goes on" if manifest is not None else "the same command with --if-exists skip goes on"
    line = f"interrupted: {_files(summary.done)} there, {summary.failed:,} failed, {left} to come; {how}"
    return [line] if manifest is None else [line, _lists(manifest)]


def _lists(manifest: str) -> str:
    return f"penstock status {escape(manifest)} lists them"


def _counts(summary: Summary) -> str:
    total = summary.done + summary.failed + summary.pending
    there = f" ({summary.skipped:,} were there before)" if summary.skipped else ""
    parts = [f"{summary.done - summary.skipped:,} saved{there}" if summary.skipped else f"{summary.done:,} saved"]
    if summary.failed:
        parts.append(f"{summary.failed:,} failed")
    if summary.rejected:
        parts.append(f"{words.count(summary.rejected, 'line')} could not be used")
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
