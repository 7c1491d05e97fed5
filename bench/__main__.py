"""Measure Penstock beside its peers, side by side in one run.

python -m bench [--quick] [--jobs a,c,e] [--install] [--output DIR]

A full run takes about half an hour and writes docs/benchmarks.md, its plots and results.json. A run that is quick, of
some jobs only, or with changed sizes prints its tables, and writes only where --output says. --render makes the page
and the plots again from the results that are kept.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.servers.nginx import find_nginx

from bench.jobs import JOBS
from bench.machine import machine, versions
from bench.page.markdown import page
from bench.peers import PEERS
from bench.peers.install import install, pythons
from bench.results import Job, Report, from_json, to_json
from bench.scale import FULL, QUICK, changed
from bench.stage import Stage, say, shared_memory

_ROOT = Path(__file__).resolve().parent.parent
_DOCUMENTS = _ROOT / "docs"


def main() -> None:
    """Do what the command line says."""
    parser = _parser()
    options = parser.parse_args()
    if options.install:
        install()
    output: Path | None = options.output
    if options.render:
        folder = output or _DOCUMENTS
        write(from_json((folder / "benchmarks" / "results.json").read_text(encoding="utf-8")), folder)
        return
    letters = options.jobs.split(",") if options.jobs else list(JOBS)
    if unknown := [letter for letter in letters if letter not in JOBS]:
        parser.error(f"there is no job {', '.join(unknown)}; there are {', '.join(JOBS)}")
    try:
        scale = changed(QUICK if options.quick else FULL, options.settings)
    except ValueError as error:
        parser.error(str(error))
    if find_nginx() is None:
        parser.error("nginx is not installed; --install does it as root on a Debian")
    whole = not (options.quick or options.settings or options.jobs or options.peers)
    if output is None and whole:
        output = _DOCUMENTS
    _say_what_is_missing(draws=output is not None)
    with tempfile.TemporaryDirectory(dir=options.memory) as memory:
        programs = tuple(options.peers.split(",")) if options.peers else ()
        stage = Stage(scale, options.dir or Path(tempfile.gettempdir()), Path(memory), options.disk, programs)
        report = measure(stage, letters, output)
    if output is None:
        print(page(report))
    else:
        write(report, output)
    if any(row.note in {"WRONG BYTES", "NOT ALL DONE"} for case in report.cases for row in case.rows):
        raise SystemExit("a program brought wrong bytes")


def measure(stage: Stage, letters: list[str], output: Path | None) -> Report:
    """All jobs in turn; what is there so far is kept in `output` after each."""
    began = time.monotonic()
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    call = " ".join(["python -m bench", *_told(sys.argv[1:])])
    about = machine(), versions()
    jobs: list[Job] = []
    report = Report(*about, day, 0.0, call, ())
    for letter in letters:
        started = time.monotonic()
        jobs.append(JOBS[letter](stage))
        now = time.monotonic()
        say(f"{letter}: {now - started:.0f} s")
        report = Report(*about, day, now - began, call, tuple(jobs))
        if output is not None:
            keep(report, output)
    return report


def keep(report: Report, folder: Path) -> Path:
    """Write the results; returns where they are."""
    path = folder / "benchmarks" / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(report), encoding="utf-8")
    return path


def write(report: Report, folder: Path) -> None:
    """The results, the plots and the page."""
    results = keep(report, folder)
    for old in results.parent.glob("*.svg"):
        old.unlink()
    if not draw(results):
        say("no plots: matplotlib is missing; --install gets it, then --render draws them")
    plots = sorted(path.name for path in results.parent.glob("*.svg"))
    (folder / "benchmarks.md").write_text(page(report, plots), encoding="utf-8")


def draw(results: Path) -> bool:
    """Draw the plots beside the results, with the first interpreter that can; False when none can."""
    for python in pythons():
        has = subprocess.run([python, "-c", "import matplotlib"], stderr=subprocess.DEVNULL, check=False)
        if has.returncode == 0:
            words = [str(python), "-m", "bench.page.plots", str(results), str(results.parent)]
            subprocess.run(words, cwd=_ROOT, env=os.environ | {"PYTHONPATH": str(_ROOT)}, check=True)
            return True
    return False


def _say_what_is_missing(*, draws: bool) -> None:
    missing = [peer for peer in PEERS if peer.version() is None]
    if missing:
        say(f"not installed: {', '.join(peer.package for peer in missing)}; --install gets what it can")
    if draws and not any(_has_matplotlib(python) for python in pythons()):
        say("matplotlib is missing, so no plots will be drawn; --install gets it")


def _has_matplotlib(python: Path) -> bool:
    asked = subprocess.run([python, "-c", "import matplotlib"], stderr=subprocess.DEVNULL, check=False)
    return asked.returncode == 0


def _told(words: list[str]) -> list[str]:
    """The words of the command line that say what was measured, not where."""
    kept, places = [], {"--output", "--dir", "--memory", "--disk"}
    words = [word for word in words if word != "--install"]
    for before, word in zip(["", *words], words, strict=False):
        if before not in places and word.partition("=")[0] not in places:
            kept.append(word)
    return kept


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller files and fewer rounds: under three minutes")
    parser.add_argument("--jobs", help="letters, as in a,c,e; all by default")
    parser.add_argument("--peers", help="names, as in aria2,curl; all by default, ours always")
    parser.add_argument("--install", action="store_true", help="get the peers first")
    parser.add_argument("--output", type=Path, help="where to write benchmarks.md and benchmarks/")
    parser.add_argument("--render", action="store_true", help="make page and plots again from benchmarks/results.json")
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="NAME=VALUE",
        help="change a size or a number of rounds of bench/scale.py; repeatable",
    )  # fmt: skip
    parser.add_argument("--dir", type=Path, help="where large files go; a temporary directory by default")
    parser.add_argument(
        "--memory", type=Path, default=shared_memory(),
        help="a memory file system for small files; /dev/shm where it is",
    )  # fmt: skip
    parser.add_argument("--disk", type=Path, help="also put the small files of job d into this directory")
    return parser


if __name__ == "__main__":
    main()
