"""The manifest by itself: which rows are done, which are to be fetched, and what is remembered of each."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.core.digests import parse_checksum
from penstock.core.rows import Row
from penstock.core.template import Template
from penstock.engine.intake import prepared
from penstock.store.entries import Added, Entry, Job, Outcome, Rules
from penstock.store.hashing import hash_file
from penstock.store.manifest import Manifest
from penstock.store.records import Fact, Records

OTHER = [{"size": 1}, {"checksum": parse_checksum("00" * 32)}]


def entry(url: str, *, output: str | None = None, template: str = "{name}", **expected: Any) -> Entry:
    """The row of a list, as the intake makes it ready."""
    row = prepared(Row((url,), 1, output=output, **expected), Template(template))
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
        manifest._targets._hash_file = lambda *_: pytest.fail("hashed again, though its new time is known")
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


def targets(directory: Path, rows: list[Entry], *, in_one_group: bool = True) -> dict[str, str]:
    """Where a run puts each URL."""
    with run(directory) as manifest:
        for group in [rows] if in_one_group else [[row] for row in rows]:
            added = manifest.add(group)
            assert not added.clashes
            for job in fetch(manifest, directory, added):
                assert (directory / job.target).read_text() == job.urls[0]
    return {fact.url: fact.target for fact in facts(directory).values()}


@pytest.mark.parametrize("in_one_group", [True, False])
def test_rows_that_ask_for_one_name_are_told_apart_and_keep_their_names(tmp_path: Path, in_one_group: bool) -> None:
    rows = [entry(f"https://e.org/{name}", output="x/same.csv") for name in ("a", "b", "c")]
    first = targets(tmp_path / "d", rows, in_one_group=in_one_group)
    assert first["https://e.org/a"] == "x/same.csv"
    assert len({target.casefold() for target in first.values()}) == 3
    assert all(target.startswith("x/same") and target.endswith(".csv") for target in first.values())
    with run(tmp_path / "d") as manifest:
        assert manifest.add(rows[::-1]).done == 3
    assert targets(tmp_path / "e", rows) == first


def test_a_name_that_was_asked_for_and_not_given_is_told(tmp_path: Path) -> None:
    rows = [
        entry("https://e.org/a", output="same"),
        entry("https://e.org/b", output="same"),
        entry("https://e.org/same"),
    ]
    with run(tmp_path / "d") as manifest:
        renamed = manifest.add(rows).renamed
    [(row, target)] = renamed
    assert row is rows[1]
    assert target == facts(tmp_path / "d")[target].target != "same"


FILE_AND_FOLDER = [
    entry(url, template="{host}/{path}/{name}")
    for url in ("https://e.org/f/x/y", "https://e.org/f", "https://e.org/f/x", "https://e.org/f/x/z", "https://e.org/g")
]


@pytest.mark.parametrize("in_one_group", [True, False])
@pytest.mark.parametrize("order", [1, -1])
def test_a_url_that_is_a_folder_of_others_has_a_file_of_its_own(tmp_path: Path, order: int, in_one_group: bool) -> None:
    rows = FILE_AND_FOLDER[::order]
    first = targets(tmp_path / "d", rows, in_one_group=in_one_group)
    assert len(first) == 5
    with run(tmp_path / "d") as manifest:
        assert manifest.add(rows[::-1]).done == 5
    assert targets(tmp_path / "e", rows) == first


def test_rows_of_one_folder_stay_together_when_its_name_is_a_file_s(tmp_path: Path) -> None:
    names = targets(tmp_path / "d", FILE_AND_FOLDER[1:] + FILE_AND_FOLDER[:1])
    folders = [names[f"https://e.org/f/x/{name}"].rpartition("/")[0] for name in "yz"]
    assert folders[0] == folders[1] != names["https://e.org/f/x"] != "e.org/f/x"


@pytest.mark.parametrize("leaves_existing", [True, False])
def test_a_folder_at_a_row_s_target_is_never_taken_for_its_file(tmp_path: Path, leaves_existing: bool) -> None:
    (tmp_path / "d" / "a").mkdir(parents=True)
    with run(tmp_path / "d", leaves_existing=leaves_existing, refuses_existing=not leaves_existing) as manifest:
        [(_, message)] = manifest.add(ROWS).failed
    assert message.endswith("d/a is a directory; give the row another name (out=), or choose another --template or -d")


def test_a_manifest_can_be_read_while_a_run_writes_it_and_after_a_kill(tmp_path: Path) -> None:
    with run(tmp_path / "d") as manifest:
        manifest.add(ROWS)
        assert {fact.state for fact in facts(tmp_path / "d").values()} == {"pending"}
        for path in tmp_path.glob("d.penstock*"):  # as a kill leaves it
            shutil.copy(path, tmp_path / path.name.replace("d.", "killed."))
        fetch(manifest, tmp_path / "d", manifest.add([entry("https://e.org/d")]))
        assert facts(tmp_path / "d")["d"].state == "done"
    assert {fact.state for fact in facts(tmp_path / "killed").values()} == {"pending"}


def test_reading_a_manifest_does_not_write_to_it(tmp_path: Path) -> None:
    with run(tmp_path / "d") as manifest:
        manifest.add(ROWS)
    records = Records(tmp_path / "d.penstock")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        records._db.execute("DELETE FROM file")
    records.close()


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="every name there is Unicode")
def test_a_failure_below_a_directory_whose_name_is_not_utf_8_can_be_written_down(tmp_path: Path) -> None:
    directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    directory.mkdir()
    (directory / "a").write_text("somebody else's")
    with run(directory) as manifest:
        [(_, message)] = manifest.add(ROWS).failed
    assert "exists; choose --if-exists" in message
    assert facts(directory)["a"].state == "failed"


def test_a_file_that_was_there_before_us_and_was_touched_between_runs_is_not_ours(tmp_path: Path) -> None:
    directory, row = tmp_path / "d", ROWS[0]
    directory.mkdir()
    (directory / "a").write_text("somebody else's")
    for time in (1, 2):
        with run(directory, refuses_existing=False) as manifest:
            added = manifest.add([row])
        assert (len(added.waiting), added.done) == (1, 0)
        os.utime(directory / "a", (time, time))


def test_a_file_that_got_its_name_after_the_one_before_it_was_gone_is_ours(tmp_path: Path) -> None:
    directory, row = tmp_path / "d", ROWS[0]
    directory.mkdir()
    (directory / "a").write_text("somebody else's")
    for _ in range(2):
        with run(directory, refuses_existing=False) as manifest:
            assert manifest.add([row]).done == 0
        (directory / "a").unlink(missing_ok=True)
    (directory / "a").write_text("ours, of a run that was killed")
    with run(directory, refuses_existing=False) as manifest:
        assert manifest.add([row]).done == 1


@pytest.mark.parametrize("expected", OTHER)
def test_a_file_that_is_not_what_the_list_says_is_never_left_for_done(tmp_path: Path, expected: dict[str, Any]) -> None:
    directory, row = tmp_path / "d", entry("https://e.org/a", **expected)
    directory.mkdir()
    (directory / "a").write_text("somebody else's")
    for _ in range(3):
        with run(directory, leaves_existing=True, refuses_existing=False) as manifest:
            added = manifest.add([row])
        assert (added.done, len(added.failed), added.waiting) == (0, 1, {})
    assert facts(directory)["a"].reason == "target-exists"


@pytest.mark.parametrize("expected", OTHER)
@pytest.mark.parametrize("rules", [{}, {"leaves_existing": True, "refuses_existing": False}])
def test_a_size_or_checksum_that_is_given_later_is_checked(
    tmp_path: Path, expected: dict[str, Any], rules: dict[str, bool]
) -> None:
    directory, row = tmp_path / "d", entry("https://e.org/a", **expected)
    with run(directory) as manifest:
        fetch(manifest, directory, manifest.add(ROWS[:1]))
    for _ in range(2):
        with run(directory, **rules) as manifest:
            assert manifest.add([row]).done == 0
        assert facts(directory)["a"].state != "done"


def test_a_file_of_the_size_and_checksum_that_the_list_says_is_left(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    directory.mkdir()
    (directory / "a").write_text("mine")
    row = entry("https://e.org/a", size=4, checksum=parse_checksum(hash_file(directory / "a", "sha256")))
    with run(directory, leaves_existing=True, refuses_existing=False) as manifest:
        assert manifest.add([row]).done == 1


def test_a_checksum_of_any_kind_is_compared_once(tmp_path: Path) -> None:
    directory, hashed = tmp_path / "d", []

    def hash_and_tell(path: Path, algorithm: str) -> str:
        hashed.append(algorithm)
        return hash_file(path, algorithm)

    with run(directory) as manifest:
        fetch(manifest, directory, manifest.add(ROWS[:1]))
    row = entry("https://e.org/a", checksum=parse_checksum(hash_file(directory / "a", "md5")))
    for _ in range(3):
        manifest = Manifest.open(directory.with_suffix(".penstock"), Rules(directory), hash_and_tell)
        assert manifest.add([row]).done == 1
        manifest.close()
    assert hashed == ["md5"]


@pytest.mark.parametrize("expected", OTHER)
def test_a_repeated_row_that_says_more_of_its_file_is_told(tmp_path: Path, expected: dict[str, Any]) -> None:
    row = entry("https://e.org/a", **expected)
    with run(tmp_path / "d") as manifest:
        added = manifest.add([ROWS[0], row, ROWS[0]])
        assert [clash for clash, _ in added.clashes] == [row]
        assert added.repeated == 1
