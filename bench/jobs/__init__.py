"""The jobs by their letters. Each module has `measure(stage)`, which brings a `Job` of results."""

from __future__ import annotations

from collections.abc import Callable

from bench.jobs import checksum, growth, large, many, memory, resume, shaped, startup
from bench.results import Job
from bench.stage import Stage

JOBS: dict[str, Callable[[Stage], Job]] = {
    "a": large.plain,
    "b": large.over_tls,
    "c": shaped.measure,
    "d": many.measure,
    "e": startup.measure,
    "f": memory.measure,
    "g": checksum.measure,
    "h": resume.measure,
    "i": growth.measure,
}
