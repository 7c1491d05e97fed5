"""Draw the diagrams of the documents: ``python -m docs.pictures.diagrams`` writes them beside this file.

The picture of the states is drawn from the table in the code, that of the sharing out is worked out by the rule that
it shows; the others are drawn by hand, here.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Final

from docs.pictures.drawing import (
    FAINT_INK,
    LINE,
    PAPER,
    Box,
    Point,
    arrow,
    column,
    label,
    picture,
    rectangle,
    text,
)
from docs.pictures.sharing import sharing
from docs.pictures.states import states

FOLDER: Final = Path(__file__).parent


def flow() -> str:
    """One file, from the request to its name."""
    steps = column(12, 12, 244, 58, 32, [
        ("outside", "request", "command line or library"),
        ("step", "place", "directory, part, lock, journal"),
        ("step", "probe", "GET, Range: bytes=0-"),
        ("step", "fetch", "lanes over segments"),
        ("step", "pipe", "gathers about 1 MiB"),
        ("disk", "NAME.part"),
        ("step", "verify", "hashes the beginning as it grows"),
        ("step", "publish", "sync, name, sync the directory"),
        ("disk", "NAME"),
    ])  # fmt: skip
    _, _, probe, fetch, _, part, _, _, _ = steps
    events = Box(320, fetch.y - 16, 168, 90, "events", ("progress, JSON lines,", "your own code"), "outside")
    checkpoint = Box(320, part.y, 168, 58, "checkpoint", ("sync, then journal",))
    lines = [arrow(above.bottom, below.top) for above, below in pairwise(steps)]
    lines += [
        arrow(part.right, checkpoint.left),
        arrow(probe.right, Point(events.x + 40, probe.right.y), Point(events.x + 40, events.y), dashed=True),
        arrow(fetch.right, Point(events.x, fetch.right.y), dashed=True),
        arrow(checkpoint.top, events.bottom, dashed=True),
    ]
    height = steps[-1].bottom.y + 12
    return picture(500, height, "The way of one file", [*lines, *(box.svg() for box in (*steps, events, checkpoint))])


def many() -> str:
    """Many files, from the list to their outcomes."""
    steps = column(84, 12, 244, 58, 34, [
        ("outside", "list, globs, page", "read as there is room for more"),
        ("step", "intake", "URL, identity, target"),
        ("disk", "manifest", "also the queue"),
        ("step", "queue", "origins take turns"),
        ("step", "swift", "a bet that the file is small"),
        ("step", "deliveries", "write, sync a group, name"),
    ])  # fmt: skip
    _, _, manifest, _, swift, deliveries = steps
    download = Box(348, deliveries.y, 140, 58, "download", ("the life below",))
    lines = [arrow(above.bottom, below.top) for above, below in pairwise(steps)]
    lines += [
        arrow(swift.right, Point(download.top.x, swift.right.y), download.top),
        arrow(deliveries.left, Point(30, deliveries.left.y), Point(30, manifest.left.y), manifest.left, dashed=True),
        arrow(download.right, Point(506, download.right.y), Point(506, manifest.right.y), manifest.right, dashed=True),
        label(swift.bottom.x, swift.bottom.y + 17, "whole in memory"),
        label(420, swift.right.y - 14, "anything else"),
        label(420, manifest.right.y, "outcomes"),
        label(38, manifest.bottom.y + 46, "outcomes"),
    ]
    height = deliveries.bottom.y + 12
    return picture(520, height, "The way of many files", [*lines, *(box.svg() for box in (*steps, download))])


def threads() -> str:
    """Who does what, and how they reach each other."""
    yours = Box(130, 12, 240, 58, "your threads", ("the command, a program",), "outside")
    network = Box(
        12,
        128,
        476,
        82,
        "penstock-network",
        ("libcurl and one selector; every decision", "owns the state of every download"),
    )
    first = column(12, 268, 212, 76, 22, [
        ("step", "penstock-write", "writes,", "while the disk is behind"),
        ("step", "penstock-list", "reads the rows of a batch:", "your iterable"),
        ("step", "penstock-events", "calls listeners and futures:", "your code"),
    ])  # fmt: skip
    second = column(276, 268, 212, 76, 22, [
        ("step", "penstock-disk (three)", "open, preallocate, sync,", "journal, hash, rename"),
        ("step", "penstock-manifest", "SQLite"),
    ])  # fmt: skip
    trunk = 250.0
    lines = [
        arrow(yours.bottom, Point(yours.bottom.x, network.y), both=True),
        label(yours.bottom.x, 99, "a queue and a wake-up byte; futures"),
    ]
    for box in (*first, *second):
        side = box.right if box.x < trunk else box.left
        answers = box is not first[-1]  # listeners are told, and asked nothing
        lines.append(arrow(Point(trunk, network.bottom.y), Point(trunk, side.y), side, both=answers))
    lines.append(label(trunk, network.bottom.y + 30, "work goes down, answers come back"))
    boxes = (yours, network, *first, *second)
    return picture(500, first[-1].bottom.y + 12, "The threads", [*lines, *(box.svg() for box in boxes)])


def checkpoint() -> str:
    """The order of a checkpoint, and what a power cut leaves after each step."""
    steps = column(12, 44, 226, 52, 26, [
        ("step", "1  note", "what is written by now"),
        ("disk", "2  sync NAME.part", "every byte that was noted"),
        ("step", "3  write the journal aside", "NAME.part.journal~"),
        ("disk", "4  sync it"),
        ("step", "5  rename it", "over the old journal"),
        ("disk", "6  sync the directory"),
    ])  # fmt: skip
    after = [
        "the old journal: true",
        "the old journal: true, but modest",
        "the old journal, a scrap beside it",
        "the old journal, a copy beside it",
        "the old journal or the new one",
        "the new journal: true",
    ]
    lines = [arrow(above.bottom, below.top) for above, below in pairwise(steps)]
    notes = [
        rectangle(264, step.y + 8, 240, 36, fill=PAPER, edge=LINE) + text(384, step.y + 30.5, words, ink=FAINT_INK)
        for step, words in zip(steps, after, strict=True)
    ]
    heads = [label(125, 22, "the steps"), label(384, 22, "a power cut after it leaves")]
    height = steps[-1].bottom.y + 12
    return picture(516, height, "A checkpoint", [*heads, *lines, *notes, *(box.svg() for box in steps)])


PICTURES: Final[dict[str, Callable[[], str]]] = {
    "flow.svg": flow,
    "many.svg": many,
    "states.svg": states,
    "threads.svg": threads,
    "checkpoint.svg": checkpoint,
    "sharing.svg": sharing,
}


def main() -> None:
    """Write every picture."""
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
