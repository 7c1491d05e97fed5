"""The engine: one network thread, a writer, a few disk threads, and the downloads that live on them.

`submit` and `close` are for any thread; what they start lives on the network thread (see `runner`).
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from penstock.core.rows import BadRow, Row
from penstock.core.urls import escape, origin
from penstock.engine.batch import Batch, Plan
from penstock.engine.context import Context, Surroundings
from penstock.engine.deliveries import Deliveries
from penstock.engine.descriptors import connections_within_limits
from penstock.engine.document import read_document
from penstock.engine.ending import Cancel
from penstock.engine.fanout import Fanout, Listener
from penstock.engine.hosts import DEFAULT_PER_HOST, Host, Hosts
from penstock.engine.patience import too_late
from penstock.engine.pipe import Backlog
from penstock.engine.preview import preview
from penstock.engine.purse import Purse
from penstock.engine.queue import DEFAULT_MAX_FILES, DEFAULT_TOTAL_CONNECTIONS, Queue
from penstock.engine.resources import enough_resources, give_back_memory
from penstock.engine.runner import End, Run, Runner, result_of
from penstock.errors import DownloaderClosed, OutOfResources, StorageError
from penstock.events import Warned
from penstock.model import Document, Origin, Preview, Request, Result, Summary
from penstock.net.loop import MAX_IDLE_CONNECTIONS, Loop
from penstock.net.tasks import Task
from penstock.store.threads import Workers

if TYPE_CHECKING:
    from penstock.engine.recorder import Recorder

T = TypeVar("T")

#: Downloads after which the C library keeps enough free memory to be worth giving back.
_MANY_DOWNLOADS: Final = 200
#: Threads for syncing, hashing, opening and renaming.
_DISK_THREADS: Final = 3


class Limits(NamedTuple):
    """What bounds all downloads of an engine together; None: see `engine.hosts` for `per_host`, no bound for rates.

    `rate` is bytes per second over all, `pace` requests per second to each origin.
    """

    rate: int | None = None
    max_files: int = DEFAULT_MAX_FILES
    per_host: int | None = None
    pace: float | None = None
    total_connections: int = DEFAULT_TOTAL_CONNECTIONS

    def told(self) -> dict[str, Any]:
        """By the names that users know, as they hold: None for what is not bounded."""
        names = {"rate": "rate_limit", "pace": "rate_per_host"}
        bounds = self._replace(per_host=self.per_host or DEFAULT_PER_HOST)
        return {names.get(name, name): value for name, value in bounds._asdict().items()}


class Engine:
    """Carries out requests. `submit`, `close` and futures are for any thread."""

    def __init__(
        self,
        listener: Listener | None,
        limits: Limits,
        *,
        details: bool = True,
        trace: str | os.PathLike[str] | None = None,
    ) -> None:
        """`trace` is a file to record everything in; raises StorageError when it cannot be written."""
        with enough_resources(), contextlib.ExitStack() as begun:
            self._fanout = Fanout(listener, lambda full: self._loop.call(self._hold, full))
            begun.callback(self._fanout.close)
            self._loop = loop = Loop(self._on_fault)
            begun.callback(loop.close)
            self._writer = Workers("penstock-write", 1, loop.call)
            begun.callback(self._writer.close)
            self._workers = Workers("penstock-disk", _DISK_THREADS, loop.call)
            begun.callback(self._workers.close)
            self._trace = None if trace is None else self._record(trace, limits)
            begun.pop_all()
        hosts = Hosts(
            loop.now,
            per_host=limits.per_host,
            pace=limits.pace,
            on_trouble=self._on_trouble,
            on_given_up=self._on_given_up,
        )
        connections = connections_within_limits(limits.total_connections)
        if connections < min(limits.max_files, limits.total_connections):
            self._warn(f"only {connections} connections at once: few files may be open here (ulimit -n)")
        with_idle = connections + MAX_IDLE_CONNECTIONS
        if (most := connections_within_limits(with_idle)) < with_idle:
            loop.call(loop.limit_connections, most)
        self._deliveries = Deliveries(self._workers, loop, connections)
        queue = Queue(
            hosts,
            loop.now,
            loop.soon,
            loop.call_later,
            max_files=limits.max_files,
            total_connections=connections,
        )
        self._shared = shared = Surroundings(
            loop,
            self._writer,
            self._workers,
            hosts,
            queue,
            Purse(),
            self._deliveries,
            self._fanout.emit if self._trace is None else self._trace.tee(self._fanout.emit),
            self._trace,
        )
        self._runner = Runner(shared, Backlog(loop.gate), details=details)
        self._batches: set[Batch] = set()
        #: True while more events wait for the listener than may.
        self._is_held = False
        self._readers: set[Task] = set()
        self._open = 0
        self._guard = threading.Lock()
        self._idle = threading.Condition(self._guard)
        self._closing = False
        self._owner = os.getpid()
        if limits.rate is not None:
            loop.call(loop.gate.limit_rate, limits.rate)
        _engines.add(self)

    def submit(self, request: Request) -> Future[Result]:
        """Begin a download; its future can be cancelled at any time before its end."""
        future: Future[Result] = Future()
        self._enter()
        url = request.sources[0].url

        def ended(run: Run, end: End, error: BaseException | None) -> None:
            self._settle(future, None if end is None else result_of(run, end), error)

        run = Run(origin(url), url, request.options, lambda _run: request, ended)
        future.add_done_callback(partial(self._on_future_done, partial(self._runner.cancel, run)))
        self._loop.call(self._runner.add, [run])
        return future

    def submit_many(self, rows: Iterable[Row | BadRow | str], plan: Plan) -> Future[Summary]:
        """Begin a batch. Cancelled, or when the engine is closed by `cancel`, it stops where it stands."""
        future: Future[Summary] = Future()

        def ended(summary: Summary | None, error: BaseException | None) -> None:
            self._batches.discard(batch)
            self._settle(future, summary, error)

        try:
            with enough_resources():
                batch = Batch(rows, plan, self._runner, self._shared, ended)
        except OutOfResources as error:
            self._enter()
            self._settle(future, None, error)
            return future
        self._enter()
        future.add_done_callback(partial(self._on_future_done, batch.stop))
        self._loop.call(self._begin, batch)
        return future

    def read(self, request: Request, max_size: int) -> Future[Document]:
        """Read a document into memory, at most `max_size` bytes of it."""
        return self._ask(Context(0, request, self._shared), lambda context: read_document(context, max_size))

    def preview(self, request: Request) -> Future[Preview]:
        """Find out what a download would do: the server is asked, and nothing is written."""
        return self._ask(Context(1, request, self._shared), preview)

    def _ask(self, context: Context, job: Callable[[Context], Coroutine[Any, Any, T]]) -> Future[T]:
        """Ask for something that is no download."""
        future: Future[T] = Future()
        self._enter()

        def begin() -> None:
            task = Task(job(context), lambda value, error: self._settle(future, value, error))
            self._readers.add(task)
            future.add_done_callback(lambda _future: self._loop.call(self._readers.discard, task))
            task.start()
            deadline = context.request.options.deadline
            if deadline is not None:
                self._loop.call_later(deadline, lambda: task.throw(too_late(context)))

        self._loop.call(begin)
        return future

    def slow_down(self, origin: Origin, pace: float) -> None:
        """Ask `origin` at most `pace` times a second from now on."""
        self._loop.call(self._shared.hosts.slow_down, origin, pace)

    def close(self, *, cancel: bool) -> None:
        """Wait for all downloads, or with `cancel` stop them (each leaves a resumable part); then end the threads."""
        with self._guard:
            if self._owner != os.getpid():
                return
            first = not self._closing
            self._closing = True
        if cancel:
            self._loop.call(self._stop_all)
        with self._idle:
            # in short waits, so that a signal's handler runs in between on every platform
            while self._open:
                self._idle.wait(0.2)
        if not first:
            return
        self._loop.close()
        if self._trace is not None:
            self._trace.finish()
        self._writer.close()
        self._workers.close()
        self._deliveries.close()
        self._fanout.close()
        _engines.discard(self)
        if self._runner.begun >= _MANY_DOWNLOADS:
            give_back_memory()

    def limit_rate(self, rate: int | None) -> None:
        """Change the limit over all transfers, bytes per second; None lifts it."""
        self._loop.call(self._loop.gate.limit_rate, rate)

    def orphan(self) -> None:
        """In a forked child there are no threads: let go of what was inherited, touch nothing of the parent's."""
        self._closing = True
        self._runner.orphan()
        self._open = 0

    def _record(self, path: str | os.PathLike[str], limits: Limits) -> Recorder:
        """Begin a trace, of everything that comes."""
        from penstock.engine.recorder import open_recorder

        known = {name: value for name, value in limits.told().items() if value is not None}
        try:
            recorder = open_recorder(path, self._loop.call, self._loop.now, known)
        except OSError as error:
            message = f"{escape(os.fspath(path))}: {error.strerror or error}; name another file for the trace"
            raise StorageError(message) from error
        self._loop.watcher = recorder
        self._loop.gate.on_change = recorder.gate_changed
        return recorder

    def _begin(self, batch: Batch) -> None:
        self._batches.add(batch)
        batch.hold(self._is_held)
        batch.start()

    def _hold(self, held: bool) -> None:
        """Begin nothing new while `held`: the listener must catch up first."""
        self._is_held = held
        self._shared.queue.hold("events", held)
        for batch in list(self._batches):
            batch.hold(held)

    def _stop_all(self) -> None:
        for batch in list(self._batches):
            batch.stop()
        for task in list(self._readers):
            task.throw(Cancel())
        self._runner.cancel_all()

    def _enter(self) -> None:
        """One more thing to wait for at the end; raises DownloaderClosed."""
        with self._guard:
            if self._owner != os.getpid():
                raise DownloaderClosed("this downloader belongs to the parent process; make a new one after a fork")
            if self._closing:
                raise DownloaderClosed("the downloader was closed")
            self._open += 1

    def _settle(self, future: Future[T], result: T | None, error: BaseException | None) -> None:
        """On the loop's thread: resolve a future elsewhere, for its callbacks are the caller's code."""
        self._fanout.post(lambda: _resolve(future, result, error))
        with self._idle:
            self._open -= 1
            self._idle.notify_all()

    def _on_future_done(self, cancel: Callable[[], None], future: Future[T]) -> None:
        """Called on any thread when the future is done; does something only when its owner cancelled it."""
        if future.cancelled() and self._owner == os.getpid():
            self._loop.call(cancel)

    def _on_fault(self, error: BaseException) -> None:
        """Something that was to be done was not, and nobody knows whose it was (the system has no memory, or a fault of
        ours): whatever may wait for it ends, rather than hang."""
        logging.getLogger("penstock").error("internal error on the network thread", exc_info=error)
        self._runner.fail_all(error)
        for batch in list(self._batches):
            batch.fail(error)

    def _on_trouble(self, host: Host, message: str) -> None:
        if host.files + host.resting + host.waiting > 1:  # a lone download says it by itself
            self._warn(message)

    def _on_given_up(self, host: Host) -> None:
        self._runner.given_up(host)

    def _warn(self, message: str) -> None:
        self._fanout.emit(Warned(download=0, at=Loop.now(), message=message))


def _resolve(future: Future[T], result: T | None, error: BaseException | None) -> None:
    if isinstance(error, Cancel):
        future.cancel()
    if not future.set_running_or_notify_cancel():
        return
    if error is None and result is not None:
        future.set_result(result)
    else:
        future.set_exception(error)


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
