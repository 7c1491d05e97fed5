"""A report's plots as SVG; needs matplotlib, and is run by whichever interpreter has it.

python -m bench.page.plots RESULTS.json FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

from bench.figures import median_of, per
from bench.results import Case, Job, Report, Row, from_json
from bench.targets import OURS

mpl.use("svg")
# the same results make the same bytes; text stays text
mpl.rcParams.update({"svg.hashsalt": "penstock", "svg.fonttype": "none", "font.size": 9, "axes.axisbelow": True})

from matplotlib import pyplot  # noqa: E402 - after the choice of what it draws with

_OURS, _THEIRS = "#1f6feb", "#9aa4b2"
_WIDTH = 7.5
#: Shaped links: beyond this many times the ideal nothing more is to be learnt.
_MOST_IDEAL = 4.0


def main(results: Path, folder: Path) -> None:
    """Draw a picture for every job that has one."""
    report = from_json(results.read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in draw(report).items():
        figure.savefig(folder / name, metadata={"Date": None}, bbox_inches="tight")
        pyplot.close(figure)


def draw(report: Report) -> dict[str, Any]:
    """Pictures by file name."""
    found = {}
    for job in report.jobs:
        if job.letter in "abd":
            found[f"{job.letter}.svg"] = _bars(job, {"wall": "wall, s", "cpu": "CPU, s"}, job.cases)
        elif job.letter == "c":
            found["c.svg"] = _shaped(job)
        elif job.letter == "e":
            found["e.svg"] = _bars(job, {"wall": "wall, s"}, job.cases)
        elif job.letter == "f":
            found["f.svg"] = _bars(job, {"memory": "peak, bytes"}, job.cases[:1])
        elif job.letter in "gh":
            found[f"{job.letter}.svg"] = _bars(job, {"wall": "wall, s"}, job.cases)
        elif job.letter == "i":
            found["i.svg"] = _growth(job)
    return found


def _measured(case: Case) -> list[Row]:
    return [row for row in case.rows if any(row.samples)]


def _bars(job: Job, figures: dict[str, str], cases: tuple[Case, ...]) -> Any:
    """A panel for each case and figure, a bar for each program; whiskers from least to largest."""
    heights = [max(1, len(_measured(case))) for case in cases]
    figure, panels = pyplot.subplots(
        len(cases), len(figures), squeeze=False, figsize=(_WIDTH, 0.6 * len(cases) + 0.22 * sum(heights)),
        height_ratios=heights, layout="constrained",
    )  # fmt: skip
    for case, line in zip(cases, panels, strict=True):
        for (name, label), panel in zip(figures.items(), line, strict=True):
            _bar_panel(panel, case, name, label)
    figure.suptitle(f"{job.title}: shorter is better")
    return figure


def _bar_panel(panel: Any, case: Case, name: str, label: str) -> None:
    rows = _measured(case)[::-1]
    middles = [median_of(row, name) or 0.0 for row in rows]
    samples = [[sample[name] for sample in row.samples if sample] for row in rows]
    below = [middle - min(each) for middle, each in zip(middles, samples, strict=True)]
    above = [max(each) - middle for middle, each in zip(middles, samples, strict=True)]
    colours = [_OURS if row.program.startswith(OURS) else _THEIRS for row in rows]
    panel.barh([row.program for row in rows], middles, xerr=[below, above], color=colours, ecolor="#555555")
    panel.set_title(f"{case.title}", fontsize=8, loc="left")
    panel.set_xlabel(label)
    panel.grid(axis="x", alpha=0.4)


def _shaped(job: Job) -> Any:
    """Time over the ideal: a line of points for each case; what was stopped stands at the right edge."""
    figure, panel = pyplot.subplots(figsize=(_WIDTH, 0.8 + 0.32 * len(job.cases)), layout="constrained")
    programs = list(dict.fromkeys(row.program for case in job.cases for row in case.rows))
    cases = job.cases[::-1]
    for number, program in enumerate(programs):
        points = []
        for height, case in enumerate(cases):
            over = per(case, case.row(program), "wall", "ideal")
            row = case.row(program)
            if over is not None:
                points.append((min(over, _MOST_IDEAL), height))
            elif row is not None and row.note.startswith("too slow"):
                points.append((_MOST_IDEAL, height))
        if points:
            ours = program == OURS
            panel.scatter(
                *zip(*points, strict=True), label=program, marker="oxs^vDP*+d<"[number % 11], zorder=3 if ours else 2,
                s=45 if ours else 28, color=_OURS if ours else None,
            )  # fmt: skip
    panel.axvline(1.0, color="#555555", linewidth=1)
    panel.set_yticks(range(len(cases)), [case.title.rpartition("; ideal")[0] for case in cases])
    panel.set_xlim(0.75, _MOST_IDEAL + 0.1)
    panel.set_xlabel(f"time / ideal (at the right edge: {_MOST_IDEAL:g} or more)")
    panel.grid(alpha=0.4)
    panel.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    return figure


def _growth(job: Job) -> Any:
    """Cost a unit over the count, one panel a case, both axes from where they are."""
    figure, panels = pyplot.subplots(1, len(job.cases), squeeze=False, figsize=(_WIDTH, 2.8), layout="constrained")
    for case, panel in zip(job.cases, panels[0], strict=True):
        lines: dict[str, list[tuple[float, float]]] = {}
        for row in _measured(case):
            count, unit = median_of(row, "count"), median_of(row, "unit")
            if count is not None and unit is not None:
                lines.setdefault(row.program.partition(",")[0], []).append((count, unit))
        for program, points in lines.items():
            panel.plot(
                *zip(*points, strict=True), marker="o", label=program, color=_OURS if program == OURS else _THEIRS
            )
        counts = sorted({count for points in lines.values() for count, _ in points})
        panel.set_xscale("log")
        panel.set_xticks(counts, [f"{count:,.0f}" for count in counts])
        panel.minorticks_off()
        panel.set_ylim(bottom=0)
        panel.set_title(case.title, fontsize=9)
        panel.set_xlabel("files" if case.key == "i-files" else "connections allowed")
        panel.grid(alpha=0.4)
        panel.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
