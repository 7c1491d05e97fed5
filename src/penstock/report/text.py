"""The report as text, for a terminal and for pasting."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import Final

from penstock.core import words
from penstock.core.urls import escape
from penstock.report import totals
from penstock.report.facts import PHASES, Story
from penstock.report.judged import Judged

#: Columns at least: below, nothing fits beside anything.
LEAST_WIDTH: Final = 40
#: Rows of connections, hosts and reasons that are shown.
_MOST_ROWS: Final = 16
_MOST_HOSTS: Final = 8
#: Columns for names and figures left of a bar.
_NAME: Final = 22
#: What each phase is drawn as, with blocks and without.
_BLOCKS: Final = {"dns": "d", "connect": "c", "tls": "t", "wait": "░", "body": "█", "gone": "×"}
_ASCII: Final = {"dns": "d", "connect": "c", "tls": "t", "wait": ".", "body": "=", "gone": "x"}
_BROKEN: Final = frozenset({"failed", "slow", "silent"})


def text(judged: Judged, width: int = 80, *, plain: bool = False) -> str:
    """The report within `width` columns; `plain`: in ASCII but for names."""
    width = max(LEAST_WIDTH, width)
    story, finding = judged.story, judged.finding
    lines = [_cut(escape(totals.title(story)), width), *_wrapped(totals.about(story), width), ""]
    lines += _wrapped(finding.sentence, width) + _wrapped(finding.advice, width) + [""]
    lines += [*_figures(judged, width), ""]
    lines += _parts(judged, width, plain=plain)
    lines += _gantt(story, width, plain=plain)
    if story.is_batch:
        lines += _batch(story, width)
    if len(story.hosts) > 1:
        lines += _hosts(story, width)
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _figures(judged: Judged, width: int) -> list[str]:
    """Names and figures, as many beside each other as fit."""
    found = [f"{name} {value}" for name, value in totals.totals(judged.story, judged.best)]
    lines, line = [], ""
    for entry in found:
        joined = f"{line} · {entry}" if line else entry
        if line and len(joined) > width:
            lines.append(line)
            joined = entry
        line = joined
    return [*lines, line]


def _parts(judged: Judged, width: int, *, plain: bool) -> list[str]:
    whole = judged.story.seconds
    lines = ["Where the time went"]
    room = width - _NAME - 18
    has_shares = room >= 12
    room += 0 if has_shares else 7
    for loss in sorted(judged.parts, key=lambda loss: -loss.seconds):
        bar = _bar(loss.seconds / whole, room, plain=plain)
        figure = f"{words.short_duration(loss.seconds):>7}"
        figure += f" {words.share(loss.seconds, whole):>6}" if has_shares else ""
        lines.append(f"  {loss.part:<{_NAME}}{figure}  {bar}")
    return [*lines, ""]


def _bar(share: float, room: int, *, plain: bool) -> str:
    if plain:
        return "#" * max(1, round(share * room))
    eighths = max(1, round(share * room * 8))
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _gantt(story: Story, width: int, *, plain: bool) -> list[str]:
    """A line for each place: what its connection was doing in each stretch of time."""
    if not story.transfers:
        return []
    glyphs = _ASCII if plain else _BLOCKS
    room = width - 5
    rows = [[" "] * room for _ in range(min(story.rows, _MOST_ROWS))]
    shares: list[list[dict[str, float]]] = [[{} for _ in range(room)] for _ in rows]
    step = story.seconds / room
    for transfer in story.transfers:
        if transfer.row >= len(rows):
            continue
        for phase, begin, end in transfer.phases():
            for cell in range(int(begin / step), min(room - 1, int(end / step)) + 1):
                overlap = min(end, (cell + 1) * step) - max(begin, cell * step)
                share = shares[transfer.row][cell]
                share[phase] = share.get(phase, 0.0) + max(0.0, overlap)
        if transfer.ending in _BROKEN:
            shares[transfer.row][min(room - 1, int(transfer.end / step))]["gone"] = story.seconds
    for row, cells in zip(rows, shares, strict=True):
        for cell, share in enumerate(cells):
            if share and max(share.values()) > 0:
                row[cell] = glyphs[max(share, key=lambda phase: share[phase])]
    more = f" (of {story.rows}, the first {len(rows)})" if story.rows > len(rows) else ""
    last = words.short_duration(story.seconds)
    key = ", ".join(f"{glyphs[phase]} {phase}" for phase in PHASES) + f", {glyphs['gone']} replaced or failed"
    lines = [_cut(f"Connections over time{more}", width)]
    lines += [f"{number + 1:>4} {''.join(row)}" for number, row in enumerate(rows)]
    lines.append(f"     0{last:>{room - 1}}")
    return [*lines, *textwrap.wrap(key, width - 5, initial_indent="     ", subsequent_indent="     "), ""]


def _batch(story: Story, width: int) -> list[str]:
    counts = story.counts
    lines = [f"Files: {counts.done:,} done, {counts.failed:,} failed"]
    for name, each in (("first byte", story.first_bytes), ("whole file", story.wholes)):
        if each.count:
            told = ", ".join(
                f"{share:.0%} {words.short_duration(each.percentile(share))}" for share in (0.5, 0.9, 0.99)
            )
            lines += _wrapped(f"  {name}: {told}, longest {words.short_duration(each.greatest)}", width)
    for origin, reason, count in story.failures[:_MOST_HOSTS]:
        lines.append(_cut(f"  {count:,} x {escape(reason)}{f' at {escape(origin)}' if origin else ''}", width))
    return [*lines, ""]


def _hosts(story: Story, width: int) -> list[str]:
    lines = ["Hosts"]
    for host in story.hosts[:_MOST_HOSTS]:
        first = words.short_duration(host.first_byte)
        facts = f"{host.transfers:,} requests, {words.size(host.size)}, {first} to first byte"
        room = max(12, width - len(facts) - 4)
        if room >= 20:
            lines.append(f"  {_pad(_cut(escape(host.origin), room), room)}  {facts}")
        else:
            lines += [f"  {_cut(escape(host.origin), width - 2)}", *_wrapped(facts, width, "    ")]
    rest = len(story.hosts) - _MOST_HOSTS + story.more_hosts
    return [*lines, *([f"  and {rest:,} more"] if rest > 0 else []), ""]


def _wrapped(content: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(escape(content), width, initial_indent=indent, subsequent_indent=indent)


def _cut(content: str, width: int) -> str:
    """At most `width` columns, in which wide characters count twice."""
    if _columns(content) <= width:
        return content
    while content and _columns(content) > width - 3:
        content = content[:-1]
    return content + "..."


def _pad(content: str, width: int) -> str:
    return content + " " * (width - _columns(content))


def _columns(content: str) -> int:
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in content
    )
