"""A report as a page in Markdown. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bench.page.columns import table, table_of
from bench.results import Job, Report
from bench.targets import OURS, verdicts

_HEAD = """# Benchmarks

Made by `{call}` on {day} in {minutes:.0f} min; [bench/README.md](../bench/README.md) says how to rerun it.
Programs run as whole processes, their start included, and take turns round by round; those that a target is about
have a warm-up before (none over shaped links and for files of 4 GiB). Every output is compared by SHA-256. Figures are
medians (least..largest); a ratio is the median of the ratios of each round's pair. **Ratios count, not seconds.**
"""
_CHANGED = """
**Sizes or rounds were not those that the targets are about, so nothing is met or missed by this run.**
"""
_MACHINE = "## Machine and programs"


def page(report: Report, plots: Collection[str] = ()) -> str:
    """All of it. `plots` are the names of the pictures that exist, ``LETTER.svg``."""
    return "\n".join(_parts(report, plots)).rstrip() + "\n"


def _parts(report: Report, plots: Collection[str]) -> Iterator[str]:
    yield _HEAD.format(call=report.call, day=report.day, minutes=max(1.0, report.seconds / 60))
    if is_changed(report):
        yield _CHANGED
    if rows := targets_rows(report):
        yield "## Targets\n"
        yield table(["target", "limit", "measured", "rounds", ""], rows) + "\n"
    yield from _machine(report)
    for job in report.jobs:
        yield from _job(job, plots)
    yield from _commands(report)


def is_changed(report: Report) -> bool:
    """Whether it was called with anything that makes it another than the full run."""
    return any(word in report.call for word in ("--quick", "--set"))


def targets_rows(report: Report) -> list[list[str]]:
    """Each target of the jobs that ran, what was measured, and whether it is met."""
    rows = []
    ran = {job.letter for job in report.jobs}
    for verdict in verdicts(report):
        target = verdict.target
        if target.case[0] not in ran or (verdict.figure is None and is_changed(report)):
            continue
        unit = f" {target.unit}" if target.unit else ""
        word = "" if is_changed(report) else verdict.word
        figure = "" if verdict.figure is None else f"{verdict.figure:.{target.places}f}{unit}"
        rows.append([target.text, f"at most {target.limit:g}{unit}", figure, str(verdict.rounds or ""), word])
    return rows


def _machine(report: Report) -> Iterator[str]:
    yield _MACHINE + "\n"
    yield table(["", ""], [[name, value] for name, value in report.machine.items()]) + "\n"
    yield table(["program", "version"], [[name, version] for name, version in report.versions.items()]) + "\n"


def _job(job: Job, plots: Collection[str]) -> Iterator[str]:
    yield f"## ({job.letter}) {job.title}\n"
    yield job.about + "\n"
    for name in plots:
        if name.startswith(f"{job.letter}."):
            yield f"![{job.title}](benchmarks/{name})\n"
    for case in job.cases:
        yield f"### {case.title}\n"
        yield table_of(case) + "\n"


def _commands(report: Report) -> Iterator[str]:
    yield "## Command lines\n"
    yield (
        "Each program with the flags that serve it best. Words in capitals stand for places on the machine; Python "
        "libraries are driven by the scripts in `bench/drivers`, where a script's last number is the connections or "
        "files at once.\n"
    )
    for job in report.jobs:
        yield f"### ({job.letter}) {job.title}\n"
        seen: dict[str, None] = {}
        for case in job.cases:
            seen.update(dict.fromkeys(row.command for row in case.rows if row.command))
        yield "```sh\n" + "\n".join(sorted(seen, key=lambda command: OURS not in command)) + "\n```\n"
