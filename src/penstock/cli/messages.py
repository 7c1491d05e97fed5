"""Events and endings as lines for people. All text that came from a server or a user is escaped here (S11)."""

from __future__ import annotations

import traceback

from penstock.core import words
from penstock.core.urls import escape
from penstock.errors import OUT_OF_MEMORY, DownloadError
from penstock.events import (
    AnyEvent,
    Checkpointed,
    Probed,
    Raced,
    Restarted,
    Resumed,
    Retried,
    Stolen,
    Verified,
    Warned,
)
from penstock.model import Result

#: How much is said: errors only; what changes the outcome; how it is done; every checkpoint too.
QUIET, NORMAL, VERBOSE, CHATTY = range(4)
#: How the dynamic linker says that it could not load a module's library.
_NOT_MAPPED = "failed to map segment"
#: Seconds after it was said (or would have been) within which the same failure is not told again.
_REPEATED_SECONDS = 1.0


def describe(event: AnyEvent, level: int) -> str | None:
    """The line to print for `event` at a level of detail, or None for none."""
    if level >= NORMAL and (line := _outcome(event)) is not None:
        return line
    if level >= VERBOSE and (line := _detail(event)) is not None:
        return line
    if level >= CHATTY and isinstance(event, Checkpointed):
        return f"checkpoint: {words.size(event.durable)} are safe on disk"
    return None


class Repeats:
    """Knows what was said a moment ago. A server that goes away breaks eight connections at once: that is one fact."""

    def __init__(self) -> None:
        self._said: tuple[str, float] = ("", 0.0)

    def has(self, event: AnyEvent, level: int) -> bool:
        """True for what has just been said, to those who did not ask for details; tell it of every event."""
        if level >= VERBOSE or not isinstance(event, Retried):
            return False
        why, at = self._said
        self._said = event.why, event.at
        return why == event.why and event.at - at < _REPEATED_SECONDS


def _outcome(event: AnyEvent) -> str | None:
    match event:
        case Resumed(kept=kept):
            return f"going on from {words.size(kept)}"
        case Restarted(why=why):
            return f"starting over: {escape(why)}"
        case Warned(message=message):
            return f"warning: {escape(message)}"
        case Retried(why=why, wait=wait, attempt=attempt):
            return f"trying again in {words.duration(wait)} (attempt {attempt}): {escape(why)}"
    return None


def _detail(event: AnyEvent) -> str | None:
    match event:
        case Probed(final_url=url, accepts_ranges=ranges, validator=validator):
            proof = "no validator" if validator is None else escape(str(validator))
            return f"answer from {escape(url)}: {'ranges' if ranges else 'no ranges'}, {proof}"
        case Stolen(victim=victim, thief=thief, start=start, stop=stop):
            return f"connection {thief} takes {words.size(stop - start)} at {start} from connection {victim}"
        case Raced(segment=segment, start=start, stop=stop):
            return f"racing segment {segment} for {words.size(stop - start)} at {start}"
        case Verified(digest=digest, source=source):
            return f"{digest.algorithm} agrees with what the {source} expected"
    return None


def saved(result: Result) -> str:
    """``saved PATH (SIZE in TIME, SPEED, N connections), sha256 verified``."""
    path = escape(str(result.path))
    if result.skipped:
        return f"{path} is already there: left as it is"
    facts = [f"{words.size(result.size)} in {words.duration(result.elapsed)}"]
    if result.resumed:
        facts.append(f"{words.size(result.resumed)} of it from before")
    if result.elapsed > 0:
        facts.append(words.speed(result.fetched / result.elapsed))
    facts.append(words.count(result.connections, "connection"))
    return f"saved {path} ({', '.join(facts)}){_verified(result)}"


def _verified(result: Result) -> str:
    if result.digest is None:
        return ""
    if result.digest_source == "server":  # whoever can change the file can change its digest as well (S21)
        return f", intact by the server's own {result.digest.algorithm}"
    return f", {result.digest.algorithm} verified"


def failed(error: BaseException, *, kept: int) -> str:
    """One line for an error. `kept` bytes are durably on disk for the next try, 0 when it would start over."""
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    if isinstance(error, ImportError) and _NOT_MAPPED in str(error):
        return f"{_one_line(str(error))}: too little memory (ulimit -v), or no program may run from there (noexec)"
    if not isinstance(error, DownloadError):
        return (
            f"internal error: {type(error).__name__}: {_one_line(str(error))}; "
            "run again with -v for the traceback, and report it"
        )
    rest = f" ({words.size(kept)} kept for the next try)" if kept and error.resumable else ""
    return _one_line(error.message) + rest


def traceback_lines(error: BaseException) -> list[str]:
    """The traceback, escaped."""
    return [escape(line) for line in "".join(traceback.format_exception(error)).splitlines()]


def interrupted(*, resumable: bool, durable: int, probed: Probed | None) -> str:
    """The last line after Ctrl-C: where the same command goes on from, or why it starts over."""
    is_whole = probed is not None and durable == probed.length
    if resumable and (probed is None or probed.accepts_ranges or is_whole):
        start = words.size(durable) if durable else "what an earlier run left"
        return f"interrupted; the same command goes on from {start}"
    return f"interrupted; the same command starts over: {_why_over(probed)}"


def _why_over(probed: Probed | None) -> str:
    if probed is None:
        return "nothing had come yet"
    if not probed.accepts_ranges:
        return "the server cannot send a part of a file"
    if probed.validator is None:
        return "the server gives nothing to prove that a file is still the same (--resume-unsafe trusts it)"
    return "nothing was on disk yet"


def _one_line(text: str) -> str:
    return escape(" ".join(text.split()))
