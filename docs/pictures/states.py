"""The life of a download, drawn from the table in the code (`penstock.engine.states.TRANSITIONS`)."""

from __future__ import annotations

from typing import Final

from docs.pictures.drawing import FAINT_INK, LINE, PAPER, Box, Point, arrow, label, picture, rectangle, text
from penstock.engine.states import TRANSITIONS, State

#: From top to bottom, with what is done there.
_COLUMN: Final = {
    State.QUEUED: "waits for its turn",
    State.PREPARING: "directory, part, lock, journal",
    State.PROBING: "the first request",
    State.FETCHING: "bytes arrive",
    State.VERIFYING: "hash and compare",
    State.PUBLISHING: "sync, name",
    State.DONE: "the file is there",
}
#: Why a step is left out, or leads back.
REASONS: Final = {
    (State.PREPARING, State.VERIFYING): "an earlier run was killed after the rename",
    (State.PREPARING, State.DONE): "the file is there, and is to be skipped",
    (State.PROBING, State.VERIFYING): "every byte was there already",
    (State.PROBING, State.PUBLISHING): "the same, and nothing to check",
    (State.PROBING, State.DONE): "the server named a file that is to be skipped",
    (State.PROBING, State.PREPARING): "what is on the disk is of another file",
    (State.FETCHING, State.PREPARING): "the file changed on the server",
    (State.VERIFYING, State.PREPARING): "the digest is wrong: another source",
}
_LEFT, _TOP, _WIDTH, _HEIGHT, _GAP = 146.0, 12.0, 228.0, 70.0, 30.0


def states() -> str:
    """The picture."""
    boxes = {state: _box(row, state) for row, state in enumerate(_COLUMN)}
    order = list(_COLUMN)
    lines: list[str] = []
    legend: list[str] = []
    right = left = 0
    for state in order:
        for after in sorted(TRANSITIONS[state], key=lambda each: list(State).index(each)):
            if after in {State.FAILED, State.CANCELLED}:
                continue  # said in the boxes
            distance = order.index(after) - order.index(state)
            if distance == 1:
                lines.append(arrow(boxes[state].bottom, boxes[after].top))
                continue
            letter = "abcdefghijkl"[len(legend)]
            legend.append(f"{letter}   {state.value} → {after.value}: {REASONS[state, after]}")
            if distance > 0:
                right += 1
                lines += _around(boxes[state], boxes[after], letter, 1, right)
            else:
                left += 1
                lines += _around(boxes[state], boxes[after], letter, -1, left)
    bottom = boxes[State.DONE].bottom.y
    parts = [*lines, *(box.svg() for box in boxes.values()), *_legend(legend, bottom + 22)]
    return picture(520, bottom + 22 + 20 * len(legend) + 30, "The life of a download", parts)


def _box(row: int, state: State) -> Box:
    ends = TRANSITIONS[state] & {State.FAILED, State.CANCELLED}
    may = {
        frozenset(): "",
        frozenset({State.CANCELLED}): "may be cancelled",
        frozenset({State.FAILED, State.CANCELLED}): "may fail or be cancelled",
    }[ends]
    lines = (_COLUMN[state], may) if may else (_COLUMN[state],)
    kind = "end" if state is State.DONE else "step"
    return Box(_LEFT, _TOP + row * (_HEIGHT + _GAP), _WIDTH, _HEIGHT, state.value, lines, kind)


def _around(start: Box, stop: Box, letter: str, side: int, number: int) -> list[str]:
    """A line past the boxes between, on the right (`side` 1) or the left (-1), the `number`th there."""
    out, into = (start.right, stop.right) if side > 0 else (start.left, stop.left)
    out, into = Point(out.x, out.y - 14 + 7 * number), Point(into.x, into.y + 16 - 7 * number)
    x = out.x + side * (16 + 22 * number)
    return [
        arrow(out, Point(x, out.y), Point(x, into.y), into),
        label(x, (out.y + into.y) / 2 + 15 * (number - 2), letter),
    ]


def _legend(lines: list[str], y: float) -> list[str]:
    parts = [rectangle(12, y, 496, 20 * len(lines) + 14, fill=PAPER, edge=LINE)]
    parts += [
        text(26, y + 22 + 20 * row, line, size=12.5, ink=FAINT_INK, anchor="start") for row, line in enumerate(lines)
    ]
    return parts
