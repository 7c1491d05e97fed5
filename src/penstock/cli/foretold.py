"""What would be done, in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from penstock.core import words
from penstock.core.rows import BadRow
from penstock.core.urls import escape
from penstock.model import IfExists, Options, Preview

_VERBS: Final = {
    "fetch": "would fetch",
    "resume": "would go on with",
    "restart": "would begin again with",
    "finish": "would finish",
    "skip": "would not fetch",
}
_COLUMN: Final = 10


def lines(preview: Preview, options: Options) -> list[str]:
    """What a download would do, a line for each thing to know."""
    facts = [("to", f"{escape(str(preview.path))}{_target(preview, options)}")]
    if preview.final_url not in {None, preview.url}:
        facts.insert(0, ("from", escape(preview.final_url or "")))
    facts.append(("size", _size(preview.length)))
    if preview.media_type is not None:
        facts.append(("type", escape(preview.media_type)))
    if preview.final_url is not None:
        facts.append(("ranges", _ranges(preview, options)))
        facts.append(("proof", _proof(preview)))
    facts.append(("kept", _kept(preview)))
    if preview.action != "skip":
        facts.append(("checksum", _checksum(preview)))
    table = [f"  {name:<{_COLUMN}}{value}" for name, value in facts]
    return [f"{_VERBS[preview.action]} {escape(preview.url)}", *table, "nothing was written (--dry-run)"]


def _target(preview: Preview, options: Options) -> str:
    if preview.action == "skip":
        return " (is there, and stays as it is: --if-exists skip)"
    if preview.replaces:
        return " (is there, and would be replaced: --if-exists overwrite)"
    if options.if_exists is IfExists.RENAME:
        return " (the first name that is free: --if-exists rename)"
    return ""


def _size(length: int | None) -> str:
    if length is None:
        return "unknown: the server does not say"
    return words.size(length) if length < 1024 else f"{words.size(length)} ({length:,} bytes)"


def _ranges(preview: Preview, options: Options) -> str:
    if preview.accepts_ranges is None:
        return "not now: the server sends the new file as one stream"
    if not preview.accepts_ranges:
        return "no: one connection, and an interrupted run starts over"
    return f"yes: at most {words.count(options.max_connections, 'connection')}"


def _proof(preview: Preview) -> str:
    """By what a later run knows that the file is still the same."""
    if preview.validator is None:
        return "none: an interrupted run starts over (--resume-unsafe or --checksum go on)"
    return escape(str(preview.validator))


def _kept(preview: Preview) -> str:
    if preview.action == "skip":
        return "everything"
    if preview.kept:
        share = "" if not preview.length else f" ({words.percent(preview.kept, preview.length)} %)"
        return f"{words.size(preview.kept)} of an earlier run{share}"
    if preview.why:
        return f"nothing of the earlier run: {escape(preview.why)}"
    return "nothing: there is no earlier run to go on from"


def _checksum(preview: Preview) -> str:
    if preview.checksum is not None:
        return f"{preview.checksum}, as you ask"
    if preview.digest is not None:
        return f"{preview.digest}, by the server's own word"
    return "none: neither you nor the server gave one"


def row_line(action: str, url: str, path: Path, why: str) -> str:
    """A row of a list: ``fetch  URL -> PATH``."""
    reason = f": {escape(why)}" if why else ""
    return f"{action:<6} {escape(url)} -> {escape(str(path))}{reason}"


def bad_line(row: BadRow) -> str:
    """A line that cannot be used."""
    number = f"line {row.line}: " if row.line else ""
    return number + escape(row.why if row.text in row.why else f"{row.text}: {row.why}")


def sum_up(total: int, counts: Mapping[str, int], rejected: int) -> str:
    """A list in one line. `counts` by action."""
    fetched = counts["fetch"] + counts["again"]
    parts = [f"{fetched:,} would be fetched"]
    if counts["again"]:
        parts[0] += f" ({counts['again']:,} of them again)"
    if counts["skip"]:
        parts.append(f"{counts['skip']:,} would not, being there")
    if counts["repeat"]:
        parts.append(f"{words.count(counts['repeat'], 'repeated row')} of no account")
    if counts["fail"]:
        parts.append(f"{counts['fail']:,} cannot be")
    if rejected:
        parts.append(f"{words.count(rejected, 'line')} could not be used")
    files = "1 file" if total == 1 else f"{total:,} files"
    return f"{files}: {', '.join(parts)}; nothing was written, and no server was asked (--dry-run)"
