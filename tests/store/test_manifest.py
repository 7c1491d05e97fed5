"""The manifest by itself: which rows are done, which are to be fetched, and what is remembered of each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.core.rows import Row
from penstock.core.template import Template
from penstock.engine.intake import prepared
from penstock.store.hashing import hash_file
from penstock.store.manifest import Added, Entry, Job, Manifest, Outcome, Rules
from penstock.store.records import Fact, Records


def entry(url: str, *, output: str | None = None, template: str = "{name}") -> Entry:
    """The row of a list, as the intake makes it ready."""
    row = prepared(Row((url,), 1, output=output), Template(template))
    assert isinstance(row, Entry)
    return row


@contextmanager
def run(directory: Path, **rules: Any) -> Iterator[Manifest]:
    """One run with the manifest beside `directory`."""
    directory.mkdir(exist_ok=True)
    manifest = Manifest.open(directory.with_suffix(".penstock"), Rules(directory, **rules), hash_file)
    try:
        yield manifest
    finally:
        manifest.close()


def fetch(manifest: Manifest, directory: Path, added: Added) -> list[Job]:
    """What a run does with the rows that wait: each target gets its URL as content."""
    jobs = [
        job for rows in manifest.take([(o, t - 1, n) for o, (n, t) in added.waiting.items()]).values() for job in rows
    ]
    for job in jobs:
        path = directory / job.target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(job.urls[0])
        manifest.record([Outcome(job.id, job.target, path.stat().st_size, hash_file(path, "sha256"))])
    return jobs


def facts(directory: Path) -> dict[str, Fact]:
    """What status says of each target."""
    records = Records(directory.with_suffix(".penstock"))
    rows = {fact.target: fact for fact in records.rows()}
    records.close()
    return rows


ROWS = [entry(f"https://e.org/{name}") for name in ("a", "b", "c")]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A directory of three files that were saved, copied with its manifest: all its times are other ones."""
    first, copy = tmp_path / "first", tmp_path / "copy"
    with run(first) as manifest:
        fetch(manifest, first, manifest.add(ROWS))
    shutil.copytree(first, copy)
    shutil.copy(tmp_path / "first.penstock", tmp_path / "copy.penstock")
    for path in copy.iterdir():
        os.utime(path, ns=(1, 1))
    return copy


@pytest.mark.parametrize("rechecks", [False, True])
def test_files_with_another_time_and_the_same_content_are_done(copied: Path, rechecks: bool) -> None:
    before = facts(copied)
    with run(copied, rechecks=rechecks) as manifest:
        added = manifest.add(ROWS)
    assert (added.done, added.waiting, added.failed) == (3, {}, [])
    assert facts(copied) == before
    with run(copied) as manifest:
        manifest._hash_file = lambda *_: pytest.fail("hashed again, though its new time is known")
        assert manifest.add(ROWS).done == 3


@pytest.mark.parametrize("content", ["https://e.org/X", "longer than it was before"])
def test_a_file_that_changed_fails_with_its_reason_and_keeps_its_digest(copied: Path, content: str) -> None:
    digest = facts(copied)["a"].digest
    (copied / "a").write_text(content)
    for _ in range(2):
        with run(copied) as manifest:
            added = manifest.add(ROWS)
        assert added.done == 2
        [(_, message)] = added.failed
        assert message.endswith("a changed since it was saved; --if-exists overwrite fetches it again")
        changed = facts(copied)["a"]
        assert (changed.state, changed.reason, changed.digest) == ("failed", "target-changed", digest)
    (copied / "a").write_text("https://e.org/a")
    with run(copied) as manifest:
        assert manifest.add(ROWS).done == 3
    assert facts(copied)["a"].reason is None


def test_a_file_that_changed_is_fetched_again_where_that_is_allowed(copied: Path) -> None:
    (copied / "a").write_text("https://e.org/X")
    with run(copied, refuses_existing=False) as manifest:
        [job] = fetch(manifest, copied, manifest.add(ROWS))
    assert job.target == "a"
    assert (copied / "a").read_text() == "https://e.org/a"


def test_a_file_that_changed_is_left_where_existing_files_are_and_verify_still_knows(copied: Path) -> None:
    before = facts(copied)
    (copied / "a").write_text("https://e.org/X")
    with run(copied, leaves_existing=True, refuses_existing=False) as manifest:
        assert manifest.add(ROWS).done == 3
    assert facts(copied) == before
