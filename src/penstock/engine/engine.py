"""The engine: one network thread, a writer, a few disk threads, and the downloads that live on them."""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import threading
import weakref
from concurrent.futures import Future
from functools import partial
from typing import Final

from penstock.engine.context import Context
from penstock.engine.download import Cancel, Deadline, Download
from penstock.engine.fanout import Fanout, Listener
from penstock.engine.pipe import Backlog
from penstock.errors import DownloaderClosed, DownloadError, TargetLocked
from penstock.events import Cancelled, Failed, Finished
from penstock.model import Request, Result
from penstock.net.loop import Loop
from penstock.net.tasks import Promise, Task
from penstock.store.threads import Workers

#: Threads for syncing, hashing, opening and renaming.
_DISK_THREADS: Final = 3


class _Run:
    """One download on the engine."""

    __slots__ = ("cancelled", "context", "download", "ended", "future", "task")

    def __init__(self, context: Context, download: Download, future: Future[Result]) -> None:
        self.context = context
        self.download = download
        self.future = future
        self.cancelled = False
        self.ended: Promise[None] = Promise(context.loop.soon)
        self.task: Task | None = None


class Engine:
    """Carries out requests. `submit`, `close` and futures are for any thread."""

    def __init__(self, listener: Listener | None, rate_limit: int | None) -> None:
        self._fanout = Fanout(listener)
        self._loop = Loop(_report)
        self._writer = Workers("penstock-write", 1, self._loop.call)
        self._workers = Workers("penstock-disk", _DISK_THREADS, self._loop.call)
        self._backlog = Backlog(self._loop.gate)
        self._runs: dict[int, _Run] = {}
        self._numbers = itertools.count(1)
        self._guard = threading.Lock()
        self._idle = threading.Condition(self._guard)
        self._closing = False
        self._closed = False
        self._owner = os.getpid()
        if rate_limit is not None:
            self._loop.call(self._loop.gate.limit_rate, rate_limit)
        _engines.add(self)

    def submit(self, request: Request) -> Future[Result]:
        """Begin a download; its future can be cancelled at any time before its end."""
        future: Future[Result] = Future()
        with self._guard:
            if self._owner != os.getpid():
                raise DownloaderClosed("this downloader belongs to the parent process; make a new one after a fork")
            if self._closing:
                raise DownloaderClosed("the downloader was closed")
            number = next(self._numbers)
            context = Context(
                number,
                request,
                loop=self._loop,
                writer=self._writer,
                workers=self._workers,
                emit=self._fanout.emit,
            )
            run = self._runs[number] = _Run(context, Download(context, self._backlog), future)
        future.add_done_callback(partial(self._on_future_done, run))
        self._loop.call(self._start, run)
        return future

    def close(self, *, cancel: bool) -> None:
        """Wait for all downloads, or with `cancel` stop them (each leaves a resumable part); then end the threads."""
        with self._guard:
            if self._owner != os.getpid():
                return
            first = not self._closing
            self._closing = True
        if cancel:
            self._loop.call(self._cancel_all)
        with self._idle:
            # in short waits, so that a signal's handler runs in between on every platform
            while self._runs:
                self._idle.wait(0.2)
        if not first:
            return
        self._loop.close()
        self._writer.close()
        self._workers.close()
        self._fanout.close()
        self._closed = True
        _engines.discard(self)

    def limit_rate(self, rate: int | None) -> None:
        """Change the limit over all transfers, bytes per second; None lifts it."""
        self._loop.call(self._loop.gate.limit_rate, rate)

    def orphan(self) -> None:
        """In a forked child there are no threads: let go of what was inherited, touch nothing of the parent's."""
        self._closing = True
        for run in self._runs.values():
            run.download.orphan()
        self._runs.clear()

    # On the loop's thread, but for the resolving of futures: their callbacks are the caller's code

    def _start(self, run: _Run) -> None:
        if run.cancelled:
            self._ended(run, None, Cancel())
            return
        run.task = Task(run.download.live(), partial(self._ended, run))
        deadline = run.context.options.deadline
        if deadline is not None:
            run.context.loop.call_later(deadline, partial(self._interrupt, run, Deadline))
        run.task.start()

    def _ended(self, run: _Run, result: Result | None, error: BaseException | None) -> None:
        if isinstance(error, TargetLocked) and self._has_leaving(run):
            self._start_after_leaving(run)
            return
        context, future = run.context, run.future
        number, now = context.number, context.now
        if error is None and result is not None:
            self._fanout.emit(Finished(download=number, at=now, result=result))
        elif isinstance(error, DownloadError):
            self._fanout.emit(Failed(download=number, at=now, error=error))
        else:
            self._fanout.emit(Cancelled(download=number, at=now, resumable=run.download.resumable))
        self._fanout.post(lambda: self._resolve(future, result, error))
        run.ended.set(None)
        with self._idle:
            del self._runs[number]
            self._idle.notify_all()

    @staticmethod
    def _resolve(future: Future[Result], result: Result | None, error: BaseException | None) -> None:
        if isinstance(error, Cancel):
            future.cancel()
        if not future.set_running_or_notify_cancel():
            return
        if error is None and result is not None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def _has_leaving(self, run: _Run) -> bool:
        return any(other.cancelled for other in self._runs.values() if other is not run)

    def _start_after_leaving(self, run: _Run) -> None:
        """The lock may be held by a cancelled download of our own that is still writing its last checkpoint."""
        leaving = next(other for other in self._runs.values() if other is not run and other.cancelled)
        run.download = Download(run.context, self._backlog)
        leaving.ended.on_settled(lambda: self._start(run))

    def _on_future_done(self, run: _Run, future: Future[Result]) -> None:
        """Called on any thread when the future is done; does something only when its owner cancelled it."""
        if future.cancelled() and not run.cancelled and self._owner == os.getpid():
            self._loop.call(self._cancel, run)

    def _cancel_all(self) -> None:
        for run in list(self._runs.values()):
            self._cancel(run)

    def _cancel(self, run: _Run) -> None:
        if run.cancelled:
            return
        run.cancelled = True
        self._interrupt(run, Cancel)

    @staticmethod
    def _interrupt(run: _Run, kind: type[Cancel | Deadline]) -> None:
        if run.task is not None and run.download.interruptible:
            run.task.throw(kind())


def _report(error: BaseException) -> None:
    logging.getLogger("penstock").error("internal error on the network thread", exc_info=error)


_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def _close_all() -> None:
    for engine in list(_engines):
        engine.close(cancel=True)


def _orphan_all() -> None:
    for engine in list(_engines):
        engine.orphan()
    _engines.clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_orphan_all)
