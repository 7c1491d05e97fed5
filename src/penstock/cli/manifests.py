"""The commands ``status`` and ``verify``: what a manifest says, and whether the files agree."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from penstock.cli.codes import DONE, FAILED
from penstock.cli.streams import SturdyStream, standard_error, standard_output
from penstock.cli.types import completes
from penstock.errors import DownloadError

_MANIFEST: Final = click.Argument(["manifest"], type=click.Path(path_type=Path))
_STATES: Final = ("done", "failed", "pending", "unwanted")


@click.command(
    short_help="Show what a manifest says.",
    params=[
        _MANIFEST,
        click.Option(["--export"], type=click.Choice(["csv", "json"]), help="Print every row instead of counts."),
        click.Option(["--state"], type=click.Choice(_STATES), help="List the rows in this state, and why they are."),
    ],
)
@click.pass_context
def status(ctx: click.Context, /, manifest: Path, export: str | None, state: str | None) -> int:
    """Show how the files of MANIFEST stand: counts, and the reasons of failures by host. Works during a run too.

    --export csv and --export json (one object a line) print line, state, url, target, size, digest, validator,
    final_url, started, ended (Unix seconds), reason and message of every row, or of those in one --state.
    """

    def job(records: Any) -> int:
        if export:
            return _export(records, export, state)
        return _list(records, state) if state else _show(records)

    return _with_records(ctx, manifest, job)


@click.command(
    short_help="Hash the files of a manifest again.",
    params=[
        _MANIFEST,
        click.Option(
            ["-d", "--dir", "directory"],
            type=click.Path(path_type=Path),
            shell_complete=completes("dir"),
            help="Where the files are now.",
        ),
        click.Option(["-q", "--quiet"], is_flag=True, help="Print only what is wrong."),
    ],
)
@click.pass_context
def verify(ctx: click.Context, /, manifest: Path, directory: Path | None, quiet: bool) -> int:
    """Hash every file that MANIFEST says was saved, and list those that are missing or changed.

    Exit codes: 0 all agree; 1 some do not.
    """
    return _with_records(ctx, manifest, lambda records: _verify(records, directory, quiet=quiet))


def _with_records(ctx: click.Context, path: Path, job: Callable[[Any], int]) -> int:
    from penstock.cli.codes import exit_code
    from penstock.errors import InvalidRequest
    from penstock.store.records import Records

    try:
        records = Records(path)
        try:
            return job(records)
        finally:
            records.close()
    except InvalidRequest as error:
        raise click.UsageError(error.message, ctx) from error
    except DownloadError as error:
        from penstock.core.urls import escape

        SturdyStream(standard_error()).line(f"penstock: {escape(error.message)}")
        return exit_code(error)


def _show(records: Any) -> int:
    from penstock.core import words
    from penstock.core.urls import escape

    out = SturdyStream(standard_output())
    counts = records.counts()
    total = counts.done + counts.failed + counts.pending
    unwanted = f"; {counts.unwanted:,} more not wanted" if counts.unwanted else ""
    out.line(f"{_files(total)}: {counts.done:,} done ({words.size(counts.size)}), {counts.failed:,} failed, "
             f"{counts.pending:,} pending{unwanted}")  # fmt: skip
    if counts.bad:
        out.line(f"{words.count(counts.bad, 'line')} of the list could not be used")
    if counts.older:
        out.line(f"{counts.older:,} more of earlier lists")
    for origin, reason, count in records.reasons():
        out.line(f"  {count:,} x {escape(reason)} at {escape(origin)}")
    return DONE


def _list(records: Any, state: str) -> int:
    """One line a row: its URL, and where it is or why it is not."""
    from penstock.core.urls import escape

    out = SturdyStream(standard_output())
    for fact in records.rows(state):
        message = fact.message or ""
        what = fact.target if state == "done" else message if fact.url in message else f"{fact.url}: {message}"
        out.line(escape(f"{fact.url} -> {what}" if state == "done" else what.removesuffix(": ")))
        if out.broken:
            break
    return DONE


def _export(records: Any, export: str, state: str | None) -> int:
    from penstock.store.records import Fact

    out = SturdyStream(standard_output())
    if export == "csv":
        out.write(_csv_line(Fact._fields))
    for fact in records.rows(state):
        out.write(json.dumps(fact._asdict()) + "\n" if export == "json" else _csv_line(fact))
        if out.broken:
            break
    out.flush()
    return DONE


def _csv_line(cells: Any) -> str:
    from penstock.core.urls import escape

    buffer = io.StringIO()
    shown = ["" if cell is None else escape(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(buffer, lineterminator="\n").writerow(shown)  # escaped, no cell has a line break
    return buffer.getvalue()


def _verify(records: Any, directory: Path | None, *, quiet: bool) -> int:
    from penstock.core.urls import escape

    out = SturdyStream(standard_output())
    if directory is not None:
        records.root = directory
    right = wrong = unknown = 0
    for fact in records.saved():
        trouble = _trouble(records, fact)
        if trouble is not None:
            wrong += 1
            out.line(f"{escape(fact.target)}: {trouble}")
        elif fact.digest is None:
            unknown += 1
        else:
            right += 1
    if not quiet:
        rest = f", {unknown:,} with the right size (no digest was recorded)" if unknown else ""
        out.line(f"{_files(right)} as {'it was' if right == 1 else 'they were'}{rest}, {wrong:,} missing or changed")
    return FAILED if wrong else DONE


def _files(count: int) -> str:
    return f"{count:,} file" if count == 1 else f"{count:,} files"


def _trouble(records: Any, fact: Any) -> str | None:
    """What is wrong with a file that is done; None when nothing is."""
    from penstock.store.hashing import hash_file

    path = records.place(fact.target)
    if path is None:
        return "not a path inside the directory"
    try:
        size = path.lstat().st_size
        if size != fact.size:
            return f"changed: {size} bytes instead of {fact.size}"
        if fact.digest is not None and hash_file(path, fact.digest.partition(":")[0]) != fact.digest:
            return "changed: its digest is another one"
    except FileNotFoundError:
        return "missing"
    except (OSError, ValueError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    return None
