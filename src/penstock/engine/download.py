"""One download's life: prepare, probe, fetch, verify, publish; and what becomes of it when it cannot go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from penstock.core.answer import Answer, Partial, Unsatisfied
from penstock.core.headers import http_date
from penstock.core.naming import choose_name
from penstock.core.ranges import RangeSet
from penstock.core.resume import Continue, Record, Refuse, Restart, plan_resume, settle_resume
from penstock.core.retry import Failure
from penstock.core.segments import Segments
from penstock.core.urls import identity, redact
from penstock.engine.beginning import (
    first_lane,
    first_range,
    known_from,
    name_from,
    nothing_to_have,
    recorded,
    split_output,
    trust_of,
)
from penstock.engine.checkpoints import Checkpoints
from penstock.engine.context import Context
from penstock.engine.fetch import Fetch, RepresentationMoved
from penstock.engine.fits import check_fits, check_length
from penstock.engine.patience import Patience, too_late
from penstock.engine.pipe import Backlog, Pipe
from penstock.engine.place import (
    Place,
    Skipped,
    claim,
    finish_publishing,
    forget,
    open_directory,
    prepare,
    storage_error,
    target_exists,
)
from penstock.engine.probe import Opened, probe
from penstock.engine.purse import Purse
from penstock.engine.quick import deliver, settle, whole_file
from penstock.engine.resources import fault_of
from penstock.engine.states import TRANSITIONS, State
from penstock.engine.verify import Mismatch, Verifier, announce
from penstock.errors import (
    CannotResume,
    DigestMismatch,
    DownloadError,
    NetworkError,
    ProtocolError,
    RepresentationChanged,
    ServerRefused,
    StorageError,
    TargetExists,
)
from penstock.events import Probed, Restarted, Resumed
from penstock.model import Digest, IfExists, Representation, Result
from penstock.store.deliver import has_journal
from penstock.store.directory import Directory
from penstock.store.publish import publish, set_aside

T = TypeVar("T")

#: Times a download begins again because the file changed on the server; one more is an error (F09).
MAX_RESTARTS: Final = 2


class Deadline(Exception):
    """The download's time is up."""


class Cancel(BaseException):
    """The owner wants it stopped."""


class Download:
    """Runs one request. `live` is its coroutine; everything here belongs to the loop's thread."""

    def __init__(
        self, context: Context, backlog: Backlog, *, vacant: bool = False, first: Opened | Failure | None = None
    ) -> None:
        """`vacant`: nothing was at the target a moment ago, neither a file nor what an earlier run left of it.
        `first` is how the first request for it went, when one was made already (see `swift`)."""
        self.context = context
        self.state = State.QUEUED
        #: True when the same request made again would go on from bytes on disk.
        self.resumable = False
        self._backlog = backlog
        self._vacant = vacant
        self._first = first
        self._fetch_now: Fetch | None = None
        self._leaving = False
        self._patience = Patience(context)
        self._directory: Directory | None = None
        self._place: Place | None = None
        self._pipe: Pipe | None = None
        self._checkpoints: Checkpoints | None = None
        self._known = Representation()
        self._restarts = 0
        self._fetched = 0
        self._resumed = 0
        self._most_lanes = 0

    async def live(self) -> Result:
        """From request to result; raises DownloadError, or Cancel when it was thrown in."""
        try:
            result = await self._live_by_some_source()
        except BaseException as error:
            failure = self._as_download_error(error)
            self._leaving = True
            await self._keep_what_came(failure)
            if failure is None:
                self._enter(State.CANCELLED)
                raise
            self._enter(State.FAILED)
            raise failure from error
        finally:
            self._release()
        self._enter(State.DONE)
        return result

    @property
    def interruptible(self) -> bool:
        """False once the end has begun: naming the target and keeping what came are never left half done."""
        return not self._leaving and self.state is not State.PUBLISHING

    def bytes_awaited(self) -> int | None:
        """Bytes that came so far, while more are waited for; None while it works on the disk."""
        if self.state is State.FETCHING and self._fetch_now is not None:
            return self._fetched + self._fetch_now.segments.done_bytes
        return self.context.collected() if self.state is State.PROBING and not self._leaving else None

    @property
    def _claimed(self) -> Place:
        """The place, once it is claimed."""
        assert self._place is not None
        return self._place

    async def _disk(self, job: Callable[[], T], keep: Callable[[T], None] = lambda _value: None) -> T:
        """Run `job` on a disk thread; interrupted, wait for its end all the same and `keep` what it brought."""
        promise = self.context.disk(job)
        try:
            value = await promise
        except (Cancel, Deadline):
            keep(await promise)
            raise
        keep(value)
        return value

    # The life

    async def _live_by_some_source(self) -> Result:
        """The sources are tried in turn: when one cannot give the file, the next one begins anew."""
        while True:
            try:
                return await self._live()
            except (NetworkError, ServerRefused, ProtocolError, DigestMismatch) as error:
                self.context.learn(error)
                if not self.context.next_source():
                    raise
                self.context.warn(f"{error.message}; trying {self.context.shown_url}")
                await self._forget_source()

    async def _forget_source(self) -> None:
        """Drop what the last source gave: nothing proves that the next one has the same bytes."""
        place = self._place
        if self._checkpoints is not None:
            await self._checkpoints.settle()
        if place is not None:
            await self._disk(lambda: forget(place))
        self._enter(State.PREPARING)
        self._release()
        self._count_on_disk(False)
        self._place = self._directory = self._pipe = self._checkpoints = self._fetch_now = None
        self._known = Representation()
        self._patience = Patience(self.context)
        self._vacant = False

    async def _live(self) -> Result:
        self._enter(State.PREPARING)
        if isinstance(self._first, Failure):
            failure, self._first = self._first, None
            self._enter(State.PROBING)
            await self.context.rest(self._patience.next_wait(failure))
        skipped = None if self._vacant else await self._look()
        if skipped is not None:
            return self._skip(skipped)
        place = self._place
        if place is not None and place.published:
            return await self._finish_published(place)
        while True:
            try:
                return await self._round()
            except RepresentationMoved as moved:
                if moved.failure is not None:
                    await self.context.rest(self._patience.next_wait(moved.failure))
                else:
                    self._count_change(moved.why)
                await self._start_over(moved.why)

    async def _look(self) -> Skipped | None:
        """Before anything is asked: is the directory usable, the target there, something left to go on from?"""
        await self._hold_directory()
        if self.context.request.output is not None:
            return await self._claim(self._target()[1])
        return await self._claim_left_behind()

    async def _round(self) -> Result:
        """From the first request to the target, for one representation."""
        place = self._place
        plan = self._plan(place) if place is not None else Restart("")
        if isinstance(plan, Restart) and plan.why:
            self._restarted(plan.why)
        self._enter(State.PROBING)
        asked = first_range(plan, place, self.context.options.min_segment)
        if_range = plan.validator.value if isinstance(plan, Continue) and plan.validator is not None else None
        first, self._first = self._first, None
        opened, answer = await probe(
            self.context,
            self._patience,
            range_header=asked,
            if_range=if_range,
            purse=self._purse(),
            first=first if isinstance(first, Opened) else None,
        )
        try:
            return await self._answered(opened, answer, plan)
        finally:
            opened.drop()

    async def _answered(self, opened: Opened, answer: Answer, plan: Continue | Restart) -> Result:
        if self._place is None:
            known = whole_file(opened, answer)
            result = None if known is None else await self._deliver(opened, answer, known)
            if result is not None:
                return result
            await self._hold_directory()
            skipped = await self._claim(self._target(answer)[1])
            if skipped is not None:
                return self._skip(skipped)
            if self._claimed.published:
                return await self._finish_published(self._claimed)
            plan = self._plan(self._claimed)
            if isinstance(plan, Restart) and plan.why:
                self._restarted(plan.why)
        place = self._claimed
        if isinstance(plan, Continue):
            plan = self._settle(plan, answer, place)
        if isinstance(plan, Restart) and isinstance(answer, Partial) and answer.range.start:
            raise RepresentationMoved(plan.why)  # its body begins in the middle: ask again
        done = plan.done if isinstance(plan, Continue) else RangeSet()
        known = known_from(answer, place, done)
        if known is None:
            assert isinstance(answer, Unsatisfied)
            if place.found is not None:
                raise RepresentationMoved(f"the server has no such bytes any more (its size is {answer.total})")
            raise nothing_to_have(self.context.shown_url)
        return await self._fetch(opened, answer, known, done, place)

    def _purse(self) -> Purse | None:
        """Memory for a small body, if it may go straight to its place: nothing of it is there to go on from."""
        if self._place is not None or self.context.options.if_exists is IfExists.RENAME:
            return None
        return self.context.purse

    async def _deliver(self, opened: Opened, answer: Answer, known: Representation) -> Result | None:
        """Put a small file that came whole in its place; None when something lies there that needs a closer look."""
        self._known = known
        check_fits(self.context, known)
        folder, name = self._target(answer)
        self._fetched += opened.opening.received
        self._most_lanes = 1
        self._leaving = True  # from here on it is put away, come what may
        try:
            delivered = settle(await deliver(self.context, opened, known, folder, name), self.context, known, folder)
        except Mismatch as mismatch:
            raise self._corrupt(mismatch) from None
        except FileExistsError:
            if self.context.options.if_exists is IfExists.SKIP:
                return self._skip(Skipped(folder / name, known.length or 0))
            raise target_exists(folder / name) from None
        finally:
            self._leaving = False
        if delivered is None:
            return None
        self._report_answer(opened, known, RangeSet(), folder / name, ranged=False)
        self._enter(State.PUBLISHING)
        result = self._result(folder / name, known.length or 0, opened.url, announce(self.context, known))
        if delivered.sha256 is None:
            return result
        return replace(result, sha256=Digest("sha256", bytes.fromhex(delivered.sha256)))

    async def _fetch(
        self, opened: Opened, answer: Answer, known: Representation, done: RangeSet, place: Place
    ) -> Result:
        context = self.context
        check_fits(self.context, known)
        self._known = known
        ranged = isinstance(answer, Partial) and known.length is not None
        self._report_answer(opened, known, done, place.path, ranged=ranged)
        await self._disk(partial(prepare, place, self._record(done), keep=bool(done)))
        segments = Segments(known.length, done, min_segment=context.options.min_segment)
        pipe = self._pipe = Pipe(context, place.part, self._backlog)
        checkpoints = self._checkpoints = Checkpoints(context, place.part, place.journal, pipe, self._record, done.size)
        verifier = Verifier(context, place.part, known)

        def on_tick(now: float) -> None:
            if checkpoints.error is not None:
                raise checkpoints.error
            if segments.length is None:
                place.part.check_headroom()
            checkpoints.tick(now, segments.done_bytes)
            verifier.tick()

        fetch = Fetch(
            context,
            known,
            url=opened.url,
            segments=segments,
            pipe=pipe,
            patience=self._patience,
            ranged=ranged,
            on_tick=on_tick,
        )
        self._enter(State.FETCHING)
        self._fetch_now = fetch
        try:
            await fetch.run(*first_lane(opened, answer, segments, ranged=ranged))
        finally:
            self._fetched += fetch.received
            self._most_lanes = max(self._most_lanes, fetch.most_lanes)
        length = segments.length
        assert length is not None
        check_fits(self.context, replace(known, length=length))
        return await self._finish(verifier, length, opened, place)

    async def _finish(self, verifier: Verifier, length: int, opened: Opened, place: Place) -> Result:
        assert self._pipe is not None
        assert self._checkpoints is not None
        self._enter(State.VERIFYING)
        await self._written()
        place.part.check_untouched()
        if place.part.prefix() < length:  # a fault of ours must never pass for the file
            raise StorageError(f"{place.path}: internal error: not all that came was written; the same command goes on")
        if place.part.size != length:
            place.part.truncate(length)
        try:
            digest = await verifier.finish(length)  # while a last checkpoint may still wait for the disk
            await self._checkpoints.settle()
        except Mismatch as mismatch:
            await self._checkpoints.settle()
            name = await self._disk(lambda: set_aside(place.part, place.journal, place.target))
            mismatch.kept = place.directory.path / name
            raise self._corrupt(mismatch) from None
        self._enter(State.PUBLISHING)
        options = self.context.options
        modified = http_date(self._known.last_modified) if options.remote_time else None
        overwrite = options.if_exists is IfExists.OVERWRITE
        await self._disk(
            lambda: publish(place.part, place.journal, place.target, modified=modified, overwrite=overwrite)
        )
        return replace(self._result(place.path, length, opened.url, digest), sha256=verifier.sha256)

    # The steps

    async def _claim(self, name: str) -> Skipped | None:
        directory = self._directory
        assert directory is not None
        policy = self.context.options.if_exists
        claimed = await self._disk(lambda: claim(directory, name, policy), self._settle_in)
        return claimed if isinstance(claimed, Skipped) else None

    def _hold(self, directory: Directory) -> None:
        self._directory = directory
        self._count_on_disk(True)

    def _count_on_disk(self, is_on_disk: bool) -> None:
        if self.context.ticket is not None:
            self.context.ticket.is_on_disk = is_on_disk

    def _settle_in(self, claimed: Place | Skipped) -> None:
        if isinstance(claimed, Place):
            self._place = claimed

    async def _claim_left_behind(self) -> Skipped | None:
        """Without a name from the caller, an earlier run's journal under the URL's own name tells where to go on."""
        directory = self._directory
        assert directory is not None
        guess = choose_name(disposition=None, url=self.context.url, media_type=None)
        if self.context.options.if_exists is IfExists.RENAME:
            return None
        if await self._disk(lambda: has_journal(directory, guess)):
            return await self._claim(guess)
        return None

    def _plan(self, place: Place) -> Continue | Restart:
        trust = trust_of(self.context.request)
        plan = plan_resume(place.found, source=self.context.source, part_size=place.part_size, trust=trust)
        if isinstance(plan, Refuse):
            raise CannotResume(f"{place.directory.path / place.part.name}: {plan.why}", url=self.context.shown_url)
        return plan

    def _settle(self, plan: Continue, answer: Answer, place: Place) -> Continue | Restart:
        """With the answer in hand, keep the old bytes or not."""
        assert isinstance(place.found, Record)
        adopted = place.found.source != self.context.source
        settled = settle_resume(place.found, answer, strict=adopted)
        if isinstance(settled, Restart):
            self._restarted(settled.why)
            return settled
        return plan

    async def _hold_directory(self) -> None:
        """Make the target's directory if need be, and hold it."""
        if self._directory is None:
            folder, _ = self._target()
            await self._disk(lambda: open_directory(folder), self._hold)

    def _target(self, answer: Answer | None = None) -> tuple[Path, str]:
        """The target's folder and name: as the request says, or as the URL and the `answer` say."""
        request = self.context.request
        if request.output is not None:
            return split_output(request.directory, request.output)
        return request.directory, "" if answer is None else name_from(answer, self.context.url)

    def _report_answer(
        self, opened: Opened, known: Representation, done: RangeSet, path: Path, *, ranged: bool
    ) -> None:
        context = self.context
        context.emit(
            Probed(
                download=context.number,
                at=context.now,
                final_url=redact(opened.url),
                path=str(path),
                length=known.length,
                accepts_ranges=ranged,
                validator=known.validator,
            )
        )
        self._resumed = done.size
        if done:
            context.emit(Resumed(download=context.number, at=context.now, kept=done.size))
            self._patience.arrived(done.size)
        if known.encoded:
            context.warn("the server sends it compressed though asked not to: decoding it as one stream")
        elif not ranged and known.length is None:
            context.warn("the server does not say the size: one stream, and its end cannot be checked")

    def _record(self, done: RangeSet) -> Record:
        known = self._known
        return Record(
            source=identity(self.context.url),
            length=known.length,
            validator=known.validator,
            etag=known.etag,
            last_modified=known.last_modified,
            done=tuple((piece.start, piece.stop) for piece in done),
        )

    def _restarted(self, why: str) -> None:
        place = self._place
        dropped = 0
        if place is not None:
            dropped = place.part.written().size if self._pipe is not None else recorded(place)
        context = self.context
        context.emit(Restarted(download=context.number, at=context.now, why=why, dropped=dropped))

    def _count_change(self, why: str) -> None:
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            url = self.context.shown_url
            message = f"{url}: the file keeps changing on the server: {why}; try again later"
            raise RepresentationChanged(message, url=url)

    async def _start_over(self, why: str) -> None:
        """Forget every byte that came so far."""
        if self._pipe is not None:
            await self._pipe.barrier()
        if self._checkpoints is not None:
            await self._checkpoints.settle()
        self._enter(State.PREPARING)
        place = self._place
        if place is None:
            return
        if place.found is None or self._pipe is not None:
            self._restarted(why)
        self._pipe = self._checkpoints = None
        place.found = None
        place.part_size = 0

    async def _written(self) -> None:
        """Return when all that came is written; raises what went wrong."""
        assert self._pipe is not None
        self._pipe.flush_all()
        await self._pipe.barrier()
        if self._pipe.error is not None:
            raise self._pipe.error

    def _corrupt(self, mismatch: Mismatch) -> DigestMismatch:
        who = "" if mismatch.source == "request" else " (from the server)"
        url = self.context.shown_url
        return DigestMismatch(
            f"{url}: {mismatch.expected.algorithm} is {mismatch.got.value.hex()}, not "
            f"{mismatch.expected.value.hex()}{who}; the bytes are kept in {mismatch.kept}; "
            "check the checksum at its source, or run the same command again",
            url=url,
        )

    def _skip(self, skipped: Skipped) -> Result:
        result = self._result(skipped.path, skipped.size, self.context.url, None)
        return replace(result, skipped=True)

    async def _finish_published(self, place: Place) -> Result:
        """An earlier run was killed between naming the target and cleaning up; it may have expected other bytes."""
        self._enter(State.VERIFYING)
        size = place.part.size
        # not against the server's digest: it may serve a newer file by now
        verifier = Verifier(self.context, place.part, Representation())
        try:
            check_length(self.context, size)
            digest = await verifier.finish(size)
        except DownloadError:
            await self._disk(lambda: finish_publishing(place))
            raise
        except Mismatch as mismatch:
            await self._disk(lambda: finish_publishing(place))
            mismatch.kept = place.path
            raise self._corrupt(mismatch) from None
        self._enter(State.PUBLISHING)
        await self._disk(lambda: finish_publishing(place))
        self._resumed = size
        return replace(self._result(place.path, size, self.context.url, digest), sha256=verifier.sha256)

    def _result(self, path: Path, size: int, url: str, digest: Digest | None) -> Result:
        return Result(
            path=path,
            size=size,
            url=self.context.shown_url,
            final_url=redact(url),
            digest=digest,
            digest_source=None if digest is None else "server" if self.context.request.checksum is None else "request",
            validator=self._known.validator,
            media_type=self._known.media_type,
            elapsed=self.context.now - self.context.started,
            fetched=self._fetched,
            resumed=self._resumed,
            connections=self._most_lanes,
        )

    # The end

    def _as_download_error(self, error: BaseException) -> DownloadError | None:
        """The error a caller sees; None for a cancellation."""
        url = self.context.shown_url
        if isinstance(error, Cancel):
            return None
        if isinstance(error, DownloadError):
            error.url = error.url or url
            return error
        if isinstance(error, Deadline):
            return too_late(self.context)
        place = self._place
        if isinstance(error, FileExistsError) and place is not None:
            return TargetExists(
                f"{place.path} appeared while we downloaded; the bytes are kept in {place.part.name}: move one "
                "away and run the same command again",
                url=url,
            )
        if isinstance(error, OSError):
            path = place.path if place is not None else self.context.request.directory
            failure = storage_error(error, path)
            failure.url = url
            return failure
        fault = fault_of(error, url)
        fault.url = url
        return fault

    async def _keep_what_came(self, failure: DownloadError | None) -> None:
        """Make the bytes that came durable and say whether they can be gone on from; drop an empty part."""
        place = self._place
        if place is None or place.published or isinstance(failure, DigestMismatch):
            return
        try:
            if self._checkpoints is not None and self._pipe is not None:
                self._pipe.flush_all()
                await self._checkpoints.final()
            kept = place.part.written().size if self._checkpoints is not None else recorded(place)
            if not kept and not isinstance(failure, CannotResume):
                await self._disk(lambda: forget(place))
        except OSError:
            # the disk refuses this too: the journal of the last checkpoint still stands
            kept = recorded(place) if place.part.is_there else 0
        provable = self._known.validator is not None or self.context.request.checksum is not None
        self.resumable = kept > 0 and (provable or self._checkpoints is None or self.context.options.resume_unsafe)
        if failure is not None:
            failure.resumable = self.resumable

    def _release(self) -> None:
        if self._place is not None:
            self._place.part.close()
        if self._directory is not None:
            self._directory.close()

    def orphan(self) -> None:
        """In a forked child: let go of the parent's part file without touching it."""
        if self._place is not None:
            self._place.part.close()

    def _enter(self, state: State) -> None:
        if state is not self.state:
            assert state in TRANSITIONS[self.state], f"{self.state} -> {state}"
            if self.context.trace is not None:
                self.context.trace.entered(self.context.number, self.state.value, state.value)
            self.state = state
