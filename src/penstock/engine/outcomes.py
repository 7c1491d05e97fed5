"""How rows end: what the manifest is told of each, and how many ended in which way. Touches nothing; times are passed
in."""

from __future__ import annotations

from pathlib import Path

from penstock.core.urls import redact
from penstock.engine.ending import Cancel
from penstock.engine.runner import End
from penstock.engine.swift import Landed
from penstock.errors import DownloadError, Reason, StorageError
from penstock.model import Result, Validator
from penstock.store.entries import Job, Outcome


class Tally:
    """How the rows of a batch ended so far."""

    def __init__(self) -> None:
        #: There, and those of them that were there before.
        self.done = self.skipped = 0
        self.failed = 0
        #: Stopped, or not to be had through no fault of theirs: they stay to be fetched.
        self.left = 0
        #: Lines that cannot be used.
        self.rejected = 0
        #: Bytes that came.
        self.size = 0

    def count(
        self, job: Job, end: End, error: BaseException | None, *, began: float, now: float, root: Path
    ) -> Outcome | None:
        """A row's download ended: what is to be written down, None for one that stays to be fetched. Times are Unix
        seconds, `root` is the directory that targets are relative to."""
        if isinstance(end, Landed):
            self.done += 1
            self.size += end.size
            return _landed(job, end, began, now)
        if end is not None:
            self.done += 1
            self.skipped += end.skipped
            self.size += end.fetched
            return _done(job, end, began, now, root)
        if error is None or isinstance(error, Cancel) or is_for_all(error):
            self.left += 1
            return None
        if not isinstance(error, DownloadError):  # a fault of ours must not look like a run that was stopped
            error = DownloadError(f"internal error: {error!r}")
        self.failed += error.reason is not Reason.UNWANTED
        return _failed(job, error, began, now)


def is_for_all(error: BaseException | None) -> bool:
    """True for an error that would meet every other row as well."""
    return isinstance(error, StorageError) and error.is_for_all


def _landed(job: Job, end: Landed, began: float, now: float) -> Outcome:
    return Outcome(
        job.id,
        job.target,
        end.size,
        None if end.sha256 is None else f"sha256:{end.sha256}",
        _shown(end.validator),
        None,
        began,
        now,
        None,
        None,
        end.mtime_ns,
    )


def _shown(validator: Validator | None) -> str | None:
    return None if validator is None else f"{validator.kind}:{validator.value}"


def _done(job: Job, result: Result, began: float, now: float, root: Path) -> Outcome:
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
        now,
        mtime=result.mtime_ns,
    )


def _target(path: Path, root: Path) -> str | None:
    """The path below `root`, with ``/`` between its components."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None


def _failed(job: Job, error: DownloadError, began: float, now: float) -> Outcome:
    reason = error.reason if isinstance(error.reason, Reason) else Reason.INTERNAL
    status = getattr(error, "status", 0)
    name = f"{reason.value} {status}" if reason is Reason.HTTP_STATUS and status else reason.value
    return Outcome(job.id, job.target, started=began, ended=now, reason=name, message=error.message)
