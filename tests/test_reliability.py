"""docs/reliability.md says which test proves which row; this holds it to that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability import DOCUMENT, NOTHING, PROVEN, Proof, complaints, proofs, regenerated, rows

TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_every_row_is_listed_once_and_every_test_with_its_row() -> None:
    assert complaints(TEXT, proofs()) == []


def test_a_row_without_a_test_is_seen() -> None:
    known = [proof for proof in proofs() if "F07" not in proof.rows]
    assert "F07 has no test" in complaints(regenerated(TEXT, known), known)


def test_a_named_test_that_does_not_exist_is_seen() -> None:
    name = next(proof.name for proof in proofs() if "F07" in proof.rows)
    changed = TEXT.replace(name, f"{name}_and_more")
    assert any("column" in complaint for complaint in complaints(changed, proofs()))


def test_a_test_that_no_row_lists_is_seen() -> None:
    more = [*proofs(), Proof("tests/test_new.py", "test_F07_something_new", ("F07",))]
    assert any("column" in complaint for complaint in complaints(TEXT, more))


def test_an_id_that_is_no_row_is_seen() -> None:
    more = [*proofs(), Proof("tests/test_new.py", "test_F99_beyond", ("F99",))]
    assert "test_F99_beyond proves F99, which is no row" in complaints(TEXT, more)


@pytest.mark.parametrize("gone", ["F07", "S12"])
def test_a_row_that_is_missing_or_there_twice_is_seen(gone: str) -> None:
    line = next(line for line in TEXT.split("\n") if line.startswith(f"| {gone} "))
    assert f"{gone} is not in the table" in complaints(TEXT.replace(f"{line}\n", ""), proofs())
    assert f"{gone} is in the table twice" in complaints(TEXT.replace(line, f"{line}\n{line}"), proofs())


def test_writing_it_anew_changes_nothing_but_tests_and_counts() -> None:
    bare = regenerated(TEXT, [])
    assert rows(bare) == rows(TEXT)
    assert all(line.endswith(f"| {NOTHING} |") for line in bare.split("\n") if line[2:5] in rows(TEXT))
    assert regenerated(bare, proofs()) == TEXT


def test_ids_are_read_from_the_beginning_of_a_name_only(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "class TestIt:\n    def test_F01_S02_both(self): ...\ndef test_x_F03_no(): ...\ndef helper_F04_x(): ...\n"
    )
    assert [proof.rows for proof in proofs(tmp_path)] == [("F01", "S02")]


def test_the_kinds_that_must_be_proven_are_kinds() -> None:
    assert set(PROVEN) <= {row[0] for row in rows(TEXT)}
