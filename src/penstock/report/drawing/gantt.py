"""Connections by time: a row for each place, coloured by what the connection was doing."""

from __future__ import annotations

from typing import Final

from penstock.core import words
from penstock.report.drawing.axis import AXIS_HEIGHT, Axis, Drawn, time_grid
from penstock.report.drawing.markup import Markup, element, join, lines
from penstock.report.drawing.palette import paint
from penstock.report.facts import PHASES, Decision, Story, Transfer

#: Pixels from row to row, and of a bar in it.
ROW: Final = 22
_BAR: Final = 13
#: Rows that are drawn; more are no picture any more.
MOST_ROWS: Final = 64
#: Lanes above the connections: (kind of pause, label).
_LANES: Final = (
    ("rate limit", "limit"),
    ("disk", "disk"),
    ("write", "write"),
    ("retry", "retry"),
    ("politeness", "pace"),
)
#: Part of a column that must be paused to be drawn.
_SEEN: Final = 0.03
#: How a transfer ended, in words; what is not here needs none.
ENDINGS: Final = {
    "cut": "its tail was stolen",
    "lost": "another won the race",
    "slow": "replaced: far slower than its fellows",
    "silent": "replaced: it brought nothing",
    "surplus": "closed: fewer connections are allowed now",
    "stopped": "stopped with its download",
    "failed": "failed",
}
#: Marks: (kind, path around 0, 0; what it means).
MARKS: Final = (
    ("steal", "M-5 -5H5L0 4Z", "steal"),
    ("race", "M0 -6L6 0L0 6L-6 0Z", "race"),
    ("retry", "M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0Z", "retry"),
    ("refused", "M-5 -5H5V5H-5Z", "refused"),
    ("warning", "M0 -6L6 5H-6Z", "warning"),
    ("broken", "M-4.5 -4.5L4.5 4.5M4.5 -4.5L-4.5 4.5", "replaced or failed"),
)
#: Phases as a legend names them.
PHASE_NAMES: Final = {
    "dns": "name (DNS)", "connect": "connect", "tls": "TLS", "wait": "wait for answer", "body": "bytes"
}  # fmt: skip
_BROKEN: Final = frozenset({"slow", "silent", "failed"})


def can_draw(story: Story) -> bool:
    """Whether there are few enough transfers and rows to draw each."""
    return bool(story.transfers) and story.rows <= MOST_ROWS


def mark_shapes() -> Markup:
    """The ``defs`` of the marks."""
    return join(element("path", d=path, id=f"mark-{kind}") for kind, path, _ in MARKS)


def gantt(story: Story, axis: Axis) -> Drawn:
    """All transfers, pauses and decisions."""
    lanes = [(kind, label) for kind, label in _LANES if story.pauses.total(kind) >= story.seconds * _SEEN / 10]
    strays = [decision for decision in story.decisions if decision.row is None or decision.row >= story.rows]
    top = (len(lanes) + bool(strays)) * ROW
    height = top + story.rows * ROW
    shapes = [time_grid(axis, height)]
    labels = []
    for number, (kind, label) in enumerate(lanes):
        labels.append((number * ROW + ROW / 2, label))
        shapes.append(_lane(story, axis, kind, number * ROW))
    if strays:
        labels.append((len(lanes) * ROW + ROW / 2, "events"))
    labels += [(top + row * ROW + ROW / 2, f"{row + 1}") for row in range(story.rows)]
    if top:
        shapes.append(element("line", x1=axis.x(0), x2=axis.full, y1=top, y2=top, class_="rule"))
    shapes += [
        _bar(transfer, axis, top) for transfer in sorted(story.transfers, key=lambda each: (each.row, each.begin))
    ]
    shapes += [_broken(transfer, axis, top) for transfer in story.transfers if transfer.ending in _BROKEN]
    shapes += [_decision(each, axis, top, top - ROW / 2 if each in strays else None) for each in story.decisions]
    return Drawn(height + AXIS_HEIGHT, tuple(labels), join(shapes))


def _bar(transfer: Transfer, axis: Axis, top: float) -> Markup:
    y = top + transfer.row * ROW + (ROW - _BAR) / 2
    rects = [
        element("rect", x=axis.x(begin), y=y, width=axis.length(begin, end), height=_BAR, **paint(phase).fill())
        for phase, begin, end in transfer.phases()
        if phase == "body" or axis.shows(end - begin)
    ]
    frame = element("rect", x=axis.x(transfer.begin), y=y, width=axis.length(transfer.begin, transfer.end), height=_BAR,
                    class_="frame")  # fmt: skip
    return element("g", element("title", _told(transfer)), *rects, frame, class_="m")


def _told(transfer: Transfer) -> Markup:
    """Everything about a transfer."""
    body = max(0.0, transfer.end - transfer.begin - transfer.first_byte)
    rate = f" ({words.speed(transfer.size / body)})" if body > 0 and transfer.size else ""
    waits = [
        f"{name} {words.short_duration(seconds)}"
        for name, seconds in zip(PHASES, (transfer.dns, transfer.connect, transfer.tls, transfer.wait), strict=False)
        if seconds > 0
    ]
    return lines(
        f"Connection {transfer.connection}{' (new)' if transfer.is_new else ''}, "
        f"{words.short_duration(transfer.begin)} to {words.short_duration(transfer.end)}, {transfer.origin}",
        f"{words.size(transfer.size)} in {words.short_duration(body)}{rate}"
        + (f", HTTP {transfer.status}" if transfer.status else ""),
        ", ".join(waits),
        f"bytes {transfer.filled[0]:,} to {transfer.filled[1]:,}" if transfer.filled else "",
        transfer.url,
        f"{ENDINGS[transfer.ending]}{': ' + transfer.why if transfer.why else ''}"
        if transfer.ending in ENDINGS
        else "",
    )


def _broken(transfer: Transfer, axis: Axis, top: float) -> Markup:
    y = top + transfer.row * ROW + ROW / 2
    return element(
        "use", href="#mark-broken", x=axis.x(transfer.end), y=y, transform="translate(9 0)", class_="mark cross"
    )


def _decision(decision: Decision, axis: Axis, top: float, stray_y: float | None) -> Markup:
    known = {kind: meaning for kind, _, meaning in MARKS}
    kind = decision.kind if decision.kind in known else "warning"
    y = top + (decision.row or 0) * ROW + ROW / 2 if stray_y is None else stray_y
    title = lines(f"{words.short_duration(decision.at)}: {known[kind]}", decision.text)
    shape = element("use", href=f"#mark-{kind}", x=axis.x(decision.at), y=y, class_="mark")
    return element("g", element("title", title), shape, class_="m")


def _lane(story: Story, axis: Axis, kind: str, y: float) -> Markup:
    """Stretches in which everything, or at least one download, was paused."""
    width = story.pauses.width
    columns = story.pauses.columns(story.seconds)
    stretches: list[list[int]] = []
    for column in range(columns):
        if story.pauses.column(kind, column) < _SEEN * width:
            continue
        if stretches and stretches[-1][1] == column:
            stretches[-1][1] = column + 1
        else:
            stretches.append([column, column + 1])
    shapes = []
    for first, stop in stretches:
        begin, end = first * width, min(story.seconds, stop * width)
        paused = min(end - begin, story.pauses.between(kind, begin, end))
        title = lines(f"{words.short_duration(begin)} to {words.short_duration(end)}",
                      f"paused ({kind}): {words.short_duration(paused)} of it")  # fmt: skip
        rect = element(
            "rect", x=axis.x(begin), y=y + 4, width=axis.length(begin, end), height=_BAR, **paint("paused").fill()
        )
        shapes.append(element("g", element("title", title), rect, class_="m"))
    return join(shapes)


def marks(story: Story) -> list[str]:
    """The kinds of marks that are in the chart, in the order in which a legend names them."""
    kinds = {decision.kind for decision in story.decisions}
    if any(transfer.ending in _BROKEN for transfer in story.transfers):
        kinds.add("broken")
    return [kind for kind, _, _ in MARKS if kind in kinds]
