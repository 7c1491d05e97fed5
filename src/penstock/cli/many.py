"""Carry many files out, show where they are, and say how it ended and how to go on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from penstock.cli import messages, summary
from penstock.cli.codes import CANNOT_WRITE, DONE, FAILED, exit_code
from penstock.cli.run import INSECURE, Voice, count, log_errors, tell_statistics, warn_of_cookies
from penstock.cli.signals import Interrupted, Signals
from penstock.cli.streams import SturdyStream, standard_error, standard_output
from penstock.core.rows import BadRow, Row
from penstock.errors import DownloadError, Reason, StorageError
from penstock.events import AnyEvent
from penstock.model import IfExists, Options, Summary

if TYPE_CHECKING:
    from penstock.api import Downloader
    from penstock.cli.rows import List

T = TypeVar("T")


class Wait(Protocol):
    """Waits for a future, answering signals."""

    def __call__(self, future: Future[T], /) -> T:
        """Its result; raises what it raises, or Interrupted."""


class Many(NamedTuple):
    """What a run over many files is to do."""

    rows: Iterable[Row | BadRow]
    directory: Path
    options: Options
    manifest: Path | None
    template: str
    recheck: bool
    limits: dict[str, Any]
    #: For rows that have to be looked for first: called with the downloader, how to wait for a future, the options, and
    #: how to tell a person something.
    begin: (
        Callable[[Downloader, Wait, Options, Callable[[str], None]], tuple[Iterable[Row | BadRow], Options]] | None
    ) = None
    #: The lists that the rows come from: they have a word to say too.
    lists: Sequence[List] = ()
    #: What a row that cannot be used is called.
    noun: str = "URL"


def run_many(job: Many, *, level: int, json: bool, insecure: bool, stats: bool = False) -> int:
    """Carry it out and return the exit code. `stats`: say what it took."""
    shown = str(job.manifest) if job.manifest is not None else None
    voice = choose_voice(SturdyStream(standard_error()), level, lines=json, manifest=shown)
    listeners: list[Callable[[AnyEvent], None]] = [voice.show]
    lines = None
    if json:
        from penstock.cli.jsonlines import JsonLines

        lines = JsonLines(SturdyStream(standard_output()))
        listeners.append(lines.show)
    statistics = count(listeners) if stats else None
    log_errors(level)
    for each in job.lists:
        each.note = voice.tell
    if insecure:
        voice.complain(INSECURE)
    warn_of_cookies(job.options, voice)
    signals = Signals(voice.aside)
    with signals.caught(), contextlib.closing(voice):
        details = json or level >= messages.VERBOSE
        code, ended = _carry_out(job, voice, listeners, signals, shown, details=details)
        if lines is not None and ended is not None:
            lines.end(ended, code)
        if statistics is not None:
            tell_statistics(statistics, ended, voice, json=json)
    return code


def choose_voice(stream: SturdyStream, level: int, *, lines: bool, manifest: str | None) -> Voice:
    """A live display on a terminal that can do it, plain lines elsewhere or when `lines` asks for them."""
    if lines or level == messages.QUIET or not stream.isatty() or os.environ.get("TERM") in {"dumb", "unknown"}:
        from penstock.cli.crowd_plain import CrowdPlain

        return CrowdPlain(stream, level, manifest=manifest)
    from penstock.cli.crowd import Crowd

    return Crowd(stream, level, manifest=manifest)


def _carry_out(
    job: Many,
    voice: Voice,
    listeners: list[Callable[[AnyEvent], None]],
    signals: Signals,
    manifest: str | None,
    *,
    details: bool,
) -> tuple[int, Summary | None]:
    """The exit code, and how it ended or where it was stopped; all events have been told by then."""
    from penstock.api import Downloader
    from penstock.cli.allocator import collect_rarely, keep_freed_memory

    keep_freed_memory()
    collect_rarely()

    def listen(event: AnyEvent) -> None:
        for listener in listeners:
            listener(event)

    with Downloader(on_event=listen, details=details, **job.limits) as downloader:
        try:
            rows, options = job.rows, job.options
            if job.begin is not None:
                rows, options = job.begin(downloader, signals.wait, options, voice.tell)
        except Interrupted as interruption:
            downloader.close(cancel=True)
            return interruption.code, None
        except DownloadError as error:
            voice.close()
            voice.complain(f"penstock: {messages.failed(error, kept=0)}")
            return exit_code(error), None
        skips = options.if_exists is IfExists.SKIP
        future = downloader.submit_many(
            rows,
            directory=job.directory,
            manifest=job.manifest,
            template=job.template,
            recheck=job.recheck,
            **vars(options),
        )
        try:
            ended = signals.wait(future)
        except Interrupted as interruption:
            # before the last writing, since a second signal leaves at once and must not leave a hidden cursor
            voice.close()
            downloader.close(cancel=True)
            try:
                ended = future.result()
            except DownloadError as error:  # of the last writing
                voice.complain(f"penstock: {messages.failed(error, kept=0)}")
                return interruption.code, None
            for line in summary.stopped(ended, manifest=manifest, skips=skips):
                voice.complain(line)
            return interruption.code, ended
        except DownloadError as error:
            voice.close()
            voice.complain(f"penstock: {messages.failed(error, kept=0)}")
            return (CANNOT_WRITE if isinstance(error, StorageError) else exit_code(error)), None
        voice.close()
        for line in summary.ended(ended, manifest=manifest, skips=skips, noun=job.noun):
            (voice.complain if ended.failed or ended.rejected else voice.tell)(line)
        return _code(ended), ended


def _code(ended: Summary) -> int:
    """The exit code: that of the disk when it is why files are missing."""
    if any(reason == Reason.STORAGE.value for _, reason, _ in ended.failures):
        return CANNOT_WRITE
    return FAILED if ended.failed or ended.rejected or ended.pending else DONE
