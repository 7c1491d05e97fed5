"""Manifests that somebody has been at, and what may stand in one (S16, F53)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.errors import StorageError
from penstock.store.entries import Entry, Outcome, Rules
from penstock.store.manifest import Manifest
from penstock.store.records import Records
from penstock.store.schema import row_key

ENTRY = Entry(row_key("https://e.org/a", None), ("https://e.org/a",), "https://e.org", "a", False, 1)
Run = Callable[[], Manifest]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Begins another run of the same list."""
    return lambda: Manifest.open(
        tmp_path / "m", Rules(tmp_path / "data", rechecks=True), lambda _path, _name: "sha256:00"
    )


def tamper(path: Path, column: str, value: object) -> None:
    db = sqlite3.connect(path)
    db.execute(f"UPDATE file SET {column} = ?", (value,))
    db.commit()
    db.close()


@pytest.mark.parametrize("target", ["../x", "/etc/x", "a/../../x", "a//b", ".bashrc", "a.part", b"x"])
def test_S16_S01_a_manifest_leads_to_no_file_outside_the_directory(tmp_path: Path, run: Run, target: object) -> None:
    manifest = run()
    manifest.add([ENTRY])
    manifest.close()
    tamper(tmp_path / "m", "target", target)
    manifest = run()
    with pytest.raises(StorageError, match="outside the directory"):
        manifest.add([ENTRY])
    manifest.close()


@pytest.mark.parametrize(
    ("column", "value"), [("state", 7), ("state", -1), ("state", "x"), ("state", 1.5), ("size", b"x"), ("digest", b"x")]
)
def test_F53_a_row_that_no_run_wrote_is_a_clear_error(tmp_path: Path, run: Run, column: str, value: object) -> None:
    manifest = run()
    manifest.add([ENTRY])
    manifest.close()
    tamper(tmp_path / "m", column, value)
    records = Records(tmp_path / "m")
    with pytest.raises(StorageError, match="damaged"):
        list(records.rows())
    records.close()


def test_a_directory_and_a_message_that_are_not_UTF_8_are_kept(tmp_path: Path) -> None:
    root = tmp_path / "\udcff"
    path = tmp_path / "\udcfe.penstock"
    manifest = Manifest.open(path, Rules(root), lambda _path, _name: "sha256:00")
    manifest.add([ENTRY])
    manifest.add_bad([(2, "\udcff", "\udcff")])
    manifest.record([Outcome(1, "a", reason="storage", message="\udcff")])
    manifest.close()
    records = Records(path)
    assert records.root == root
    assert [fact.message for fact in records.rows()] == ["\\udcff", "\\udcff"]
    records.close()
