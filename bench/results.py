"""What was measured: a report holds jobs, a job cases, a case a row for each program, a row a sample for each round.

Plain data: it goes to JSON and comes back the same. Knows nothing of how it is measured or shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

#: Figures of one round by name. Seconds: ``wall``, ``user``, ``system``, ``cpu``, ``ended`` (when, Unix time), ``tail``
#: (last byte to verified), ``ending`` (last byte to the process's end); bytes: ``memory`` (peak resident); numbers:
#: ``refusals``, ``share`` (``tail`` of ``wall``), ``count`` (files, connections) and ``unit`` (what one of them costs),
#: ``first`` and ``last`` (files per second in the first and the last tenth).
Sample: TypeAlias = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One program in one case. The n-th sample of every row is of the same round; `note` says why some are missing."""

    program: str
    samples: tuple[Sample, ...] = ()
    note: str = ""
    #: The command line, with words such as FILE in place of what differs from machine to machine.
    command: str = ""


@dataclass(frozen=True)
class Case:
    """One question put to every program. `columns` names what its table shows (`bench.page.columns`)."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    #: What is known beforehand: ``ideal`` (seconds), ``files``, ``bytes``.
    facts: dict[str, float] = field(default_factory=dict)

    def row(self, program: str) -> Row | None:
        """A program's row; None when it took no part."""
        return next((row for row in self.rows if row.program == program), None)


@dataclass(frozen=True)
class Job:
    """Cases that belong together, under one letter."""

    letter: str
    title: str
    #: What is done and how to read it.
    about: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Report:
    """All of one run."""

    #: What it ran on: processor, cores, memory, kernel, Python.
    machine: dict[str, str]
    #: Versions by program; "not installed" where it is so.
    versions: dict[str, str]
    #: The day it began (ISO), and how long it took (seconds).
    day: str
    seconds: float
    #: How it was called, such as ``python -m bench --quick``.
    call: str
    jobs: tuple[Job, ...]

    @property
    def cases(self) -> Iterator[Case]:
        """Those of all jobs."""
        for job in self.jobs:
            yield from job.cases

    def case(self, key: str) -> Case | None:
        """The case with this key; None when it was not measured."""
        return next((case for case in self.cases if case.key == key), None)


def to_json(report: Report) -> str:
    """The whole report; `from_json` reads it."""
    text = json.dumps(_rounded(asdict(report)), indent=1, ensure_ascii=False)
    return text + "\n"


def from_json(text: str) -> Report:
    """The report that `to_json` wrote."""
    fields: dict[str, Any] = json.loads(text)
    return Report(**{**fields, "jobs": tuple(_job(each) for each in fields["jobs"])})


def _job(fields: dict[str, Any]) -> Job:
    return Job(**{**fields, "cases": tuple(_case(each) for each in fields["cases"])})


def _case(fields: dict[str, Any]) -> Case:
    rows = tuple(Row(**{**each, "samples": tuple(each["samples"])}) for each in fields["rows"])
    return Case(**{**fields, "columns": tuple(fields["columns"]), "rows": rows})


def _rounded(value: Any) -> Any:
    """Floats to the microsecond: what is behind it is noise."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
