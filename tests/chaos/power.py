"""Cut the power at every point of a recorded run, in every way that the syncs allow, and go on from what is left.

    python -m tests.chaos.power --seed N [--resumes N] [--scene NAME]

A run is recorded (`trace`). At every point of it `disk` lists what a power cut may leave there. Of all of that is
asked, without running anything:

    - A target has its bytes, all of them right.
    - A journal vouches only for bytes that are right in each state that the part may be in.
    - A row that is done has its file, with its time, whatever else is lost.
    - No more is lost than what came since the checkpoint before the last.

And from a sample of the states, drawn from the seed, the same command is run to its end against the server, and every
byte compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.disk import Disk, Names, State
from tests.chaos.stage import MANIFEST, Many, Single, Stage, done, leftovers, many, rows, single, wrong_files
from tests.chaos.trace import Committed, Event, SyncedAll, forget_tree, read_trace
from tests.chaos.zygote import Death
from tests.servers.content import Content

JOURNAL: Final = ".part.journal"


@dataclass
class Recorded:
    """A run that was recorded, and what it was to bring: `truths` are the contents that a target may have, by path;
    `by_etag` what a journal's bytes must be of, by its ETag. A run that goes on ends with the last of the `truths`, or
    with the first too if `ends_with_either`."""

    events: list[Event]
    args: list[str]
    truths: Mapping[str, tuple[Content, ...]]
    by_etag: Mapping[str, Mapping[str, Content]]
    ends_with_either: bool = False
    #: The lists that belong into the directory.
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class Report:
    """What came of it."""

    points: int = 0
    #: Pairs of a journal and a part, targets, rows, and sets of names that were judged.
    judged: int = 0
    resumed: int = 0
    findings: list[str] = field(default_factory=list)


# Without running anything


def judge(run: Recorded, report: Report, dice: random.Random) -> None:
    """Look at what a power cut may leave at every point."""
    disk, judge_one = Disk(), _Judge(run, report, dice)
    began = run.events.index(SyncedAll())  # before it, what lay there already is told of
    for number, event in enumerate(run.events):
        disk.feed(event)
        if number < began:
            continue
        judge_one.look(number, event, disk)
        report.points += 1


class _Judge:
    """Judges one point after another; remembers what it has seen."""

    def __init__(self, run: Recorded, report: Report, dice: random.Random) -> None:
        self._run = run
        self._report = report
        self._dice = dice
        self._right: dict[bytes, bool] = {}
        self._rows: list[tuple[str, int, int | None]] = []
        self._expected: dict[tuple[str, int], bytes] = {}

    def look(self, number: int, event: Event, disk: Disk) -> None:
        """Judge what the disk may hold after `event`."""
        if isinstance(event, Committed):
            self._rows = done_rows(event.copies)
        namespaces = disk.namespaces(self._dice)
        self._report.judged += len(namespaces)
        for wrong in {*self._vouched(disk, namespaces), *self._targets(disk, namespaces), *self._lost(disk)}:
            self._report.findings.append(f"after event {number} ({type(event).__name__}): {wrong}")

    def _vouched(self, disk: Disk, namespaces: list[Names]) -> Iterator[str]:
        pairs = {
            (path, number, names.get(path.removesuffix(JOURNAL) + ".part"))
            for names in namespaces
            for path, number in names.items()
            if path.endswith(JOURNAL)
        }
        for path, journal, part in sorted(pairs, key=str):
            records = [decoded(held.content) for held in disk.contents(journal, self._dice)]
            if None in records:
                yield f"{path} may be torn"
            if part is None:
                continue
            for held in disk.contents(part, self._dice):
                for record in records:
                    self._report.judged += 1
                    if record is not None and not self._is_true(path.removesuffix(JOURNAL), record, held.content):
                        yield f"{path} vouches for bytes that are not there: {record['done']}"

    def _is_true(self, target: str, record: dict[str, object], held: bytes) -> bool:
        truth = self._run.by_etag[target][str(record["etag"])]
        ranges = record["done"]
        assert isinstance(ranges, list)
        for start, stop in ranges:
            stop = min(stop, len(held))  # the length on disk is law
            if start < stop and held[start:stop] != self._bytes(truth)[start:stop]:
                return False
        return True

    def _bytes(self, content: Content) -> bytes:
        key = ("", content.seed << 40 | content.size)
        if key not in self._expected:
            self._expected[key] = content.read(0, content.size)
        return self._expected[key]

    def _targets(self, disk: Disk, namespaces: list[Names]) -> Iterator[str]:
        named = {(path, names[path]) for names in namespaces for path in self._run.truths if path in names}
        for path, number in sorted(named):
            durable = disk.durable(number)
            contents = disk.contents(number, self._dice) if durable is None else [durable]
            for held in contents:
                self._report.judged += 1
                if all(held.content != self._bytes(truth) for truth in self._run.truths[path]):
                    yield f"{path} may have its name without its bytes"
                    break

    def _lost(self, disk: Disk) -> Iterator[str]:
        """What is told to be done and may be gone."""
        for target, size, mtime in self._rows:
            path = f"d/{target}"
            self._report.judged += 1
            number = disk.names.get(path)
            if number is None or path in disk.unsettled() or not _leads_to(disk.names, path):
                yield f"{path} is done and may lose its name"
                continue
            held = disk.durable(number)
            if held is None or len(held.content) != size or held.mtime_ns not in {None, mtime}:
                yield f"{path} is done and may lose its bytes or its time"


def _leads_to(names: Names, path: str) -> bool:
    return all(str(folder) in names for folder in Path(path).parents if str(folder) != ".")


def decoded(content: bytes) -> dict[str, object] | None:
    """What a journal says, read without Penstock's own code; None when it is torn."""
    header, _, body = content.partition(b"\n")
    if header.split(b" ")[-1] != hashlib.sha256(body).hexdigest().encode():
        return None
    record = json.loads(body)
    assert isinstance(record, dict)
    return record


def done_rows(copies: Mapping[str, bytes]) -> list[tuple[str, int, int | None]]:
    """(target, size, time) of the rows that are done in a copy of the manifest."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in copies.items():
            (Path(folder) / name).write_bytes(content)
        found = rows(Path(folder) / MANIFEST)
    return [(target, size or 0, mtime) for target, state, size, mtime in found if state == 1]


def vouched(disk: Disk, names: Names, path: str, whole: int, dice: random.Random) -> int:
    """Bytes that need not be fetched again with these names: `whole` once the target is there."""
    if path in names:
        return whole
    number, part = names.get(path + JOURNAL), names.get(path + ".part")
    record = None if number is None or part is None else decoded(next(disk.contents(number, dice)).content)
    ranges = record["done"] if record is not None else []
    assert isinstance(ranges, list)
    return sum(stop - start for start, stop in ranges)


def judge_loss(run: Recorded, report: Report, path: str, dice: random.Random) -> None:
    """A power cut costs no more than the checkpoint that is being made and the one before."""
    disk, history, whole = Disk(), [0, 0, 0], run.truths[path][-1].size
    for number, event in enumerate(run.events):
        disk.feed(event)
        now = vouched(disk, disk.current_names(), path, whole, dice)
        least = min(vouched(disk, names, path, whole, dice) for names in disk.namespaces(dice))
        if now > history[-1]:
            history.append(now)
        report.judged += 1
        if least < history[-2]:
            report.findings.append(f"after event {number}: of {now} bytes vouched for {least} may be left")
            return


# From what is left


def go_on(stage: Stage, run: Recorded, report: Report, count: int, dice: random.Random) -> None:
    """Draw points and states, lay each out, run the command again."""
    began = run.events.index(SyncedAll()) + 1
    points = sorted(dice.choices(range(began, len(run.events) + 1), k=count))
    disk, at = Disk(), 0
    for index, point in enumerate(points):
        while at < point:
            disk.feed(run.events[at])
            at += 1
        states = list(disk.states(dice, 4))
        resume(stage, run, report, states[index % len(states)], f"point {point}")


def resume(stage: Stage, run: Recorded, report: Report, state: State, told: str) -> None:
    """Run the command on what a power cut left."""
    folder = stage.fresh()
    state.lay_out(folder)
    for name, content in run.files.items():
        (folder / name).write_bytes(content)
    before = done(folder / MANIFEST)
    seen = len(stage.server.log)
    ended = stage.zygote.run(run.args, folder)
    stage.at_rest()
    asked = {request.path[1:] for request in stage.server.log[seen:]}
    wrong = [f"{path} was done and is asked for again" for path in sorted(asked & before)]
    newest = {path.removeprefix("d/"): truths[-1] for path, truths in run.truths.items()}
    older = {path.removeprefix("d/"): truths[0] for path, truths in run.truths.items()}
    is_told = ended.code == 1 and "exists" in ended.said and not run.files
    not_newest, not_older = wrong_files(folder / "d", newest), wrong_files(folder / "d", older)
    wrong += not_older if is_told or (run.ends_with_either and not not_older) else not_newest
    # POSIX may lose the removal of a journal and keep that of its part: then nothing tells whose it was
    wrong += [f"{left} is left" for left in leftovers(folder) if not left.endswith(JOURNAL) and not is_told]
    if ended.code != 0 and not is_told:
        wrong.append(f"it ended with {ended.code}: {ended.said[-300:]}")
    report.resumed += 1
    report.findings.extend(f"{told}, gone on from {sorted(state.paths())}: {each}" for each in wrong)
    forget_tree(folder)


# Runs to record


def record(
    stage: Stage, folder: Path, args: list[str], spoil: str | None = None, trace: Path | None = None
) -> list[Event]:
    """The events of a run in `folder`, after those of an earlier one that are in `trace`."""
    trace = trace or stage.fresh()
    ended = stage.zygote.run(args, folder, trace=trace, spoil=spoil)
    assert ended.code == 0, ended.said
    stage.at_rest()
    return read_trace(trace)


def fresh_file(stage: Stage, spoil: str | None = None) -> Recorded:
    """One file, from nothing."""
    job = single(stage)
    return _of_one(job, record(stage, stage.made(), job.args, spoil), {'"1"': job.content})


def resumed_file(stage: Stage, spoil: str | None = None) -> Recorded:
    """One file, killed on the way and gone on from."""
    return _killed_file(stage, Death("fdatasync", 4), spoil)


def named_file(stage: Stage, spoil: str | None = None) -> Recorded:
    """One file, killed when it had just got its name, and tidied up."""
    return _killed_file(stage, Death("link", 1, "after"), spoil)


def _killed_file(stage: Stage, death: Death, spoil: str | None) -> Recorded:
    job = single(stage)
    folder = stage.made()
    trace = killed(stage, folder, job.args, death)
    return _of_one(job, record(stage, folder, job.args, spoil, trace), {'"1"': job.content})


def killed(stage: Stage, folder: Path, args: list[str], death: Death) -> Path:
    """The trace of a run that was killed."""
    trace = stage.fresh()
    ended = stage.zygote.run(args, folder, death=death, trace=trace)
    assert ended.was_killed, ended.said
    stage.at_rest()
    return trace


def changed_file(stage: Stage, spoil: str | None = None) -> Recorded:
    """One file that changed on the server after a kill; by the time the power is back it is the old one again."""
    old = single(stage)
    folder = stage.made()
    trace = killed(stage, folder, old.args, Death("fdatasync", 4))
    new = single(stage, seed=9, etag='"2"')
    events = record(stage, folder, old.args, spoil, trace)
    single(stage)
    run = _of_one(old, events, {'"1"': old.content, '"2"': new.content})
    run.truths = {"d/file.bin": (new.content, old.content)}
    run.ends_with_either = True  # what had its name before the power was cut is whole, and is kept
    return run


def overwritten_file(stage: Stage, spoil: str | None = None) -> Recorded:
    """One file in place of an older one."""
    job = single(stage, "--if-exists", "overwrite")
    folder = stage.made()
    (folder / "d").mkdir()
    older = Content(5000, seed=4)
    (folder / "d" / "file.bin").write_bytes(older.read(0, older.size))
    run = _of_one(job, record(stage, folder, job.args, spoil), {'"1"': job.content})
    run.truths = {"d/file.bin": (older, job.content)}
    return run


def _of_one(job: Single, events: list[Event], by_etag: Mapping[str, Content]) -> Recorded:
    return Recorded(events, job.args, {"d/file.bin": (job.content,)}, {"d/file.bin": by_etag})


def small_files(stage: Stage, spoil: str | None = None) -> Recorded:
    """A list of files in several directories: groups are synced with one call."""
    folder = stage.made()
    return _of_many(stage, folder, many(stage, folder), spoil)


def killed_files(stage: Stage, spoil: str | None = None) -> Recorded:
    """A list, killed when some files had just got their names, and gone on with."""
    folder = stage.made()
    job = many(stage, folder)
    return _of_many(stage, folder, job, spoil, killed(stage, folder, job.args, Death("link", 15, "after")))


def few_files(stage: Stage, spoil: str | None = None) -> Recorded:
    """A list so short that each file is synced by itself."""
    folder = stage.made()
    return _of_many(stage, folder, many(stage, folder, "-j", "2", count=7, folders=2), spoil)


def one_file_a_folder(stage: Stage, spoil: str | None = None) -> Recorded:
    """A list of tiny files, each in a directory of its own."""
    folder = stage.made()
    return _of_many(stage, folder, many(stage, folder, count=12, folders=12), spoil)


def _of_many(stage: Stage, folder: Path, job: Many, spoil: str | None, trace: Path | None = None) -> Recorded:
    events = record(stage, folder, job.args, spoil, trace)
    contents = {f"d/{path}": content for path, content in job.contents.items()}
    return Recorded(
        events,
        job.args,
        {path: (content,) for path, content in contents.items()},
        {path: {'"1"': content} for path, content in contents.items()},
        files={"list": (folder / "list").read_bytes()},
    )


SCENES: Final[Mapping[str, Callable[[Stage, str | None], Recorded]]] = {
    scene.__name__: scene
    for scene in (
        fresh_file, resumed_file, named_file, changed_file, overwritten_file, small_files, killed_files, few_files,
        one_file_a_folder,
    )
}  # fmt: skip


def play(stage: Stage, name: str, resumes: int, seed: int, spoil: str | None = None) -> Report:
    """Record a scene, judge it, go on from a sample."""
    report, dice = Report(), random.Random(seed)
    run = SCENES[name](stage, spoil)
    judge(run, report, dice)
    if name in {"fresh_file", "resumed_file", "named_file"}:
        judge_loss(run, report, "d/file.bin", dice)
    go_on(stage, run, report, resumes, dice)
    return report


def main() -> None:
    """Play the scenes; print a line for each, and every finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resumes", type=int, default=50, help="resumed states in each scene")
    parser.add_argument("--scene", choices=sorted(SCENES), default=None)
    parser.add_argument("--spoil", default=None, help="a function of tests.chaos.spoilt")
    parser.add_argument("--dir", default=None, help="where the files go; a temporary directory by default")
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(dir=options.dir) as folder, Stage(Path(folder)) as stage:
        for name in [options.scene] if options.scene else SCENES:
            report = play(stage, name, options.resumes, options.seed, options.spoil)
            failed = failed or bool(report.findings)
            for finding in report.findings[:20]:
                print(f"  {finding}")
            print(
                f"{name}, seed {options.seed}: {report.points} points, {report.judged} states judged, "
                f"{report.resumed} gone on from, {len(report.findings)} findings",
                flush=True,
            )
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
