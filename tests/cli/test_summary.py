"""How many files ended, and advice that works."""

from __future__ import annotations

import dataclasses

from penstock.cli.summary import ended, stopped
from penstock.model import Summary

O = "http://e.org"  # noqa: E741
FAILED = Summary(total=5, done=2, failed=3, elapsed=1.0, failures=((O, "http-status 404", 3),))
EXIST = dataclasses.replace(FAILED, failures=((O, "target-exists", 2), (O, "http-status 404", 1)))


def test_what_failed_is_tried_again_by_the_same_command() -> None:
    assert (
        ended(FAILED, manifest="m")[-1]
        == "the same command tries the 3 that failed again; penstock status m --state failed lists them"
    )
    assert ended(FAILED, manifest=None)[-1] == "the same command with --if-exists skip tries the 3 that failed again"
    assert ended(FAILED, manifest=None, skips=True)[-1] == "the same command tries the 3 that failed again"


def test_targets_that_exist_are_not_promised_to_the_same_command() -> None:
    advice = "2 are there already: --if-exists skip leaves them, overwrite fetches them again"
    assert ended(EXIST, manifest=None)[-2:] == [
        "the same command with --if-exists skip tries the 1 that failed again", advice,
    ]  # fmt: skip
    assert ended(EXIST, manifest="m")[-2:] == [
        "the same command tries the 1 that failed again; penstock status m --state failed lists them", advice,
    ]  # fmt: skip
    alone = dataclasses.replace(EXIST, failed=2, failures=EXIST.failures[:1])
    assert ended(alone, manifest="m")[-2:] == ["penstock status m --state failed lists what failed", advice]
    assert ended(alone, manifest=None)[1:] == ["  2 x target-exists at http://e.org", advice]


def test_a_command_to_be_copied_is_quoted_for_the_shell() -> None:
    assert "penstock status 'my data.penstock' --state failed lists" in ended(FAILED, manifest="my data.penstock")[-1]
    assert "penstock status 'my data.penstock' counts" in stopped(FAILED, manifest="my data.penstock")[-1]


def test_what_could_not_be_used_is_named_by_what_it_is() -> None:
    bad = Summary(done=1, rejected=1, elapsed=1.0)
    assert "1 line could not be used" in ended(bad, manifest=None)[0]
    assert "1 URL could not be used" in ended(bad, manifest=None, noun="URL")[0]
    assert "2 URLs could not be used" in ended(dataclasses.replace(bad, rejected=2), manifest=None, noun="URL")[0]


def test_one_file_is_there_and_two_are() -> None:
    assert "0 saved (1 was there before)" in ended(Summary(done=1, skipped=1), manifest=None)[0]
    assert "0 saved (2 were there before)" in ended(Summary(done=2, skipped=2), manifest=None)[0]


def test_an_interrupted_run_goes_on_by_the_same_command_where_it_skips_anyway() -> None:
    assert stopped(FAILED, manifest=None)[0].endswith("; the same command with --if-exists skip goes on")
    assert stopped(FAILED, manifest=None, skips=True)[0].endswith("; the same command goes on")
