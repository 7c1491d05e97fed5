"""``get --dry-run``: what a run would do. For one URL its server is asked; for many, lists and manifests are read only.

Nothing is written or made; a lock is looked at, not held. The exit codes are those of a run, as far as it shows
beforehand how that would end.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from penstock.cli import foretold, messages
from penstock.cli.codes import DONE, FAILED, exit_code
from penstock.cli.get import is_one, one_url
from penstock.cli.jsonlines import JsonLines
from penstock.cli.many import Many
from penstock.cli.plain import Plain
from penstock.cli.request import build_limits, build_many, build_request
from penstock.cli.run import INSECURE, log_errors, warn_of_cookies
from penstock.cli.signals import Interrupted, Signals
from penstock.cli.streams import SturdyStream, standard_error, standard_output
from penstock.core.rows import BadRow
from penstock.errors import DownloadError, InvalidRequest
from penstock.events import AnyEvent, Failed, RowRejected
from penstock.model import IfExists, Request
from penstock.store.rehearsal import Action, Rehearsal

#: Options that tell of what is fetched.
_MEASURES: Final = ("trace", "profile", "stats")


def dry_run(ctx: click.Context, urls: Sequence[str], params: dict[str, Any], *, level: int) -> int:
    """Say what `params` would do with `urls` and lists; the exit code."""
    json = params["json"]
    try:
        for name in _MEASURES:
            if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:  # a configuration may ask for all runs
                raise InvalidRequest(f"--{name} does not go with --dry-run: nothing is fetched")
        params = {**params, **dict.fromkeys(_MEASURES)}
        if is_one(urls, params):
            request = build_request(one_url(urls[0], params), params)
            return _preview(request, build_limits(params), level=level, json=json)
        return _rehearse(build_many(urls, params), level=level, json=json)
    except InvalidRequest as error:
        raise click.UsageError(error.message, ctx) from error


def _preview(request: Request, limits: Mapping[str, Any], *, level: int, json: bool) -> int:
    """Ask the server, and say what would be done with its answer."""
    from penstock.api import Downloader

    out = SturdyStream(standard_output())
    lines = JsonLines(out) if json else None
    voice = Plain(SturdyStream(standard_error()), level)
    log_errors(level)
    if request.options.insecure:
        voice.complain(INSECURE)
    warn_of_cookies(request.options, voice)
    listeners: list[Callable[[AnyEvent], None]] = [voice.show, *([lines.show] if lines is not None else [])]

    def listen(event: AnyEvent) -> None:
        for listener in listeners:
            listener(event)

    signals = Signals()
    try:
        with signals.caught(), Downloader(on_event=listen, **limits) as downloader:
            preview = signals.wait(downloader.preview(request))
    except Interrupted as interruption:
        return interruption.code
    except InvalidRequest:
        raise
    except Exception as error:
        voice.complain(f"penstock: {messages.failed(error, kept=0)}")
        if lines is not None and isinstance(error, DownloadError):
            lines.show(Failed(download=1, at=time.monotonic(), error=error))
        return exit_code(error)
    if lines is not None:
        lines.preview(preview)
    elif level >= messages.NORMAL:
        for line in foretold.lines(preview, request.options):
            out.line(line)
    return DONE


class _Report:
    """Says what would become of each row."""

    def __init__(self, *, level: int, json: bool) -> None:
        self.out = SturdyStream(standard_output())
        self.told = Plain(SturdyStream(standard_error()), level)
        self._lines = JsonLines(self.out) if json else None
        self._level = level
        self.counts: Counter[str] = Counter()

    def row(self, line: int, url: str, path: Path, action: Action, why: str) -> None:
        self.counts[action.value] += 1
        if self._lines is not None:
            facts = {"action": action.value, "line": line, "url": url, "path": str(path), "why": why}
            self._lines.say("planned", facts)
        elif action is Action.FAIL or self._level >= messages.NORMAL:
            self.out.write(foretold.row_line(action.value, url, path, why) + "\n")

    def bad(self, row: BadRow) -> None:
        self.counts["rejected"] += 1
        if self._lines is not None:
            event = RowRejected(download=0, at=time.monotonic(), line=row.line, text=row.text, why=row.why)
            self._lines.show(event)
        else:
            self.told.complain(foretold.bad_line(row))

    def end(self) -> int:
        """Sum up; the exit code."""
        code = FAILED if self.counts[Action.FAIL.value] or self.counts["rejected"] else DONE
        counts = {action.value: self.counts[action.value] for action in Action}
        total = sum(counts.values()) - counts[Action.REPEAT.value]
        if self._lines is not None:
            self._lines.say("plan", {"total": total, **counts, "rejected": self.counts["rejected"], "exit_code": code})
        elif not self.out.broken:
            self.out.flush()
            self.told.tell(foretold.sum_up(total, counts, self.counts["rejected"]))
        return code


def _rehearse(job: Many, *, level: int, json: bool) -> int:
    """Go through the rows as a run would, on a copy of the manifest."""
    report = _Report(level=level, json=json)
    for each in job.lists:
        each.note = report.told.tell
    try:
        with _rehearsal(job) as foretell:
            for row in job.rows:
                if isinstance(row, BadRow):
                    report.bad(row)
                else:
                    foretell(row, report)
                if report.out.broken:  # nobody reads any more
                    break
    except DownloadError as error:
        if isinstance(error, InvalidRequest):
            raise
        report.out.flush()
        report.told.complain(f"penstock: {messages.failed(error, kept=0)}")
        return exit_code(error)
    return report.end()


@contextlib.contextmanager
def _rehearsal(job: Many) -> Iterator[Callable[[Any, _Report], None]]:
    """A function that foretells a row and reports it. Raises what the beginning of a run would."""
    from penstock.core.template import Template
    from penstock.core.urls import redact
    from penstock.engine.intake import prepared
    from penstock.engine.outlook import open_existing
    from penstock.store.entries import Rules
    from penstock.store.hashing import hash_file
    from penstock.store.manifest_file import reserved_targets

    directory = open_existing(job.directory)
    if directory is not None:
        directory.close()
    policy, template = job.options.if_exists, Template(job.template)
    rules = Rules.of(job.directory, policy, rechecks=job.recheck)
    reserved = reserved_targets(job.manifest, job.directory)
    with Rehearsal(job.manifest, rules, hash_file, renames=policy is IfExists.RENAME) as rehearsal:

        def foretell(row: Any, report: _Report) -> None:
            entry = prepared(row, template, reserved)
            if isinstance(entry, BadRow):
                report.bad(entry)
                return
            found = rehearsal.foretell(entry)
            report.row(entry.line, redact(entry.urls[0]), job.directory / found.target, found.action, found.why)

        yield foretell
