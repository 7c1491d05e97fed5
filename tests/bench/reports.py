"""Reports made by hand, for the tests of what is shown."""

from __future__ import annotations

from bench.results import Case, Job, Report, Row, Sample


def samples(figure: str, *values: float) -> tuple[Sample, ...]:
    return tuple({figure: value} for value in values)


def case(key: str, *rows: Row, columns: tuple[str, ...] = ("wall",), **facts: float) -> Case:
    return Case(key, f"case {key}", columns, rows, facts)


def report(*cases: Case, call: str = "python -m bench") -> Report:
    letters = list(dict.fromkeys(each.key[0] for each in cases))
    jobs = [
        Job(letter, f"job {letter}", "about", tuple(each for each in cases if each.key[0] == letter))
        for letter in letters
    ]
    return Report({"cores": "2"}, {"penstock": "1.0"}, "2024-01-01", 90.0, call, tuple(jobs))
