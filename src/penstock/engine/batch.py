"""Many files: from the rows of a list, through the manifest, to downloads and their outcomes.

    list ──► intake ──► manifest (the queue, on disk) ──► queue (in memory, bounded) ──► downloads ──► manifest

Nothing here grows with the list: the intake stays a bounded number of rows ahead, each origin has a few rows waiting
in memory, and outcomes are written in groups, without which nothing new begins. Lives on the loop's thread; the
manifest lives on a thread of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from penstock.core.rows import BadRow, Row
from penstock.core.secrets import has_secrets, without_secrets
from penstock.core.template import Template
from penstock.core.urls import escape, origin, redact
from penstock.engine.context import Surroundings
from penstock.engine.download import Cancel
from penstock.engine.intake import Intake
from penstock.engine.pace import Pace
from penstock.engine.place import open_directory
from penstock.engine.resources import enough_resources
from penstock.engine.runner import End, Run, Runner
from penstock.engine.swift import Errand, Landed
from penstock.errors import DownloadError, Reason, StorageError
from penstock.events import AnyEvent, BatchProgressed, RowRejected, Warned
from penstock.model import IfExists, Options, Origin, Request, Result, Source, Summary, Validator
from penstock.store.entries import Added, Entry, Job, Outcome, Rules
from penstock.store.hashing import Stopped, hash_file
from penstock.store.manifest import Manifest
from penstock.store.manifest_file import reserved_targets
from penstock.store.threads import Workers

#: Rows of one origin that wait in memory for their turn: at least, and at most (when there are few origins).
DEPTH: Final = 64
MOST_DEPTH: Final = 1024
#: Rows of all origins that do.
MOST_WAITING: Final = 4096
#: Outcomes that are not yet written down, beyond which nothing new begins.
MOST_OUTCOMES: Final = 4096
#: Outcomes that are written down without waiting for more.
_GROUP_OUTCOMES: Final = 512
#: Seconds between writings of outcomes; a kill costs a look at the files of this time.
RECORD_SECONDS: Final = 0.25
#: Seconds between progress events.
PROGRESS_SECONDS: Final = 0.1
#: Folders whose paths are remembered.
_KNOWN_FOLDERS: Final = 1024
#: (origin, reason) pairs in the summary.
_MOST_FAILURES: Final = 10


class Plan(NamedTuple):
    """How a batch is carried out. `manifest` None: it dies with the process."""

    directory: Path
    options: Options
    manifest: Path | None = None
    template: str = "{name}"
    rechecks: bool = False


class _Track:
    """One origin's rows: how many are in the manifest and not taken yet, how many are taken and not ended, and up to
    which turn they were taken. `origin` is known once one was. When only `low` are left of those taken, more are."""

    __slots__ = ("low", "origin", "pending", "taken", "turn")

    def __init__(self, turn: int) -> None:
        self.origin: Origin | None = None
        self.low = 0
        self.pending = 0
        self.taken = 0
        self.turn = turn


class _RowRun(Run):
    """The download of a row."""

    job: Job
    track: int
    #: When it was taken from the manifest, Unix seconds.
    began: float


class Batch:
    """One batch. `on_end(summary, error)` is called once, on the loop's thread."""

    def __init__(
        self,
        rows: Iterable[Row | BadRow | str],
        plan: Plan,
        runner: Runner,
        shared: Surroundings,
        on_end: Callable[[Summary | None, BaseException | None], None],
    ) -> None:
        template = Template(plan.template)  # first of all, for it may raise
        self._plan = plan
        self._folders: dict[str, str] = {}
        self._may_bet = plan.options.if_exists in {IfExists.ERROR, IfExists.SKIP}
        self._sha256 = plan.manifest is not None
        #: What the user gave for all rows goes to the origin of the list's first row: whoever wrote the list might add
        #: a row that leads to a server of theirs (S05).
        self._home: Origin | None = None
        self._elsewhere = without_secrets(plan.options)
        self._keeps_secrets = has_secrets(plan.options)
        self._runner = runner
        self._loop = shared.loop
        self._queue = shared.queue
        self._emit: Callable[[AnyEvent], None] = shared.emit
        self._on_end = on_end
        self._workers = Workers("penstock-manifest", 1, self._loop.call)
        reserved = reserved_targets(plan.manifest, plan.directory)
        self._intake = Intake(rows, template, self._on_rows, reserved)
        self._manifest: Manifest | None = None
        self._tracks: dict[int, _Track] = {}
        self._wanting: set[int] = set()
        self._runs: set[_RowRun] = set()
        self._outcomes: list[Outcome] = []
        self._held_for = f"outcomes of {id(self)}"
        self._jobs = 0
        self._recording = False
        self._taking = False
        self._is_held = False
        #: True when the intake is to be told that its group is recorded.
        self._owes = False
        self._going = False
        self._listed = False
        self._stopped = False
        self._broken = False
        self._has_renamed = False
        self._over = False
        self._error: BaseException | None = None
        self._began = self._loop.now()
        self._pace = Pace(self._began)
        self._pending = 0
        self._left = self._unwanted = 0
        self._done = self._skipped = self._failed = self._rejected = self._size = 0

    def start(self) -> None:
        """Open directory and manifest, then read the list."""
        plan = self._plan
        policy = plan.options.if_exists
        rules = Rules(plan.directory, policy is IfExists.SKIP, policy is IfExists.ERROR, plan.rechecks)

        def opened() -> Manifest:
            open_directory(plan.directory).close()
            return Manifest.open(plan.manifest, rules, self._hash)

        self._work(opened, self._opened)
        self._loop.call_later(PROGRESS_SECONDS, self._tick)

    def _hash(self, path: Path, algorithm: str) -> str:
        """On the manifest's thread."""
        return hash_file(path, algorithm, lambda: self._stopped)

    def stop(self) -> None:
        """Begin nothing new, stop what is under way, write everything down, and end."""
        if self._stopped:
            return
        self._stopped = True
        self._intake.stop()
        for run in list(self._runs):
            self._runner.cancel(run)
        self._go_on()

    def hold(self, held: bool) -> None:
        """Read and take no more rows while `held`: what happens to them could not be told."""
        self._is_held = held
        if not held:
            self._ask_for_rows()
            self._go_on()

    # The manifest's thread

    def _work(self, job: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self._jobs += 1

        def done(value: Any, error: BaseException | None) -> None:
            self._jobs -= 1
            if error is not None:
                self._taking = self._recording = False
                self._broken = True
                self._fail(error)
            else:
                try:
                    then(value)
                except Exception as failed:  # nobody else would end the batch
                    self._fail(failed)
            self._go_on()

        self._workers.submit(job, done)

    def _fail(self, error: BaseException) -> None:
        """The disk, the manifest or the list cannot be used any more: stop, and say so."""
        self._error = self._error or error
        self.stop()
        self._queue.hold(self._held_for, False)  # nothing of it begins any more, and others must

    def _opened(self, manifest: Manifest) -> None:
        self._manifest = manifest
        if self._stopped:
            self._listed = True
        else:
            with enough_resources():
                self._intake.start()

    # Rows come in

    def _on_rows(
        self, entries: Sequence[Entry], bad: Sequence[BadRow], at_end: bool, error: BaseException | None
    ) -> None:
        """On the intake's thread, or the loop's."""
        self._loop.call(self._record_rows, entries, bad, at_end, error)

    def _record_rows(
        self, entries: Sequence[Entry], bad: Sequence[BadRow], at_end: bool, error: BaseException | None
    ) -> None:
        manifest = self._manifest
        assert manifest is not None
        if self._home is None and entries:
            self._home = origin(entries[0].urls[0])
        if error is not None:
            self._fail(error)
        for row in bad:
            self._reject(row.line, row.text, row.why)

        is_whole = at_end and error is None and not self._stopped

        def record() -> Added:
            manifest.add_bad([(row.line, row.text, row.why) for row in bad])
            try:
                added = manifest.add(entries)
            except Stopped:  # nothing is said of these rows: the next run looks at them again
                return Added({}, [], [], [])
            if is_whole:
                manifest.set_whole()
            manifest.add_bad([(entry.line, redact(entry.urls[0]), why) for entry, why in added.clashes])
            return added

        self._work(record, partial(self._recorded_rows, at_end))

    def _recorded_rows(self, at_end: bool, added: Added) -> None:
        self._done += added.done
        self._skipped += added.done
        self._failed += len(added.failed)
        for entry, why in added.failed:
            self._reject(entry.line, redact(entry.urls[0]), why, counts=False)
        for entry, why in added.clashes:
            self._reject(entry.line, redact(entry.urls[0]), why)
        if added.renamed and not self._has_renamed:
            self._has_renamed = True
            self._warn_renamed(*added.renamed[0])
        for number, (count, first) in added.waiting.items():
            track = self._tracks.get(number)
            if track is None:
                track = self._tracks[number] = _Track(first - 1)
            track.pending += count
            self._pending += count
            self._wanting.add(number)
        self._intake.moved(self._pending)
        self._listed = at_end
        self._owes = True
        self._ask_for_rows()

    def _ask_for_rows(self) -> None:
        if self._owes and not self._is_held:
            self._owes = False
            self._intake.taken()

    def _warn_renamed(self, entry: Entry, target: str) -> None:
        """Say for the first row, and for all like it, that it does not have the name that the list gives it."""
        message = (
            f"line {entry.line}: another row is saved as {escape(entry.target)}, or needs it for a folder; this one is"
            f" saved as {escape(target)} (others like it: see `penstock status --export csv`)"
        )
        self._emit(Warned(download=0, at=self._loop.now(), message=message))

    def _reject(self, line: int, text: str, why: str, *, counts: bool = True) -> None:
        self._rejected += counts
        self._emit(RowRejected(download=0, at=self._loop.now(), line=line, text=text, why=why))

    # Rows go out

    def _take(self) -> None:
        """Ask the manifest for rows of the origins that have room for more."""
        if self._taking or self._stopped or self._is_held or not self._wanting or len(self._outcomes) >= MOST_OUTCOMES:
            return
        room = MOST_WAITING - len(self._runs)
        depth = self._depth()
        wanted = []
        for number in list(islice(self._wanting, MOST_WAITING // DEPTH)):
            track = self._tracks[number]
            count = min(depth - track.taken, track.pending, room)
            if count <= 0:
                if room <= 0:
                    break
                self._wanting.discard(number)
                continue
            wanted.append((number, track.turn, count))
            room -= count
        if not wanted:
            return
        manifest = self._manifest
        assert manifest is not None
        self._taking = True
        self._work(lambda: manifest.take(wanted), self._taken)

    def _depth(self) -> int:
        return min(MOST_DEPTH, max(DEPTH, MOST_WAITING // (2 * len(self._tracks) or 1)))

    def _taken(self, jobs: dict[int, list[Job]]) -> None:
        self._taking = False
        now = time.time()
        for number, rows in jobs.items():
            track = self._tracks[number]
            track.pending -= len(rows)
            self._pending -= len(rows)
            self._wanting.discard(number)
            if not rows:
                continue
            if track.origin is None:
                track.origin = origin(rows[0].urls[0])
            track.turn = rows[-1].turn
            track.taken += len(rows)
            track.low = self._depth() // 2
            runs = [self._run(job, number, track.origin, now) for job in rows]
            self._runs.update(runs)
            # soon, for some may end right inside
            self._loop.soon(self._runner.add, runs)
        self._intake.moved(self._pending)

    def _run(self, job: Job, number: int, source: Origin, now: float) -> _RowRun:
        options = self._options_for(source)
        if job.headers:
            options = replace(options, headers=(*options.headers, *job.headers))
        url, errand = job.urls[0], None
        if job.is_vacant and self._may_bet and len(job.urls) == 1 and "@" not in url:
            folder, _, name = job.target.rpartition("/")
            errand = Errand(url, self._folder(folder), name, job.size, job.expected, self._sha256)
        run = _RowRun(
            source,
            url,
            options,
            self._request,
            self._ended,
            is_one_of_many=True,
            vacant=job.is_vacant,
            errand=errand,
        )
        run.job = job
        run.track = number
        run.began = now
        run.cancelled = self._stopped
        return run

    def _options_for(self, source: Origin) -> Options:
        if source == self._home:
            return self._plan.options
        if self._keeps_secrets:
            self._keeps_secrets = False  # said once
            message = (
                f"login, cookies and header fields go to {self._home} only, where the list begins; give others theirs "
                "by .netrc, a cookie file, or header= lines in the list"
            )
            self._emit(Warned(download=0, at=self._loop.now(), message=message))
        return self._elsewhere

    def _folder(self, folder: str) -> str:
        path = self._folders.get(folder)
        if path is None:
            if len(self._folders) >= _KNOWN_FOLDERS:
                self._folders.clear()
            path = self._folders[folder] = str(self._plan.directory / folder)
        return path

    def _request(self, run: _RowRun) -> Request:
        job = run.job
        folder, _, name = job.target.rpartition("/")
        return Request(
            sources=tuple(map(Source, job.urls)),
            directory=Path(self._folder(folder)),
            output=Path(name),
            checksum=job.expected,
            size=job.size,
            sha256=self._sha256,
            options=run.options,
        )

    def _ended(self, run: _RowRun, end: End, error: BaseException | None) -> None:
        self._runs.discard(run)
        job, track = run.job, self._tracks[run.track]
        track.taken -= 1
        if isinstance(end, Landed):
            self._done += 1
            self._size += end.size
            self._outcomes.append(_landed(job, end, run.began))
        elif end is not None:
            self._done += 1
            self._skipped += end.skipped
            self._size += end.fetched
            self._outcomes.append(_done(job, end, run.began, self._plan.directory))
        elif isinstance(error, StorageError) and error.is_for_all:
            self._left += 1  # through no fault of its own: it stays to be fetched
            self._fail(error)
        elif isinstance(error, DownloadError) and error.reason is Reason.UNWANTED:
            self._unwanted += 1
            self._outcomes.append(_failed(job, error, run.began))
        elif isinstance(error, DownloadError):
            self._failed += 1
            self._outcomes.append(_failed(job, error, run.began))
        elif error is None or isinstance(error, Cancel):
            self._left += 1
        else:  # a fault of ours must not look like a run that was stopped
            self._failed += 1
            self._outcomes.append(_failed(job, DownloadError(f"internal error: {error!r}"), run.began))
        if track.pending:
            if track.taken <= track.low:
                self._wanting.add(run.track)
        elif not track.taken:
            del self._tracks[run.track]
        if len(self._outcomes) >= MOST_OUTCOMES:
            self._queue.hold(self._held_for, True)
        if not self._going:
            self._going = True
            self._loop.soon(self._go_on)

    # Outcomes

    def _record(self) -> None:
        manifest = self._manifest
        if self._recording or not self._outcomes or manifest is None or self._broken:
            return
        self._recording = True
        outcomes, self._outcomes = self._outcomes, []
        self._work(lambda: manifest.record(outcomes), self._recorded)

    def _recorded(self, _value: object) -> None:
        self._recording = False
        self._queue.hold(self._held_for, False)

    # Going on, and ending

    def _tick(self) -> None:
        if self._over:
            return
        now = self._loop.now()
        if self._pace.is_due(now, RECORD_SECONDS):
            self._record()
        self._progress(now)
        self._loop.call_later(PROGRESS_SECONDS, self._tick)

    def _progress(self, now: float) -> None:
        size = self._size + self._runner.bytes_under_way()
        self._pace.sample(now, self._done - self._skipped + self._failed, size)
        self._emit(
            BatchProgressed(
                download=0,
                at=now,
                total=self._total(),
                listed=self._listed,
                done=self._done,
                skipped=self._skipped,
                failed=self._failed,
                active=self._runner.running,
                size=size,
                speed=self._pace.speed,
                pace=self._pace.files,
            )
        )

    def _total(self) -> int:
        return self._done + self._failed + self._pending + self._left + len(self._runs)

    def _go_on(self) -> None:
        """After any change: take more rows, or end."""
        self._going = False
        if self._over:
            return
        self._take()
        if len(self._outcomes) >= _GROUP_OUTCOMES:
            self._record()
        at_rest = not self._runs and not self._taking and not self._recording
        if not at_rest or self._jobs:
            return
        if not self._stopped and (not self._listed or self._pending):
            return
        if self._outcomes and not self._broken:
            self._record()
            return
        self._over = True
        self._finish()

    def _finish(self) -> None:
        manifest = self._manifest

        def close() -> list[tuple[str, str, int]]:
            if manifest is None:
                return []
            try:
                return [] if self._broken else manifest.failures(_MOST_FAILURES)
            finally:
                manifest.close()

        self._workers.submit(close, self._closed)

    def _closed(self, failures: Any, error: BaseException | None) -> None:
        now = self._loop.now()
        self._progress(now)
        self._workers.close()
        error = self._error or error
        summary = Summary(
            total=self._total(),
            done=self._done,
            skipped=self._skipped,
            failed=self._failed,
            pending=self._pending + self._left,
            rejected=self._rejected,
            size=self._size,
            elapsed=now - self._began,
            failures=tuple(failures or ()),
        )
        self._on_end(summary if error is None else None, error)


def _landed(job: Job, end: Landed, began: float) -> Outcome:
    return Outcome(
        job.id,
        job.target,
        end.size,
        None if end.sha256 is None else f"sha256:{end.sha256}",
        _shown(end.validator),
        None,
        began,
        time.time(),
        None,
        None,
        end.mtime_ns,
    )


def _shown(validator: Validator | None) -> str | None:
    return None if validator is None else f"{validator.kind}:{validator.value}"


def _done(job: Job, result: Result, began: float, root: Path) -> Outcome:
    final = result.final_url if result.final_url != redact(job.urls[0]) else None
    digest = result.sha256 or result.digest
    return Outcome(
        job.id,
        job.target if result.path.name == job.target else _target(result.path, root) or job.target,
        result.size,
        None if digest is None else str(digest),
        _shown(result.validator),
        final,
        began,
        time.time(),
        mtime=result.mtime_ns,
    )


def _target(path: Path, root: Path) -> str | None:
    """The path below `root`, with ``/`` between its components."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None


def _failed(job: Job, error: DownloadError, began: float) -> Outcome:
    reason = error.reason if isinstance(error.reason, Reason) else Reason.INTERNAL
    status = getattr(error, "status", 0)
    name = f"{reason.value} {status}" if reason is Reason.HTTP_STATUS and status else reason.value
    return Outcome(job.id, job.target, started=began, ended=time.time(), reason=name, message=error.message)
