"""One download's life: prepare, probe, fetch, verify, publish; and what becomes of it when it cannot go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from penstock.core.answer import Answer, Partial, Unsatisfied
from penstock.core.headers import http_date
from penstock.core.naming import choose_name
from penstock.core.ranges import RangeSet
from penstock.core.resume import Continue, Record, Refuse, Restart, plan_resume, settle_resume
from penstock.core.retry import Failure
from penstock.core.segments import Segments
from penstock.engine.account import Account
from penstock.engine.beginning import (
    first_lane,
    first_range,
    known_from,
    name_from,
    nothing_to_have,
    split_output,
    trust_of,
)
from penstock.engine.context import Context
from penstock.engine.ending import as_download_error, corrupt
from penstock.engine.fetch import Fetch, RepresentationMoved
from penstock.engine.fits import check_fits, check_length
from penstock.engine.on_disk import OnDisk
from penstock.engine.patience import Patience
from penstock.engine.pipe import Backlog
from penstock.engine.place import Place, Skipped, finish_publishing, target_exists
from penstock.engine.probe import Opened, probe
from penstock.engine.purse import Purse
from penstock.engine.quick import deliver, settle, whole_file
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
)
from penstock.events import Restarted
from penstock.model import Digest, IfExists, Representation, Result
from penstock.store.publish import publish, set_aside

#: Times a download begins again because the file changed on the server; one more is an error (F09).
MAX_RESTARTS: Final = 2


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
        self._vacant = vacant
        self._first = first
        self._fetch_now: Fetch | None = None
        self._leaving = False
        self._patience = Patience(context)
        self._disk = OnDisk(context, backlog)
        self._account = Account(context)
        self._restarts = 0

    async def live(self) -> Result:
        """From request to result; raises DownloadError, or Cancel when it was thrown in."""
        try:
            result = await self._live_by_some_source()
        except BaseException as error:
            failure = as_download_error(error, self.context, self._disk.place)
            self._leaving = True
            await self._keep_what_came(failure)
            if failure is None:
                self._enter(State.CANCELLED)
                raise
            self._enter(State.FAILED)
            raise failure from error
        finally:
            self._disk.release()
        self._enter(State.DONE)
        return result

    @property
    def interruptible(self) -> bool:
        """False once the end has begun: naming the target and keeping what came are never left half done."""
        return not self._leaving and self.state is not State.PUBLISHING

    def bytes_awaited(self) -> int | None:
        """Bytes that came so far, while more are waited for; None while it works on the disk."""
        if self.state is State.FETCHING and self._fetch_now is not None:
            return self._account.fetched + self._fetch_now.segments.done_bytes
        return self.context.collected() if self.state is State.PROBING and not self._leaving else None

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
        await self._disk.forget()
        self._enter(State.PREPARING)
        self._fetch_now = None
        self._account.known = Representation()
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
            return self._account.skipped(skipped)
        place = self._disk.place
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
        folder, name = self._target()
        await self._disk.hold_directory(folder)
        if self.context.request.output is not None:
            return await self._disk.claim(name)
        # without a name from the caller, an earlier run's journal under the URL's own name tells where to go on
        return await self._disk.claim_left_behind(choose_name(disposition=None, url=self.context.url, media_type=None))

    async def _round(self) -> Result:
        """From the first request to the target, for one representation."""
        place = self._disk.place
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
        if self._disk.place is None:
            known = whole_file(opened, answer)
            result = None if known is None else await self._deliver(opened, answer, known)
            if result is not None:
                return result
            folder, name = self._target(answer)
            await self._disk.hold_directory(folder)
            skipped = await self._disk.claim(name)
            if skipped is not None:
                return self._account.skipped(skipped)
            if self._disk.claimed.published:
                return await self._finish_published(self._disk.claimed)
            plan = self._plan(self._disk.claimed)
            if isinstance(plan, Restart) and plan.why:
                self._restarted(plan.why)
        place = self._disk.claimed
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
        if self._disk.place is not None or self.context.options.if_exists is IfExists.RENAME:
            return None
        return self.context.purse

    async def _deliver(self, opened: Opened, answer: Answer, known: Representation) -> Result | None:
        """Put a small file that came whole in its place; None when something lies there that needs a closer look."""
        account = self._account
        account.known = known
        check_fits(self.context, known)
        folder, name = self._target(answer)
        account.came_at_once(opened.opening.received)
        self._leaving = True  # from here on it is put away, come what may
        try:
            delivered = settle(await deliver(self.context, opened, known, folder, name), self.context, known, folder)
        except Mismatch as mismatch:
            raise corrupt(mismatch, self.context) from None
        except FileExistsError:
            if self.context.options.if_exists is IfExists.SKIP:
                return account.skipped(Skipped(folder / name, known.length or 0))
            raise target_exists(folder / name) from None
        finally:
            self._leaving = False
        if delivered is None:
            return None
        account.report_answer(opened.url, RangeSet(), folder / name, ranged=False)
        self._enter(State.PUBLISHING)
        sha256 = None if delivered.sha256 is None else Digest("sha256", bytes.fromhex(delivered.sha256))
        return account.result(folder / name, known.length or 0, opened.url, announce(self.context, known), sha256)

    async def _fetch(
        self, opened: Opened, answer: Answer, known: Representation, done: RangeSet, place: Place
    ) -> Result:
        context, account = self.context, self._account
        check_fits(context, known)
        account.known = known
        ranged = isinstance(answer, Partial) and known.length is not None
        account.report_answer(opened.url, done, place.path, ranged=ranged)
        if done:
            self._patience.arrived(done.size)
        segments = Segments(known.length, done, min_segment=context.options.min_segment)
        pipe, checkpoints = await self._disk.open_pipe(account.record, done)
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
            account.came_by(fetch)
        length = segments.length
        assert length is not None
        check_fits(context, replace(known, length=length))
        return await self._finish(verifier, length, opened, place)

    async def _finish(self, verifier: Verifier, length: int, opened: Opened, place: Place) -> Result:
        self._enter(State.VERIFYING)
        await self._disk.written(length)
        try:
            digest = await verifier.finish(length)  # while a last checkpoint may still wait for the disk
            await self._disk.settle()
        except Mismatch as mismatch:
            await self._disk.settle()
            name = await self._disk.do(lambda: set_aside(place.part, place.journal, place.target))
            mismatch.kept = place.directory.path / name
            raise corrupt(mismatch, self.context) from None
        self._enter(State.PUBLISHING)
        options = self.context.options
        modified = http_date(self._account.known.last_modified) if options.remote_time else None
        overwrite = options.if_exists is IfExists.OVERWRITE
        await self._disk.do(
            lambda: publish(place.part, place.journal, place.target, modified=modified, overwrite=overwrite)
        )
        return self._account.result(place.path, length, opened.url, digest, verifier.sha256)

    # The steps

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

    def _target(self, answer: Answer | None = None) -> tuple[Path, str]:
        """The target's folder and name: as the request says, or as the URL and the `answer` say."""
        request = self.context.request
        if request.output is not None:
            return split_output(request.directory, request.output)
        return request.directory, "" if answer is None else name_from(answer, self.context.url)

    def _restarted(self, why: str) -> None:
        context, dropped = self.context, self._disk.kept_so_far
        context.emit(Restarted(download=context.number, at=context.now, why=why, dropped=dropped))

    def _count_change(self, why: str) -> None:
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            url = self.context.shown_url
            message = f"{url}: the file keeps changing on the server: {why}; try again later"
            raise RepresentationChanged(message, url=url)

    async def _start_over(self, why: str) -> None:
        """Forget every byte that came so far."""
        await self._disk.close_pipe()
        self._enter(State.PREPARING)
        place = self._disk.place
        if place is not None and (place.found is None or self._disk.is_open):
            self._restarted(why)
        self._disk.start_over()

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
            await self._disk.do(lambda: finish_publishing(place))
            raise
        except Mismatch as mismatch:
            await self._disk.do(lambda: finish_publishing(place))
            mismatch.kept = place.path
            raise corrupt(mismatch, self.context) from None
        self._enter(State.PUBLISHING)
        await self._disk.do(lambda: finish_publishing(place))
        self._account.resumed = size
        return self._account.result(place.path, size, self.context.url, digest, verifier.sha256)

    # The end

    async def _keep_what_came(self, failure: DownloadError | None) -> None:
        """Make the bytes that came durable and say whether they can be gone on from; drop an empty part."""
        place = self._disk.place
        if place is None or place.published or isinstance(failure, DigestMismatch):
            return
        kept = await self._disk.keep(even_nothing=isinstance(failure, CannotResume))
        provable = self._account.known.validator is not None or self.context.request.checksum is not None
        self.resumable = kept > 0 and (provable or not self._disk.is_open or self.context.options.resume_unsafe)
        if failure is not None:
            failure.resumable = self.resumable

    def orphan(self) -> None:
        """In a forked child: let go of the parent's part file without touching it."""
        self._disk.orphan()

    def _enter(self, state: State) -> None:
        if state is not self.state:
            assert state in TRANSITIONS[self.state], f"{self.state} -> {state}"
            if self.context.trace is not None:
                self.context.trace.entered(self.context.number, self.state.value, state.value)
            self.state = state
