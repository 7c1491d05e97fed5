"""What a run would do, found out on a copy: nothing beside it is touched."""

from __future__ import annotations

from pathlib import Path

from penstock.core.rows import Row
from penstock.core.template import Template
from penstock.engine.intake import prepared
from penstock.store.entries import Entry, Rules
from penstock.store.hashing import hash_file
from penstock.store.manifest import Manifest
from penstock.store.rehearsal import Action, Rehearsal


def entry(url: str) -> Entry:
    made = prepared(Row((url,), 1), Template())
    assert isinstance(made, Entry)
    return made


def test_what_a_kill_left_beside_a_target_is_left_to_the_run(tmp_path: Path) -> None:
    rules, path = Rules(tmp_path), tmp_path / "m.penstock"
    row = entry("https://e.org/a")
    manifest = Manifest.open(path, rules, hash_file)
    manifest.add([row])
    manifest.close()
    (tmp_path / "a").write_text("came before the kill")
    journal = tmp_path / "a.part.journal"
    journal.touch()
    before = path.read_bytes()
    with Rehearsal(path, rules, hash_file) as rehearsal:
        assert rehearsal.foretell(row) == (Action.SKIP, "a", "done already")
    assert journal.exists()
    assert path.read_bytes() == before
    manifest = Manifest.open(path, rules, hash_file)
    assert manifest.add([row]).done == 1
    manifest.close()
    assert not journal.exists()


def test_rows_that_share_a_name_are_told_apart_and_repeated_ones_known(tmp_path: Path) -> None:
    with Rehearsal(None, Rules(tmp_path), hash_file) as rehearsal:
        first = rehearsal.foretell(entry("https://e.org/1/a"))
        second = rehearsal.foretell(entry("https://e.org/2/a"))
        again = rehearsal.foretell(entry("https://e.org/1/a"))
    assert [each.action for each in (first, second, again)] == [Action.FETCH, Action.FETCH, Action.REPEAT]
    assert first.target == again.target == "a"
    assert second.target != "a"
    assert list(tmp_path.iterdir()) == []
