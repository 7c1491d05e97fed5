"""What a person is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from penstock.cli.codes import exit_code
from penstock.cli.messages import (
    CHATTY,
    NORMAL,
    QUIET,
    VERBOSE,
    Repeats,
    describe,
    failed,
    interrupted,
    saved,
    traceback_lines,
)
from penstock.errors import DownloadError, InvalidRequest, ServerRefused, StorageError, TargetExists
from penstock.events import (
    AnyEvent,
    Checkpointed,
    Raced,
    Restarted,
    Resumed,
    Retried,
    Stolen,
    Verified,
    Warned,
)
from penstock.model import Digest
from tests.cli.stories import MIB, probed, progressed, result, started

EVIL = "\x1b[2J\u202egpj.exe\r"

LEVELS: list[tuple[AnyEvent, int, str]] = [
    (Resumed(download=1, at=0, kept=3 * MIB), NORMAL, "going on from 3.0 MiB"),
    (Restarted(download=1, at=0, why="it changed", dropped=5), NORMAL, "starting over: it changed"),
    (Warned(download=1, at=0, message="weak"), NORMAL, "warning: weak"),
    (
        Retried(download=1, at=0, why="refused", wait=2.0, attempt=3),
        NORMAL,
        "trying again in 2.0 s (attempt 3): refused",
    ),
    (
        Stolen(download=1, at=0, victim=1, thief=2, start=0, stop=MIB),
        VERBOSE,
        "connection 2 takes 1.0 MiB at 0 from connection 1",
    ),
    (Raced(download=1, at=0, segment=3, start=0, stop=MIB), VERBOSE, "racing segment 3 for 1.0 MiB at 0"),
    (
        Verified(download=1, at=0, digest=Digest("sha256", b""), source="server"),
        VERBOSE,
        "sha256 agrees with what the server expected",
    ),
    (probed(), VERBOSE, 'answer from https://e.org/dir/big.iso: ranges, ETag "1"'),
    (Checkpointed(download=1, at=0, durable=MIB), CHATTY, "checkpoint: 1.0 MiB are safe on disk"),
]


@pytest.mark.parametrize(("event", "least", "line"), LEVELS)
def test_an_event_is_told_from_its_level_on(event: AnyEvent, least: int, line: str) -> None:
    said = [describe(event, level) for level in (QUIET, NORMAL, VERBOSE, CHATTY)]
    assert said == [line if level >= least else None for level in (QUIET, NORMAL, VERBOSE, CHATTY)]


@pytest.mark.parametrize("event", [started(), progressed(5)])
def test_the_course_of_a_download_is_no_message(event: AnyEvent) -> None:
    assert describe(event, CHATTY) is None


@pytest.mark.parametrize(
    "line",
    [
        describe(Restarted(download=1, at=0, why=EVIL, dropped=0), NORMAL),
        describe(Warned(download=1, at=0, message=EVIL), NORMAL),
        describe(Retried(download=1, at=0, why=EVIL, wait=0, attempt=1), NORMAL),
        failed(DownloadError(EVIL), kept=0),
        failed(RuntimeError(EVIL), kept=0),
        saved(dataclasses.replace(result(), path=Path(EVIL))),
        *traceback_lines(RuntimeError(EVIL)),
    ],
)
def test_what_a_server_says_cannot_command_the_terminal(line: str | None) -> None:
    assert line is not None
    assert not {"\x1b", "\u202e", "\r"} & set(line)


def test_a_saved_file_is_one_line_with_its_facts() -> None:
    assert saved(result()) == "saved somewhere/big.iso (100.0 MiB in 10 s, 10.0 MiB/s, 4 connections)"


def test_a_verified_and_a_resumed_file_say_so() -> None:
    end = dataclasses.replace(
        result(), digest=Digest("sha256", b"\1"), resumed=60 * MIB, fetched=40 * MIB, connections=1
    )
    assert saved(end) == (
        "saved somewhere/big.iso (100.0 MiB in 10 s, 60.0 MiB of it from before, 4.0 MiB/s, 1 connection), "
        "sha256 verified"
    )


def test_a_skipped_file_is_not_said_to_be_saved() -> None:
    assert saved(dataclasses.replace(result(), skipped=True)) == "somewhere/big.iso is already there: left as it is"


def test_an_error_says_what_is_kept_only_when_it_can_be_gone_on_from() -> None:
    assert failed(DownloadError("reset", resumable=True), kept=MIB) == "reset (1.0 MiB kept for the next try)"
    assert failed(DownloadError("gone", resumable=False), kept=MIB) == "gone"


def test_a_library_that_cannot_be_loaded_here_is_no_fault_of_ours() -> None:
    line = failed(ImportError("/x/libsqlite3.so.0: failed to map segment from shared object"), kept=0)
    assert line.startswith("/x/libsqlite3.so.0: failed to map segment")
    assert "ulimit -v" in line
    assert "noexec" in line
    assert failed(ImportError("no module named pycurl"), kept=0).startswith("internal error: ImportError")


def test_an_unexpected_error_is_one_line_that_says_how_to_see_more() -> None:
    line = failed(RuntimeError("a\nb"), kept=0)
    assert line.startswith("internal error: RuntimeError: a b; run again with -v")


@pytest.mark.parametrize(
    ("line", "end"),
    [
        (interrupted(resumable=True, durable=3 * MIB, probed=probed()), "the same command goes on from 3.0 MiB"),
        (interrupted(resumable=True, durable=0, probed=None), "goes on from what an earlier run left"),
        (interrupted(resumable=False, durable=0, probed=None), "starts over: nothing had come yet"),
        (interrupted(resumable=False, durable=MIB, probed=probed(ranges=False)), "cannot send a part of a file"),
        (interrupted(resumable=True, durable=MIB, probed=probed(ranges=False)), "cannot send a part of a file"),
        (
            interrupted(resumable=False, durable=MIB, probed=dataclasses.replace(probed(), validator=None)),
            "(--resume-unsafe trusts it)",
        ),
        (interrupted(resumable=False, durable=0, probed=probed()), "nothing was on disk yet"),
    ],
)
def test_F01_F48_an_interruption_says_where_the_next_run_begins_and_why(line: str, end: str) -> None:
    assert line.startswith("interrupted; the same command ")
    assert line.endswith(end)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidRequest("x"), 2),
        (StorageError("x"), 3),
        (ServerRefused("x", status=404), 1),
        (TargetExists("x"), 1),
        (RuntimeError("x"), 1),
    ],
)
def test_the_exit_code_says_what_kind_of_error_it_was(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def test_what_breaks_all_connections_is_told_once() -> None:
    def broken(at: float, why: str = "reset") -> Retried:
        return Retried(download=1, at=at, why=why, wait=0.1, attempt=1)

    repeats = Repeats()
    events = [broken(1.0), broken(1.1), broken(1.9), broken(2.5, "HTTP 503"), broken(2.6), broken(4.0)]
    assert [repeats.has(event, NORMAL) for event in events] == [False, True, True, False, False, False]
    assert not any(Repeats().has(event, VERBOSE) for event in events)
    assert not any(repeats.has(Warned(download=1, at=5.0, message="x"), NORMAL) for _ in range(2))
