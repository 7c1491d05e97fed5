"""S16, S08: manifests and journals that somebody crafted lead nowhere, and what they hold is not obeyed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from pathlib import Path

import pytest

import penstock
from penstock.core.resume import Unreadable
from penstock.store.directory import Directory
from penstock.store.journal import Journal
from tests.cli.command import penstock as run
from tests.engine.helpers import fetch
from tests.security.test_links import STRANGER, needs_root
from tests.servers.content import Content
from tests.servers.fault import FaultServer

SMALL = Content(3000, seed=1)
LARGE = Content(3_000_000, seed=2)


class Batch:
    """A batch that was done once, and may be crafted before it is done again."""

    def __init__(self, server: FaultServer, home: Path) -> None:
        self.directory = home / "deep" / "d"
        self.manifest = home / "m.penstock"
        self.urls = [server.serve("/a", SMALL), server.serve("/b", SMALL)]
        assert self.again().done == 2

    def craft(self, *statements: str) -> None:
        with contextlib.closing(sqlite3.connect(self.manifest)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    def again(self) -> penstock.Summary:
        with penstock.Downloader() as downloader:
            return downloader.submit_many(
                self.urls, directory=self.directory, manifest=self.manifest, if_exists="overwrite"
            ).result()


@pytest.fixture
def batch(fault_server: FaultServer, tmp_path: Path) -> Batch:
    return Batch(fault_server, tmp_path)


@pytest.mark.parametrize("target", ["../../evil", "/tmp/evil-of-penstock", "x/../../evil", ".bashrc", "evil.part"])
@pytest.mark.parametrize("run_number", ["run", "2"])
def test_S16_a_target_out_of_the_directory_is_not_believed(
    batch: Batch, tmp_path: Path, target: str, run_number: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    batch.craft(f"UPDATE file SET state = 0, target = {target!r}, run = {run_number} WHERE id = 1")
    with pytest.raises(penstock.StorageError, match="outside the directory"):
        batch.again()
    assert [path for path in sorted(tmp_path.rglob("*")) if path.suffix != ".penstock-wal"] == before
    assert not Path("/tmp/evil-of-penstock").exists()


def test_S16_a_row_that_is_not_in_the_list_is_not_fetched(batch: Batch, fault_server: FaultServer) -> None:
    batch.craft(
        "UPDATE file SET state = 0, key = 'another', run = 2, turn = 100 WHERE id = 1",
    )
    asked = len(fault_server.log)
    with contextlib.suppress(penstock.DownloadError):
        batch.again()
    assert [request.path for request in fault_server.log[asked:]].count("/a") <= 1


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER UPDATE ON file BEGIN UPDATE file SET target = '../../evil'; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE more(x)",
        "ALTER TABLE file ADD COLUMN evil TEXT DEFAULT 5",
    ],
)
def test_S16_a_manifest_with_more_than_our_tables_is_not_used(batch: Batch, statement: str) -> None:
    batch.craft(statement)
    with pytest.raises(penstock.StorageError, match="the layout of"):
        batch.again()
    shown = run("status", str(batch.manifest))
    assert shown.returncode == 3
    assert "the layout of" in shown.stderr


def test_S16_an_endless_view_in_place_of_a_table_is_not_read(batch: Batch) -> None:
    batch.craft(
        "ALTER TABLE file RENAME TO old",
        "CREATE VIEW file AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        " SELECT x AS run, 1 AS state FROM n",
    )
    assert run("status", str(batch.manifest)).returncode == 3


@pytest.mark.parametrize(
    "change", ["state = 9", "size = 'x'", "digest = 5", "url = x'1b5b'", "line = 'x'", "started = 'x'", "message = 1.5"]
)
def test_S16_a_row_that_makes_no_sense_is_an_error_of_one_line(batch: Batch, change: str) -> None:
    batch.craft(f"UPDATE file SET {change}")
    for words in (["status", "--export", "json"], ["verify"]):
        shown = run(*words, str(batch.manifest))
        assert "Traceback" not in shown.stderr
        assert "internal" not in shown.stderr
    assert run("status", str(batch.manifest)).returncode == 0


@pytest.mark.parametrize("digest", ["shake_128:00", "nonsense:00", ":", "md5"])
def test_S16_an_unknown_digest_is_an_answer_not_a_crash(batch: Batch, digest: str) -> None:
    batch.craft(f"UPDATE file SET digest = '{digest}'")
    shown = run("verify", str(batch.manifest))
    assert shown.returncode == 1
    assert "internal" not in shown.stderr


@pytest.mark.timeout(20)
def test_S16_a_pipe_in_a_file_s_place_is_not_waited_for(batch: Batch) -> None:
    batch.craft("UPDATE file SET size = 0")
    (batch.directory / "a").unlink()
    os.mkfifo(batch.directory / "a")
    assert run("verify", str(batch.manifest)).returncode == 1


@needs_root
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_S16_a_stranger_s_manifest_or_log_is_not_used(batch: Batch, suffix: str) -> None:
    planted = Path(f"{batch.manifest}{suffix}")
    planted.touch()
    os.chown(planted, STRANGER, STRANGER)
    with pytest.raises(penstock.StorageError, match="another user"):
        batch.again()
    assert run("status", str(batch.manifest)).returncode == 3


@pytest.mark.parametrize("name", ["m", "m-wal", "m-shm", "m-journal", "m.lock", "M-JOURNAL"])
@pytest.mark.parametrize("policy", ["error", "overwrite"])
def test_S16_no_row_takes_the_name_of_the_manifest_s_files(
    fault_server: FaultServer, tmp_path: Path, name: str, policy: str
) -> None:
    url = fault_server.serve(f"/{name}", SMALL)
    with penstock.Downloader() as downloader:
        ended = downloader.submit_many([url], directory=tmp_path, manifest=tmp_path / "m", if_exists=policy).result()
    assert (ended.done, ended.rejected) == (0, 1)
    assert (tmp_path / "m").read_bytes()[:15] == b"SQLite format 3"


def journal(validator: str) -> bytes:
    body = (
        '{"source":"http://127.0.0.1/a","length":3000000,"validator":["etag",' + validator + '],"etag":null,'
        '"last_modified":null,"done":[[0,1000]]}'
    ).encode()
    return f"penstock-journal 1 {hashlib.sha256(body).hexdigest()}\n".encode() + body


@pytest.mark.parametrize(
    "validator", [r'"\"x\"\r\nX-Injected: 1"', r'"\"x\"\nA: b"', r'"\u0000"', r'"x\u001b[31m"', r'"\u4e2d"']
)
def test_S08_S16_a_validator_that_is_none_is_not_sent(
    fault_server: FaultServer, tmp_path: Path, validator: str
) -> None:
    url = fault_server.serve("/a", LARGE)
    (tmp_path / "a.part").write_bytes(bytes(3_000_000))
    (tmp_path / "a.part.journal").write_bytes(journal(validator))
    directory = Directory.open(tmp_path)
    try:
        assert isinstance(Journal(directory, "a").load(), Unreadable)
    finally:
        directory.close()
    fetch(url, tmp_path).done()
    assert all("x-injected" not in request.headers and "a" not in request.headers for request in fault_server.log)


def test_S08_a_row_of_a_program_is_checked_too(fault_server: FaultServer, tmp_path: Path) -> None:
    row = penstock.Row((fault_server.serve("/a", SMALL),), headers=(("X", "1\r\nInjected: 2"),))
    with penstock.Downloader() as downloader:
        assert downloader.submit_many([row], directory=tmp_path).result().rejected == 1
    assert fault_server.log == []
