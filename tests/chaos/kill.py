"""Kill a download or a batch with SIGKILL, run the same command again, compare every byte.

    python -m tests.chaos.kill --seed N --kills N [--batch] [--every [--overwrite]] [--size MIB [--rate MB]] [--dir DIR]

Three ways, all of them replayable from the seed, which is printed with each finding:

    default         one file over several connections; each run is killed at a random instant, or at a random call of a
                    random kind (calls.KINDS), some of the resumed runs too. `--size`: in MiB and with the engine's own
                    checkpoints, at `--rate` MB/s in all, 0 for full speed; without it, 300 kB with tiny steps.
    --batch         a list with its manifest, likewise
    --every         for every k and every kind: killed at its k-th call of the kind, then resumed; when there are more
                    than --kills of them, a sample. `--overwrite`: by files of a batch that replace others

Judged after each: the file is byte for byte right; nothing is left beside it; a kill costs no more than 64 MiB (what
the server sent, less what the journal vouches for then); of a batch, nothing that was there before a kill is asked for
again, and every row has one outcome.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.stage import (
    CONNECTIONS,
    MANIFEST,
    Many,
    Single,
    Stage,
    done,
    leftovers,
    many,
    rows,
    single,
    wrong_files,
)
from tests.chaos.trace import forget_tree
from tests.chaos.zygote import REAL, SMALL, Death, Ended, Tuning

#: What a kill may cost, bytes.
ALLOWED: Final = 64 << 20
#: Kinds of calls at which runs are killed, each with the ways.
WAYS: Final = {
    "write": ("before", "half"),
    "size": ("before",),
    "sync": ("before", "after"),
    "name": ("before", "after"),
    "create": ("before", "after"),
    "time": ("before",),
    "commit": ("before", "after"),
}
_KILL_AGAIN: Final = 0.3
#: Bytes per second of a large file. Past what the disk can sync, a kill costs more than `ALLOWED`.
DEFAULT_RATE: Final = 100e6


@dataclass
class Tally:
    """What came of it."""

    kills: int = 0
    rounds: int = 0
    #: The most that a kill cost, bytes.
    worst: int = 0
    findings: list[str] = field(default_factory=list)

    def note(self, told: str, wrong: list[str]) -> None:
        """A round ended."""
        self.rounds += 1
        self.findings.extend(f"{told}: {each}" for each in wrong)


Blow = Death | float


def journaled(output: Path) -> int:
    """Bytes that the journal vouches for; 0 when there is none."""
    try:
        body = output.with_name(output.name + ".part.journal").read_bytes().partition(b"\n")[2]
    except FileNotFoundError:
        return 0
    return sum(stop - start for start, stop in json.loads(body)["done"])


def strike(stage: Stage, args: list[str], folder: Path, blow: Blow | None, tuning: Tuning) -> Ended:
    """One run, killed or not."""
    if isinstance(blow, Death):
        ended = stage.zygote.run(args, folder, death=blow, tuning=tuning, spoil=stage.spoil)
    else:
        ended = stage.zygote.run(args, folder, seconds=blow, tuning=tuning, spoil=stage.spoil)
    stage.at_rest()
    return ended


def kill_single(stage: Stage, job: Single, blows: list[Blow], tally: Tally, tuning: Tuning) -> None:
    """A round on one file: a run for each blow, then one that is left alone."""
    folder = stage.made()
    output = folder / "d" / "file.bin"
    ended = Ended(0, {}, "")
    for blow in [*blows, None]:
        had, sent = journaled(output), stage.server.bytes_sent
        ended = strike(stage, job.args, folder, blow, tuning)
        tally.kills += ended.was_killed
        has = job.content.size if output.exists() else journaled(output)
        tally.worst = max(tally.worst, stage.server.bytes_sent - sent - (has - had))
        if output.exists() and not ended.was_killed:
            break
    wrong = wrong_files(folder / "d", {"file.bin": job.content})
    wrong += [f"{left} is left" for left in leftovers(folder)]
    # a kill between the last call and the process' end leaves a finished file, which is told and not touched
    if ended.code != 0 and not (ended.code == 1 and "exists" in ended.said):
        wrong.append(f"the last run ended with {ended.code}: {ended.said[-300:]}")
    tally.note(f"single, {blows}", wrong)
    forget_tree(folder)


def kill_batch(
    stage: Stage, blows: list[Blow], tally: Tally, *options: str, old: dict[str, bytes] | None = None
) -> None:
    """A round on a list: a run for each blow, then one that is left alone. `old` lies there before."""
    folder = stage.made()
    job = many(stage, folder, *options)
    for path, content in (old or {}).items():
        (folder / "d" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "d" / path).write_bytes(content)
    wrong: list[str] = []
    ended = Ended(0, {}, "")
    for blow in [*blows, None]:
        before = done(folder / MANIFEST) if old else named(folder / "d", job)
        seen = len(stage.server.log)
        ended = strike(stage, job.args, folder, blow, SMALL)
        tally.kills += ended.was_killed
        asked = {request.path[1:] for request in stage.server.log[seen:]}
        wrong += [f"{path} was there and was asked for again" for path in sorted(asked & before)]
        if not ended.was_killed:
            break
    wrong += wrong_files(folder / "d", job.contents)
    wrong += [f"{left} is left" for left in leftovers(folder)]
    outcomes = {target: state for target, state, *_ in rows(folder / MANIFEST)}
    if outcomes != dict.fromkeys(job.contents, 1):
        wrong.append(f"outcomes: {outcomes}")
    if ended.code != 0:
        wrong.append(f"the last run ended with {ended.code}: {ended.said[-300:]}")
    tally.note(f"batch {options}, {blows}", wrong)
    forget_tree(folder)


def named(folder: Path, job: Many) -> set[str]:
    """The files that are finished, by the look of the directory."""
    return {path for path in job.contents if os.path.lexists(folder / path)}


def some_deaths(dice: random.Random, counts: dict[str, int], most: int) -> list[Death]:
    """Each call of each kind, in each way; a sample when there are more than `most`."""
    deaths = list(every_death(counts))
    return deaths if len(deaths) <= most else [deaths[index] for index in sorted(dice.sample(range(len(deaths)), most))]


def every_death(counts: dict[str, int]) -> Iterator[Death]:
    """Each call of each kind, in each way."""
    for kind, ways in WAYS.items():
        for number in range(1, counts.get(kind, 0) + 1):
            for when in ways:
                yield Death(kind, number, when)


def random_blow(dice: random.Random, counts: dict[str, int], seconds: float) -> Blow:
    """An instant, or a call."""
    kinds = [kind for kind in WAYS if counts.get(kind)]
    if dice.random() < 0.5 or not kinds:
        return dice.uniform(0.0, seconds)
    kind = dice.choice(kinds)
    return Death(kind, dice.randint(1, counts[kind]), dice.choice(WAYS[kind]))


def random_blows(dice: random.Random, counts: dict[str, int], seconds: float) -> list[Blow]:
    """One, sometimes two or three in a row."""
    blows = [random_blow(dice, counts, seconds)]
    while len(blows) < 3 and dice.random() < _KILL_AGAIN:
        blows.append(random_blow(dice, counts, seconds))
    return blows


def unharmed(stage: Stage, args: list[str], folder: Path, tuning: Tuning) -> tuple[dict[str, int], float]:
    """How many calls of each kind a run makes, and how long it takes, seconds."""
    import time

    began = time.monotonic()
    ended = strike(stage, args, folder, None, tuning)
    assert ended.code == 0, ended.said
    forget_tree(folder)
    return ended.calls, time.monotonic() - began


def singles(
    stage: Stage, dice: random.Random, kills: int, size: int | None = None, rate: float = DEFAULT_RATE
) -> Tally:
    """Random kills of one file; of `size` bytes at `rate` bytes per second, 0 for full speed."""
    job = single(stage) if size is None else single(stage, size=size)
    if size is not None:
        stage.server.rates = [rate / CONNECTIONS] if rate else []
    tuning = SMALL if size is None else REAL
    counts, seconds = unharmed(stage, job.args, stage.made(), tuning)
    tally = Tally()
    while tally.kills < kills:
        kill_single(stage, job, random_blows(dice, counts, seconds), tally, tuning)
    return tally


def every_single(stage: Stage, dice: random.Random, kills: int, *options: str) -> Tally:
    """One file, killed at every call."""
    job = single(stage, *options)
    counts, _ = unharmed(stage, job.args, stage.made(), SMALL)
    tally = Tally()
    for death in some_deaths(dice, counts, kills):
        kill_single(stage, job, [death], tally, SMALL)
    return tally


def batches(stage: Stage, dice: random.Random, kills: int) -> Tally:
    """Random kills of a list."""
    folder = stage.made()
    counts, seconds = unharmed(stage, many(stage, folder).args, folder, SMALL)
    tally = Tally()
    while tally.kills < kills:
        kill_batch(stage, random_blows(dice, counts, seconds), tally)
    return tally


def every_batch(stage: Stage, dice: random.Random, kills: int, *options: str, old: bool = False) -> Tally:
    """A list, killed at every call; with `old`, other files have some of the names."""
    folder = stage.made()
    job = many(stage, folder, *options)
    counts, _ = unharmed(stage, job.args, folder, SMALL)
    there = dict.fromkeys(list(job.contents)[::3], b"another file") if old else None
    tally = Tally()
    for death in some_deaths(dice, counts, kills):
        kill_batch(stage, [death], tally, *options, old=there)
    return tally


def main() -> None:
    """Kill, resume, compare; print a summary and every finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--batch", action="store_true")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--size", type=int, default=None, metavar="MIB")
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE / 1e6, metavar="MB")
    parser.add_argument("--dir", default=None, help="where the files go; a temporary directory by default")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    policy = ("--if-exists", "overwrite") if options.overwrite else ()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder, Stage(Path(folder)) as stage:
        match options.batch, options.every:
            case True, True:
                tally = every_batch(stage, dice, options.kills, *policy, old=options.overwrite)
            case True, False:
                tally = batches(stage, dice, options.kills)
            case False, True:
                tally = every_single(stage, dice, options.kills, *policy)
            case _:
                tally = singles(stage, dice, options.kills, options.size and options.size << 20, options.rate * 1e6)
    for finding in tally.findings:
        print(finding)
    print(
        f"seed {options.seed}: {tally.kills} kills in {tally.rounds} rounds, {len(tally.findings)} findings; "
        f"a kill cost at most {tally.worst / 2**20:.2f} MiB"
    )
    if tally.findings or tally.worst > ALLOWED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
