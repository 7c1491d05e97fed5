"""Keep the tables of docs/reliability.md true: ``python -m tests.reliability`` writes the tests of each row into them.

A test proves the rows whose ids its name begins with: ``test_F05_S24_...`` proves F05 and S24. The rows, what happens
and the outcome are written by hand; the last column and the counts are made from the tests' names.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
DOCUMENT: Final = ROOT / "docs" / "reliability.md"
#: Kinds of rows, with how many of each there are.
ROWS: Final = {"F": 58, "S": 25}
#: Kinds of rows of which each must have a test.
PROVEN = "FS"
_ROW: Final = re.compile(r"^\| (?P<id>[A-Z][0-9]{2}) \| (?P<what>.+?) \| (?P<outcome>.+?) \|(?P<tests>.*)\|$")
_NAMED: Final = re.compile(r"test_((?:[A-Z][0-9]{2}_)+)")
_COUNTS: Final = re.compile(r"(?<=<!-- counts -->\n)[^\n]*")
NOTHING: Final = "none yet"


class Proof(NamedTuple):
    """One test function: its file below the root, its name, and the ids of the rows it proves."""

    path: str
    name: str
    rows: tuple[str, ...]


def proofs(folder: Path = ROOT / "tests") -> list[Proof]:
    """Every test whose name begins with ids, in order of files and names."""
    return sorted(proof for path in folder.rglob("test_*.py") for proof in _proofs_of(path))


def _proofs_of(path: Path) -> Iterator[Proof]:
    shown = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (match := _NAMED.match(node.name)):
            yield Proof(shown, node.name, tuple(match[1].rstrip("_").split("_")))


def rows(text: str) -> list[str]:
    """The ids of the table's rows, in their order."""
    return [match["id"] for line in text.splitlines() if (match := _ROW.match(line))]


def regenerated(text: str, known: list[Proof]) -> str:
    """The document with the tests' column, and the counts, made anew."""
    by_row: dict[str, list[Proof]] = {}
    for proof in known:
        for row in proof.rows:
            by_row.setdefault(row, []).append(proof)

    def with_tests(line: str) -> str:
        match = _ROW.match(line)
        if match is None:
            return line
        return f"| {match['id']} | {match['what']} | {match['outcome']} | {_cell(by_row.get(match['id'], []))} |"

    whole = "\n".join(map(with_tests, text.split("\n")))
    listed = rows(text)
    proven = sum(row in by_row for row in listed)
    tests = len({(proof.path, proof.name) for row in listed for proof in by_row.get(row, [])})
    return _COUNTS.sub(f"{len(listed)} rows, {proven} of them proven, by {tests} tests.", whole)


def _cell(known: list[Proof]) -> str:
    return "<br>".join(f"[{proof.name}](../{proof.path})" for proof in known) or NOTHING


def complaints(text: str, known: list[Proof]) -> list[str]:
    """What is wrong with the document, in sentences."""
    listed = rows(text)
    expected = [f"{kind}{number:02}" for kind, count in ROWS.items() for number in range(1, count + 1)]
    found = [f"{row} is not in the table" for row in expected if row not in listed]
    found += [f"{row} is in the table twice" for row in sorted({row for row in listed if listed.count(row) > 1})]
    found += [
        f"{proof.name} proves {row}, which is no row" for proof in known for row in proof.rows if row not in expected
    ]
    proven = {row for proof in known for row in proof.rows}
    found += [f"{row} has no test" for row in listed if row[0] in PROVEN and row not in proven]
    if regenerated(text, known) != text:
        found.append("the tests' column is not as the tests are: run python -m tests.reliability")
    return found


def main() -> int:
    """Write the document anew; 1 when something is wrong that this cannot mend."""
    known = proofs()
    text = regenerated(DOCUMENT.read_text(encoding="utf-8"), known)
    DOCUMENT.write_text(text, encoding="utf-8")
    wrong = complaints(text, known)
    print(
        "\n".join(wrong) or f"{DOCUMENT.relative_to(ROOT)} is as the tests are",
        file=sys.stderr if wrong else sys.stdout,
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
