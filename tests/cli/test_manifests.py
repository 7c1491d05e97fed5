"""``penstock status`` and ``penstock verify``, from end to end: real processes."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.test_download import penstock
from tests.cli.test_many import penstock_command, serve
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request


def save(server: FaultServer, directory: Path, count: int = 2) -> None:
    """A list of `count` files, saved below ``d`` with its manifest ``d.penstock``."""
    (directory / "l").write_text("\n".join(serve(server, count)))
    assert penstock("-q", "-i", "l", "-d", "d", directory=directory).returncode == 0


def test_verify_lists_what_a_run_found_changed(fault_server: FaultServer, tmp_path: Path) -> None:
    save(fault_server, tmp_path)
    (tmp_path / "d" / "img01.bin").write_bytes(b"x" * 3000)
    again = penstock("-i", "l", "-d", "d", directory=tmp_path)
    assert again.returncode == 1
    assert "img01.bin changed since it was saved; --if-exists overwrite fetches it again" in again.stderr
    checked = penstock_command("verify", "d.penstock", directory=tmp_path)
    assert checked.returncode == 1
    assert checked.stdout.startswith("img01.bin: changed")
    assert checked.stdout.endswith("\n1 file as it was, 1 missing or changed\n")


def test_a_copied_directory_is_as_good_as_the_first(fault_server: FaultServer, tmp_path: Path) -> None:
    save(fault_server, tmp_path)
    shutil.copytree(tmp_path / "d", tmp_path / "e", copy_function=shutil.copyfile)
    shutil.copy(tmp_path / "d.penstock", tmp_path / "e.penstock")
    fault_server.log.clear()
    copied = penstock("-i", "l", "-d", "e", "--recheck", directory=tmp_path)
    assert copied.returncode == 0, copied.stderr
    assert fault_server.log == []
    checked = penstock_command("verify", "e.penstock", directory=tmp_path)
    assert checked.stdout == "2 files as they were, 0 missing or changed\n"


def test_status_agrees_with_the_run_about_files_that_were_not_wanted(fault_server: FaultServer, tmp_path: Path) -> None:
    links = [*serve(fault_server, 3), fault_server.serve("/big.bin", Content(9000))]
    page = "".join(f'<a href="{link}">a</a>' for link in links).encode()

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/page":
            reply.become(200, {"Content-Type": "text/html"}, page)

    fault_server.script = script
    for _ in range(2):
        arguments = ("page", fault_server.url("/page"), "-d", "d", "--min-size", "5000", "--manifest", "d.penstock")
        done = penstock_command(*arguments, directory=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[-1].startswith("1 file: ")
        shown = penstock_command("status", "d.penstock", directory=tmp_path).stdout
        assert shown == "1 file: 1 done (8.8 KiB), 0 failed, 0 pending; 3 more not wanted\n"
        export = penstock_command("status", "d.penstock", "--export", "json", "--state", "unwanted", directory=tmp_path)
        rows = [json.loads(line) for line in export.stdout.splitlines()]
        assert [row["state"] for row in rows] == ["unwanted"] * 3
        assert all("not wanted: " in row["message"] for row in rows)


def test_reading_a_manifest_leaves_nothing_beside_it(fault_server: FaultServer, tmp_path: Path) -> None:
    save(fault_server, tmp_path)
    before = sorted(tmp_path.iterdir())
    for arguments in (("status", "d.penstock"), ("status", "d.penstock", "--export", "csv"), ("verify", "d.penstock")):
        assert penstock_command(*arguments, directory=tmp_path).returncode == 0
        assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["status", "verify"])
def test_F53_what_is_no_manifest_is_a_usage_error_in_words_of_this_command(tmp_path: Path, command: str) -> None:
    (tmp_path / "l.txt").write_text("http://e.org/a\n" * 100)
    (tmp_path / "empty").touch()
    with contextlib.closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE t(x)")
        other.commit()
    before = sorted(tmp_path.iterdir())
    for name in ("l.txt", "empty", "other", "nowhere", "."):
        done = penstock_command(command, name, directory=tmp_path)
        assert done.returncode == 2, name
        assert f"{name}: " in done.stderr
        assert "no such manifest" in done.stderr or "not a manifest of Penstock's" in done.stderr
        assert "--manifest" not in done.stderr
        assert done.stderr.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["status", "verify"])
def test_F53_a_damaged_newer_or_older_manifest_says_what_it_is(
    fault_server: FaultServer, tmp_path: Path, command: str
) -> None:
    save(fault_server, tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "d.penstock")) as db:
        db.executescript("PRAGMA user_version = 99;")
    newer = penstock_command(command, "d.penstock", directory=tmp_path)
    assert "version 99" in newer.stderr
    with contextlib.closing(sqlite3.connect(tmp_path / "d.penstock")) as db:
        db.executescript("PRAGMA user_version = 1; ALTER TABLE file DROP COLUMN mtime;")
    older = penstock_command(command, "d.penstock", directory=tmp_path)
    assert "d.penstock: the manifest has the layout of an unreleased Penstock; move it away" in older.stderr
    assert (newer.returncode, older.returncode) == (3, 3)
    assert "--manifest" not in older.stderr + newer.stderr
    run = penstock("-i", "l", "-d", "d", directory=tmp_path)
    assert run.returncode == 3
    assert "the layout of an unreleased Penstock" in run.stderr


def test_a_relative_directory_is_found_from_elsewhere(fault_server: FaultServer, tmp_path: Path) -> None:
    save(fault_server, tmp_path)
    (tmp_path / "elsewhere").mkdir()
    checked = penstock_command("verify", "../d.penstock", directory=tmp_path / "elsewhere")
    assert checked.stdout == "2 files as they were, 0 missing or changed\n"


def test_a_state_is_listed_row_by_row(fault_server: FaultServer, tmp_path: Path) -> None:
    urls = [*serve(fault_server, 2), fault_server.url("/missing")]
    (tmp_path / "l").write_text("\n".join(urls))
    run = penstock("-i", "l", "-d", "d", directory=tmp_path)
    assert "penstock status d.penstock --state failed lists them" in run.stderr
    failed = penstock_command("status", "d.penstock", "--state", "failed", directory=tmp_path)
    assert failed.stdout.startswith(f"{urls[2]}: HTTP 404")
    assert len(failed.stdout.splitlines()) == 1
    done = penstock_command("status", "d.penstock", "--state", "done", directory=tmp_path)
    assert done.stdout.splitlines() == [f"{url} -> {url.rpartition('/')[2]}" for url in urls[:2]]
