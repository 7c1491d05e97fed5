"""What is worth trying again, and when: one table, and one function that reads it.

Knows nothing of curl, clocks or chance: the failure is already sorted into a `Cause`, time and jitter are
passed in.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

#: Failures in a row before the origin has ever answered: enough for a lost packet or a server that is just
#: starting, few enough that a wrong name or port is told within seconds.
FIRST_CONTACT_TRIES = 3
#: Exponential backoff with full jitter: a random part of min(cap, base * 2**(attempt - 1)) seconds. Source:
#: AWS Architecture Blog, "Exponential Backoff and Jitter" (2015).
BACKOFF_BASE = 0.5
BACKOFF_CAP = 30.0
#: A connection that broke after bringing bytes is replaced almost at once; the jitter keeps many from coming
#: in step.
PROMPT_RETRY = 0.1


class Cause(enum.Enum):
    """What kind of failure it was."""

    NAME_RESOLUTION = "name-resolution"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect-timeout"
    #: The handshake broke off; may heal.
    TLS_HANDSHAKE = "tls-handshake"
    #: The certificate is not to be trusted; trying again cannot help.
    TLS_CERTIFICATE = "tls-certificate"
    PROXY = "proxy"
    RESET = "reset"
    STALLED = "stalled"
    #: The body ended before its said length.
    CUT = "cut"
    #: The server broke HTTP.
    BAD_RESPONSE = "bad-response"
    #: Only public addresses may be connected to, and it has none.
    PRIVATE = "private"
    #: A status other than the ones asked for.
    STATUS = "status"
    OTHER = "other"


#: Statuses that may heal by waiting (RFC 9110 §15, RFC 6585 §4, RFC 8470 §5.2; 520 to 524 are Cloudflare's
#: for an origin in trouble). Any other is the server's last word.
PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})

#: Until the origin has answered once, these most likely mean a mistake in the request.
_FIRST_CONTACT = frozenset(
    {
        Cause.NAME_RESOLUTION,
        Cause.REFUSED,
        Cause.UNREACHABLE,
        Cause.CONNECT_TIMEOUT,
        Cause.TLS_HANDSHAKE,
        Cause.PROXY,
        Cause.BAD_RESPONSE,
        Cause.OTHER,
    }
)
_BROKE_OFF = frozenset({Cause.RESET, Cause.STALLED, Cause.CUT})

#: Statuses that a link gives when it has run out while the file may still be had elsewhere (F24, F28).
_EXPIRED = frozenset({401, 403, 404, 410})
_HINTS = {
    401: "give -u user:password or --netrc",
    403: "it may need a login (-u), a cookie (-b) or a referer (-e)",
    404: "check the URL",
    405: "the server does not allow GET here; check the URL",
    406: "check the Accept header",
    407: "give the proxy's credentials, as in --proxy http://user:password@host:port",
    410: "the server says that it is gone for good; look for it elsewhere",
    414: "the URL is too long for this server; look for a shorter one",
    431: "send fewer or shorter headers and cookies",
}
_WRONG_LOGIN = "the login was not accepted; check the user name and the password"
_EXPIRED_HINT = "the link may have expired; with a fresh URL and --adopt it goes on from the bytes that are here"
#: What to do when the tries are used up.
_ADVICE = {
    Cause.NAME_RESOLUTION: "check the name, and that this machine is online",
    Cause.REFUSED: "check host and port, or try again later",
    Cause.UNREACHABLE: "check the network of this machine, or try again later",
    Cause.CONNECT_TIMEOUT: "try again later; --connect-timeout waits longer",
    Cause.TLS_HANDSHAKE: "check that the URL's port speaks TLS (https)",
    Cause.PROXY: "check --proxy, or http_proxy and https_proxy in the environment",
    Cause.RESET: "try again later",
    Cause.STALLED: "try again later; --stall-timeout waits longer",
    Cause.CUT: "try again later",
    Cause.BAD_RESPONSE: "check that the URL's port is a web server's",
}
#: The same for statuses that say that less should be asked.
_ASK_LESS = {
    429: "try again later, or ask for less at once (-x 1)",
    503: "try again later, or ask for less at once (-x 1)",
}
#: What certificates are refused for, as libcurl's TLS libraries say it, and what to do.
_CERTIFICATES = (
    (
        ("expired", "not yet valid"),
        "check the clock of this machine; if it is right, the server needs a new certificate",
    ),
    (("mismatch", "does not match", "no alternative"), "check the host in the URL: the certificate is for another one"),
    (("could not be read",), "check the file of --cacert"),
)


class Failure(NamedTuple):
    """What went wrong. `message` is for people, without the URL; `status` is 0 when none came; seconds."""

    cause: Cause
    message: str
    status: int = 0
    retry_after: float | None = None


class Policy(NamedTuple):
    """How patient to be, in tries and in seconds. `max_tries` 0 means no limit, as in aria2."""

    max_tries: int = 20
    deadline: float | None = None
    max_retry_after: float = 300.0


class Wait(NamedTuple):
    """Try again after `seconds`."""

    seconds: float


class GiveUp(NamedTuple):
    """Stop, and say `why`. `resumable`: the bytes already there stay good, and a later run may go on.

    A run that never reached the origin does not know about bytes of an earlier one; the caller does.
    """

    why: str
    resumable: bool


def decide(
    failure: Failure,
    *,
    attempt: int,
    contacted: bool,
    elapsed: float,
    jitter: float,
    policy: Policy,
    is_shut: bool = False,
    has_login: bool = False,
) -> Wait | GiveUp:
    """Try again after a while, or give up, and why.

    `attempt` counts failures in a row without a single new byte, this one included. `contacted`: the origin
    had answered in this run before this failure; `is_shut`: of late it could not be had for any file. `elapsed`
    is seconds since the download began, `jitter` is in [0, 1). `has_login`: a user name was sent.
    """
    if failure.cause is Cause.TLS_CERTIFICATE:
        return GiveUp(f"{failure.message}; {_about_certificate(failure.message)}", resumable=contacted)
    if failure.cause is Cause.PRIVATE:
        return GiveUp(f"{failure.message}; --allow-private asks all the same", resumable=contacted)
    if failure.status and failure.cause in (Cause.STATUS, Cause.PROXY) and failure.status not in PASSING_STATUSES:
        return _refusal(failure.status, contacted=contacted, has_login=has_login)
    is_early = not contacted and (failure.cause in _FIRST_CONTACT or (is_shut and failure.cause in _BROKE_OFF))
    most = FIRST_CONTACT_TRIES if is_early else policy.max_tries
    if 0 < min(most, policy.max_tries or most) <= attempt:
        tries = "1 try" if attempt == 1 else f"{attempt} tries"
        unheard = " without a valid answer" if is_early and attempt > 1 else ""
        return GiveUp(f"gave up after {tries}{unheard}: {_describe(failure)}{_advice(failure)}", resumable=True)
    retry_after = failure.retry_after or 0.0
    if retry_after > policy.max_retry_after:
        return GiveUp(f"{_describe(failure)}: the server asks to come back in {in_words(retry_after)}", resumable=True)
    seconds = max(retry_after, _backoff(failure.cause, attempt, jitter))
    if policy.deadline is not None and elapsed + seconds >= policy.deadline:
        late = f"the deadline of {policy.deadline:g} s leaves no time for another try"
        why = f"{late}: {_describe(failure)}; give more with --deadline"
        return GiveUp(why, resumable=True)
    return Wait(seconds)


def status_line(status: int) -> str:
    """A status as people know it: ``HTTP 404 Not Found``, or ``HTTP 520`` where there is no phrase."""
    from http import HTTPStatus  # only where there is something to report

    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def in_words(seconds: float) -> str:
    """A duration for people, rounded up so that coming back then is not too early: ``90 s``, ``2 hours``."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{-(-seconds // length):.0f} {unit}s"
    return f"{-(-seconds // 1):.0f} s"


def _backoff(cause: Cause, attempt: int, jitter: float) -> float:
    if attempt <= 1 and cause in _BROKE_OFF:
        return PROMPT_RETRY * jitter
    doublings = min(max(0, attempt - 1), 16)  # past the cap for long; keeps the power small
    return min(BACKOFF_CAP, BACKOFF_BASE * 2.0**doublings) * jitter


def _refusal(status: int, *, contacted: bool, has_login: bool) -> GiveUp:
    hint = _EXPIRED_HINT if contacted and status in _EXPIRED else _HINTS.get(status)
    if status == 401 and has_login and not contacted:
        hint = _WRONG_LOGIN
    line = status_line(status)
    return GiveUp(f"{line}: {hint}" if hint else line, resumable=contacted)


def _describe(failure: Failure) -> str:
    return status_line(failure.status) if failure.cause is Cause.STATUS else failure.message


def _advice(failure: Failure) -> str:
    if failure.cause is Cause.STATUS:
        return f"; {_ASK_LESS.get(failure.status, 'the server is in trouble, try again later')}"
    words = _ADVICE.get(failure.cause)
    return f"; {words}" if words else ""


def _about_certificate(message: str) -> str:
    said = message.lower()
    return next(
        (advice for words, advice in _CERTIFICATES if any(word in said for word in words)),
        "--cacert FILE trusts another authority",
    )
