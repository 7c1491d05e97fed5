"""Count failures of one download and decide, by the one table in core/retry.py, whether to go on."""

from __future__ import annotations

from penstock.core.retry import Cause, Failure, GiveUp, Policy, Wait, decide
from penstock.core.urls import userinfo
from penstock.engine.context import Context
from penstock.errors import DownloadError, NetworkError, ProtocolError, Reason, ServerRefused
from penstock.events import Retried

_REASONS = {
    Cause.NAME_RESOLUTION: Reason.NAME_RESOLUTION,
    Cause.TLS_HANDSHAKE: Reason.TLS,
    Cause.TLS_CERTIFICATE: Reason.TLS,
    Cause.PROXY: Reason.PROXY,
    Cause.PRIVATE: Reason.PRIVATE,
    Cause.CONNECT_TIMEOUT: Reason.TIMEOUT,
    Cause.STALLED: Reason.TIMEOUT,
}


class TransferFailed(Exception):
    """A transfer ended as it should not have."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Patience:
    """The failures in a row without a new byte, and what to do about the next."""

    def __init__(self, context: Context) -> None:
        self._context = context
        options = context.options
        self._policy = Policy(max_tries=options.max_tries, deadline=options.deadline)
        self._attempt = 0
        self._counted_at = 0.0
        self._most = 0
        #: True once the origin has answered anything at all in this run.
        self.contacted = False

    def arrived(self, total: int) -> None:
        """`total` bytes are there: if that is more than ever, the count of failures begins anew."""
        if total > self._most:
            self._most = total
            self._attempt = 0

    def next_wait(self, failure: Failure, began: float | None = None) -> float:
        """Seconds to wait before trying again, announced; raises the download's error when it is no use.

        `began` is when the transfer was begun that failed. Those that were under way when a failure was counted tell
        of the same trouble: a server that restarts, or an hour asleep, breaks all connections, and is one failure.
        """
        context = self._context
        if began is None or began > self._counted_at or not self._attempt:
            self._attempt += 1
            self._counted_at = context.now
        politeness = (context.failing or context.host).politeness  # a redirect may have led to another origin
        decision = decide(
            failure,
            attempt=self._attempt,
            contacted=self.contacted or (not failure.status and politeness.has_answered),
            elapsed=context.now - context.started,
            jitter=context.jitter(),
            policy=self._policy,
            is_shut=politeness.is_open,
            has_login=context.options.credentials is not None or userinfo(context.url) is not None,
        )
        if isinstance(decision, GiveUp):
            raise error_for(failure, decision, context.shown_url)
        assert isinstance(decision, Wait)
        context.emit(
            Retried(
                download=context.number,
                at=context.now,
                why=failure.message,
                wait=decision.seconds,
                attempt=self._attempt,
            )
        )
        return decision.seconds


def too_late(context: Context) -> DownloadError:
    """The error of what was not done within its deadline."""
    url, seconds = context.shown_url, context.options.deadline
    words = "in time; try again later" if seconds is None else f"within {seconds:g} s; give more with --deadline"
    return DownloadError(f"{url}: not done {words}", url=url, reason=Reason.DEADLINE)


def error_for(failure: Failure, verdict: GiveUp, url: str) -> DownloadError:
    """The error a caller sees when `verdict` ended the tries."""
    message = f"{url}: {verdict.why}"
    if failure.cause is Cause.STATUS:
        return ServerRefused(
            message,
            url=url,
            resumable=verdict.resumable,
            status=failure.status,
            retry_after=failure.retry_after,
        )
    if failure.cause is Cause.BAD_RESPONSE:
        return ProtocolError(message, url=url, resumable=verdict.resumable)
    reason = _REASONS.get(failure.cause, Reason.CONNECTION)
    return NetworkError(message, url=url, reason=reason, resumable=verdict.resumable)
