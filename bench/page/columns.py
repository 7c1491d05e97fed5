"""The columns that a case's table may have. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.figures import difference, largest, median_of, per, ratio, values
from bench.results import Case, Row
from bench.targets import OURS

Cell = Callable[[Case, Row], str]
_REFERENCE = "bare Python"


@dataclass(frozen=True)
class Column:
    """A heading and what stands below it for a program."""

    heading: str
    cell: Cell


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines.extend("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join(lines)


def table_of(case: Case) -> str:
    """A case's table: a line for each program; a note where there are no figures."""
    columns = [COLUMNS[name] for name in case.columns]
    header = ["program", *(column.heading for column in columns), "rounds"]
    return table(header, [_line(case, row, columns) for row in case.rows])


def _line(case: Case, row: Row, columns: list[Column]) -> list[str]:
    if not any(row.samples):
        return [row.program, row.note or "not measured", *[""] * len(columns)]
    rounds = str(sum(map(bool, row.samples)))
    return [
        row.program,
        *(column.cell(case, row) for column in columns),
        f"{rounds}; {row.note}" if row.note else rounds,
    ]


def _spread(figure: str, factor: float = 1.0, places: int = 2) -> Cell:
    """The median with the least and the largest."""

    def cell(_case: Case, row: Row) -> str:
        found = [value * factor for value in values(row, figure)]
        if not found:
            return ""
        middle = median_of(row, figure)
        assert middle is not None
        return f"{middle * factor:.{places}f} ({min(found):.{places}f}..{max(found):.{places}f})"

    return cell


def _middle(figure: str, factor: float = 1.0, places: int = 2) -> Cell:
    return lambda _case, row: _number(median_of(row, figure), factor, places)


def _our_over(figure: str) -> Cell:
    return lambda case, row: "" if row.program == OURS else _number(ratio(case, OURS, row.program, figure))


def _per(figure: str, fact: str, factor: float = 1.0, places: int = 2) -> Cell:
    return lambda case, row: _number(per(case, row, figure, fact), factor, places)


def _growth(case: Case, row: Row) -> str:
    """The cost over that of the first row of the same program."""
    program = row.program.partition(",")[0]
    first = next(each for each in case.rows if each.program.partition(",")[0] == program)
    cost, least = median_of(row, "unit"), median_of(first, "unit")
    return "" if cost is None or not least else f"{cost / least:.2f}"


def _number(value: float | None, factor: float = 1.0, places: int = 2) -> str:
    return "" if value is None else f"{value * factor:,.{places}f}"


_MS = 1e3
_MIB = 1 / (1 << 20)
COLUMNS: dict[str, Column] = {
    "wall": Column("wall s", _spread("wall")),
    "wall ms": Column("wall ms", _spread("wall", _MS, 0)),
    "cpu": Column("CPU s", _spread("cpu")),
    "cpu ms": Column("CPU ms", _middle("cpu", _MS, 0)),
    "user": Column("user s", _middle("user")),
    "system": Column("system s", _middle("system")),
    "memory": Column("peak MiB", lambda _case, row: _number(largest(row, "memory"), _MIB, 0)),
    "our wall": Column("penstock's wall / its", _our_over("wall")),
    "our cpu": Column("penstock's CPU / its", _our_over("cpu")),
    "ideal": Column("time / ideal", _per("wall", "ideal")),
    "refusals": Column("refusals (503)", _spread("refusals", places=0)),
    "user a file": Column("user µs a file", _per("user", "files", 1e6, 0)),
    "system a file": Column("system µs a file", _per("system", "files", 1e6, 0)),
    "over bare ms": Column(
        "over bare Python, ms", lambda case, row: _number(difference(case, row.program, _REFERENCE, "wall"), _MS, 0)
    ),
    "tail": Column("last byte to verified, s", _spread("tail")),
    "share": Column("of the total, %", _middle("share", 100, 1)),
    "ending": Column("last byte to end, s", _middle("ending")),
    "sent": Column("sent again, MiB", _middle("sent", _MIB, 0)),
    "first": Column("files/s, first tenth", _middle("first", places=0)),
    "last": Column("files/s, last tenth", _middle("last", places=0)),
    "unit": Column("cost", _middle("unit")),
    "growth": Column("growth", _growth),
}
