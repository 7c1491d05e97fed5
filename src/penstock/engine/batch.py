"""Many files: from the rows of a list, through the manifest, to downloads and their outcomes.

    list ──► intake ──► manifest (the queue, on disk) ──► queue (in memory, bounded) ──► downloads ──► manifest

Nothing here grows with the list: the intake stays a bounded number of rows ahead, each origin has a few rows waiting
in memory, and outcomes are written in groups, without which nothing new begins. Lives on the loop's thread; the
manifest lives on a thread of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from penstock.core.rows import BadRow, Row
from penstock.core.template import Template
from penstock.core.urls import escape, origin, redact
from penstock.engine.context import Surroundings
from penstock.engine.intake import Intake
from penstock.engine.outcomes import Tally, is_for_all
from penstock.engine.pace import Pace
from penstock.engine.place import open_directory
from penstock.engine.resources import enough_resources, fault_of
from penstock.engine.row_runs import RowRun, RowRuns
from penstock.engine.runner import End, Runner
from penstock.engine.tracks import Tracks
from penstock.events import AnyEvent, BatchProgressed, RowRejected, Warned
from penstock.model import Options, Summary
from penstock.store.entries import Added, Entry, Job, Outcome, Rules
from penstock.store.hashing import Stopped, hash_file
from penstock.store.manifest import Manifest
from penstock.store.manifest_file import reserved_targets
from penstock.store.threads import Workers

#: Outcomes that are not yet written down, beyond which nothing new begins.
MOST_OUTCOMES: Final = 4096
#: Outcomes that are written down without waiting for more.
_GROUP_OUTCOMES: Final = 512
#: Seconds between writings of outcomes; a kill costs a look at the files of this time.
RECORD_SECONDS: Final = 0.25
#: Seconds between looks at which origins stand still, while the list is read no further.
LOOK_SECONDS: Final = 1.0
#: Seconds between progress events.
PROGRESS_SECONDS: Final = 0.1
#: (origin, reason) pairs in the summary.
_MOST_FAILURES: Final = 10


class Plan(NamedTuple):
    """How a batch is carried out. `manifest` None: it dies with the process."""

    directory: Path
    options: Options
    manifest: Path | None = None
    template: str = "{name}"
    rechecks: bool = False


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
        self._runner = runner
        self._loop = shared.loop
        self._queue = shared.queue
        self._emit: Callable[[AnyEvent], None] = shared.emit
        self._on_end = on_end
        self._workers = Workers("penstock-manifest", 1, self._loop.call)
        reserved = reserved_targets(plan.manifest, plan.directory)
        self._intake = Intake(rows, template, self._on_rows, reserved)
        self._manifest: Manifest | None = None
        self._row_runs = RowRuns(
            plan.directory, plan.options, with_digest=plan.manifest is not None, on_end=self._ended
        )
        self._tracks = Tracks()
        self._tally = Tally()
        self._runs: set[RowRun] = set()
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
        self._began = self._looked_at = self._loop.now()
        self._pace = Pace(self._began)

    def start(self) -> None:
        """Open directory and manifest, then read the list."""
        plan = self._plan
        rules = Rules.of(plan.directory, plan.options.if_exists, rechecks=plan.rechecks)

        def opened() -> Manifest:
            open_directory(plan.directory).close()
            return Manifest.open(plan.manifest, rules, self._hash)

        self._work(opened, self._opened)
        self._tick()  # whoever watches hears of the list before its first file

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

    def fail(self, error: BaseException) -> None:
        """A step of it may have been lost: end, rather than wait for it."""
        self._going = False
        self._fail(fault_of(error, "the list"))
        self._loop.soon(self._go_on)

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
        if self._row_runs.home is None and entries:
            self._row_runs.home = origin(entries[0].urls[0])
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
        self._tally.done += added.done
        self._tally.skipped += added.done
        self._tally.failed += len(added.failed)
        for entry, why in added.failed:
            self._reject(entry.line, redact(entry.urls[0]), why, counts=False)
        for entry, why in added.clashes:
            self._reject(entry.line, redact(entry.urls[0]), why)
        if added.renamed and not self._has_renamed:
            self._has_renamed = True
            self._warn_renamed(*added.renamed[0])
        for number, (count, first) in added.waiting.items():
            self._tracks.add(number, count, first)
        self._intake.moved(self._tracks.ahead)
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

    def _warn_withheld(self) -> None:
        message = (
            f"login, cookies and header fields go to {self._row_runs.home} only, where the list begins; give others "
            "theirs by .netrc, a cookie file, or header= lines in the list"
        )
        self._emit(Warned(download=0, at=self._loop.now(), message=message))

    def _reject(self, line: int, text: str, why: str, *, counts: bool = True) -> None:
        self._tally.rejected += counts
        self._emit(RowRejected(download=0, at=self._loop.now(), line=line, text=text, why=why))

    # Rows go out

    def _take(self) -> None:
        """Ask the manifest for rows of the origins that have room for more."""
        if self._taking or self._stopped or self._is_held or len(self._outcomes) >= MOST_OUTCOMES:
            return
        wanted = self._tracks.wanted()
        if not wanted:
            return
        manifest = self._manifest
        assert manifest is not None
        self._taking = True
        self._work(lambda: manifest.take(wanted), self._taken)

    def _taken(self, jobs: dict[int, list[Job]]) -> None:
        self._taking = False
        now = time.time()
        for number, rows in jobs.items():
            track = self._tracks.take(number, [job.turn for job in rows])
            if not rows:
                continue
            if track.origin is None:
                track.origin = origin(rows[0].urls[0])
            if self._row_runs.withholds(track.origin):
                self._warn_withheld()
            runs = [self._row_runs.make(job, number, track.origin, now) for job in rows]
            for run in runs:
                run.cancelled = self._stopped
            self._runs.update(runs)
            # soon, for some may end right inside
            self._loop.soon(self._runner.add, runs)
        self._intake.moved(self._tracks.ahead)

    def _ended(self, run: RowRun, end: End, error: BaseException | None) -> None:
        self._runs.discard(run)
        self._tracks.end(run.track, was_had=end is not None)
        outcome = self._tally.count(run.job, end, error, began=run.began, now=time.time(), root=self._plan.directory)
        if outcome is not None:
            self._outcomes.append(outcome)
        elif error is not None and is_for_all(error):
            self._fail(error)
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
        if self._intake.is_ahead and now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._tracks.look()
            self._intake.moved(self._tracks.ahead)
        self._progress(now)
        self._loop.call_later(PROGRESS_SECONDS, self._tick)

    def _progress(self, now: float, *, ended: bool = False) -> None:
        size = self._tally.size + self._runner.bytes_under_way()
        self._pace.sample(now, self._tally.done - self._tally.skipped + self._tally.failed, size)
        self._emit(
            BatchProgressed(
                download=0,
                at=now,
                total=self._total(),
                listed=self._listed,
                done=self._tally.done,
                skipped=self._tally.skipped,
                failed=self._tally.failed,
                active=self._runner.running,
                size=size,
                speed=self._pace.speed,
                pace=self._pace.files,
                ended=ended,
            )
        )

    def _total(self) -> int:
        return self._tally.done + self._tally.failed + self._tracks.pending + self._tally.left + len(self._runs)

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
        if not self._stopped and (not self._listed or self._tracks.pending):
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
        self._progress(now, ended=True)
        self._workers.close()
        error = self._error or error
        summary = Summary(
            total=self._total(),
            done=self._tally.done,
            skipped=self._tally.skipped,
            failed=self._tally.failed,
            pending=self._tracks.pending + self._tally.left,
            rejected=self._tally.rejected,
            size=self._tally.size,
            elapsed=now - self._began,
            failures=tuple(failures or ()),
        )
        self._on_end(summary if error is None else None, error)
