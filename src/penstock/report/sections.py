"""The parts of the page between its head and its end."""

from __future__ import annotations

from collections import Counter
from typing import Final

from penstock.core import words
from penstock.report import totals
from penstock.report.drawing import bars, bytemap, gantt, palette, throughput
from penstock.report.drawing.axis import Axis
from penstock.report.drawing.markup import Markup, element, join
from penstock.report.facts import OTHERS, PHASES, Download, Story
from penstock.report.figures import figure, legend, phase_legend, swatch
from penstock.report.judged import Judged
from penstock.report.losses import MEANINGS
from penstock.report.tables import Column, details, paragraphs, table

#: Rows of a table that is folded away, and of the slowest files.
_MOST_ROWS: Final = 200
_SLOWEST: Final = 20
#: Characters of a list of hosts in a cell.
_LONGEST: Final = 300
#: Files whose bytes are mapped: the largest.
_MOST_MAPS: Final = 6
_PERCENTILES: Final = (0.5, 0.75, 0.9, 0.99)


def overview(judged: Judged) -> Markup:
    """Where the time went, and the speed over time."""
    return join([_losses(judged), _throughput(judged)])


def _losses(judged: Judged) -> Markup:
    story = judged.story
    axis = Axis(story.seconds)
    named = [
        (f"{loss.part}: {words.short_duration(loss.seconds)} ({words.share(loss.seconds, story.seconds)})",
         palette.part(loss.part), loss.seconds)
        for loss in judged.parts
    ]  # fmt: skip
    rows = [
        (join([swatch(palette.part(loss.part)), loss.part]), words.short_duration(loss.seconds),
         words.share(loss.seconds, story.seconds), MEANINGS[loss.part])
        for loss in sorted(judged.parts, key=lambda loss: -loss.seconds)
    ]  # fmt: skip
    columns = [Column("part"), Column("seconds", True), Column("share", True), Column("meaning", is_prose=True)]
    return figure(
        "Where the time went",
        f"{words.duration(story.seconds)} in all, shared out by what each moment went into.",
        bars.share_bar(axis, named),
        more=table("Seconds by what they went into", columns, rows),
    )


def _throughput(judged: Judged) -> Markup:
    story, best = judged.story, judged.best
    what = "host" if story.is_batch else "connection"
    about = f"Bytes per second, stacked by {what}."
    if best is not None:
        about += (
            f" The dashed line is the ideal: the best speed held over {words.short_duration(best.end - best.begin)}, "
            f"from {words.short_duration(best.begin)} on. At that speed all of the time, the whole would have taken "
            f"{words.duration(best.seconds)}."
        )
    bins_total = sum(story.by_host.total(key) for key in story.by_host.names()) if story.is_batch else 0.0
    named = throughput.names(story)
    rows = []
    if story.is_batch:
        for label, each in named:
            size = story.by_host.total(label) if label != OTHERS else bins_total - sum(
                story.by_host.total(other) for other, _ in named if other != OTHERS)  # fmt: skip
            rows.append((join([swatch(each), label]), words.size(size), words.share(size, story.size)))
    else:
        for label, each in named:
            row = None if label == OTHERS else int(label.split()[1]) - 1
            size = story.by_row.total(row) if row is not None else 0.0
            rows.append((join([swatch(each), label]), words.size(size), words.share(size, story.size)))
    columns = [Column(what), Column("bytes", True), Column("share", True)]
    return figure(
        "Speed over time",
        about,
        throughput.throughput(story, Axis(story.seconds), best),
        legend(named),
        details("As a table", table(f"Bytes by {what}", columns, rows)),
    )


def connections(judged: Judged) -> Markup:
    """What each connection did, or how many did what."""
    story = judged.story
    axis = Axis(story.seconds)
    if not gantt.can_draw(story):
        about = (
            f"How many connections did what, of {story.counts.transfers:,} requests in all: too many to draw each."
            if story.counts.transfers
            else "No request is in the trace."
        )
        return figure("Connections over time", about, throughput.activity(story, axis), phase_legend(),
                      details("As a table", _phase_table(story)))  # fmt: skip
    has_pauses = any(
        story.paused.get(kind, (0.0, 0))[0] > 0 for kind in ("rate limit", "disk", "write", "retry", "politeness")
    )
    return figure(
        "Connections over time",
        "A row is a place for one connection at a time; each bar is a request, coloured by what it was doing.",
        gantt.gantt(story, axis),
        phase_legend(gantt.marks(story), has_pauses=has_pauses),
        join([details("Seconds by phase", _phase_table(story)), details("Every request", _transfer_table(story))]),
    )


def _phase_table(story: Story) -> Markup:
    total = sum(story.activity.total(phase) for phase in PHASES)
    rows = [
        (join([swatch(palette.paint(phase)), phase]), words.duration(story.activity.total(phase)),
         words.share(story.activity.total(phase), total))
        for phase in PHASES
    ]  # fmt: skip
    columns = [Column("phase"), Column("connection seconds", True), Column("share", True)]
    return table("Time of all connections together", columns, rows)


def _transfer_table(story: Story) -> Markup:
    rows = [
        (f"{transfer.row + 1}", f"{transfer.connection}", words.short_duration(transfer.begin),
         words.short_duration(transfer.end - transfer.begin), words.short_duration(transfer.first_byte),
         words.size(transfer.size), gantt.ENDINGS.get(transfer.ending, transfer.ending))
        for transfer in sorted(story.transfers, key=lambda each: each.begin)[:_MOST_ROWS]
    ]  # fmt: skip
    columns = [Column("place"), Column("connection", True), Column("began", True), Column("took", True),
               Column("first byte", True), Column("bytes", True), Column("end")]  # fmt: skip
    more = f" (the first {_MOST_ROWS})" if len(story.transfers) > _MOST_ROWS else ""
    return table(f"Requests{more}", columns, rows)


def file_bytes(judged: Judged) -> Markup:
    """Who brought which bytes, and which came in vain."""
    story = judged.story
    mapped = sorted((each for each in story.downloads if each.pieces), key=lambda each: -each.size)[:_MOST_MAPS]
    return join([*map(_map, mapped), _waste(story)])


def _map(download: Download) -> Markup:
    length = max(download.length or 0, download.size)
    brought: Counter[int] = Counter()
    cells = bytemap.owners(download, length, 512)
    for row, _ in cells:
        brought[row] += 1
    entries = [
        (bytemap.owner_text((row, 0)).partition(",")[0], bytemap.owner_paint(row))
        for row in sorted(brought, key=_order)
    ]
    rows = [
        (join([swatch(bytemap.owner_paint(row)), bytemap.owner_text((row, 0)).partition(",")[0]]),
         f"about {words.size(length * count / len(cells))}", words.share(count, len(cells)))
        for row, count in brought.most_common()
    ]  # fmt: skip
    columns = [Column("who"), Column("bytes", True), Column("share", True)]
    kept = f", {words.size(download.kept)} of it from an earlier run" if download.kept else ""
    return figure(
        f"Who brought which bytes: {download.title}",
        f"The file from its first byte (top left) to its last (bottom right): {words.size(length)}{kept}.",
        bytemap.bytemap(download, Axis(1.0)),
        legend(entries),
        details("As a table", table("Bytes by place", columns, rows)),
    )


def _order(row: int) -> int:
    """Places first, then what no place brought."""
    return row if row >= 0 else 10**6 - row


def _waste(story: Story) -> Markup:
    rows = [
        (kind, words.size(size), words.share(size, story.size), meaning) for kind, size, meaning in totals.waste(story)
    ]
    columns = [Column("kind"), Column("bytes", True), Column("share", True), Column("meaning", is_prose=True)]
    return element(
        "figure",
        element("figcaption", element("h3", "Bytes that came in vain"),
                element("p", f"{words.size(story.waste.total)} of {words.size(story.size)} that came.")),
        table("Wasted bytes", columns, rows),
    )  # fmt: skip


def hosts(judged: Judged) -> Markup:
    """What was asked of each host."""
    story = judged.story
    columns = [Column("host"), Column("requests", True), Column("connections", True), Column("bytes", True),
               Column("speed", True), Column("first byte", True), Column("failed", True), Column("refused", True),
               Column("held back", True), Column("time by phase")]  # fmt: skip
    rows = [
        (host.origin, f"{host.transfers:,}", f"{host.connections:,}", words.size(host.size), words.speed(host.rate),
         words.short_duration(host.first_byte), f"{host.failed:,}", f"{host.refused:,}",
         words.duration(host.held_back) if host.held_back else "–", _phase_bar(host))
        for host in story.hosts
    ]  # fmt: skip
    more = f"; {story.more_hosts:,} more that took less are left out" if story.more_hosts else ""
    return element(
        "figure",
        element("figcaption", element("h3", "Hosts"),
                element("p", f"Those that took most time first{more}. First byte is the mean over requests, held back "
                             "the time for which files waited before they asked.")),
        phase_legend(),
        table("What was asked of each host", columns, rows),
    )  # fmt: skip


def _phase_bar(host: object) -> Markup:
    parts = [
        (f"{phase} {words.short_duration(getattr(host, phase))}", palette.paint(phase), getattr(host, phase))
        for phase in PHASES
        if getattr(host, phase) > 0
    ]
    if not parts:
        return Markup("–")
    drawn = bars.share_bar(Axis(1.0), parts, height=12)
    said = ", ".join(told for told, _, _ in parts)
    return element("svg", drawn.shapes, class_="plot mini", height=12, role="group", aria_label=said)


def files(judged: Judged) -> Markup:
    """Of a batch: when files ended, how long they took, why they failed, which took longest."""
    story = judged.story
    axis = Axis(story.seconds)
    done = figure(
        "Files over time",
        f"{story.counts.done:,} done and {story.counts.failed:,} failed, as they ended.",
        throughput.files(story, axis),
        legend([("done", palette.paint("done")), ("failed", palette.paint("failed"))]),
    )
    return join([done, _latencies(story), _failures(story), _slowest(story)])


def _latencies(story: Story) -> Markup:
    if not story.wholes.count:
        return Markup("")
    histograms = [("first byte", story.first_bytes), ("whole file", story.wholes)]
    rows = [
        (
            name,
            *(words.short_duration(each.percentile(share)) for share in _PERCENTILES),
            words.short_duration(each.greatest),
        )
        for name, each in histograms
        if each.count
    ]
    columns = [
        Column("time to"),
        *(Column(f"{share:.0%}".replace("%", " %"), True) for share in _PERCENTILES),
        Column("longest", True),
    ]
    return figure(
        "How long files took",
        "Files that are done, by the time from their first request to their last byte. The table: half of them, three "
        "quarters and so on took no longer.",
        bars.times(story.wholes, Axis(1.0)),
        more=table("Percentiles", columns, rows),
    )


def _failures(story: Story) -> Markup:
    if not story.failures:
        return Markup("")
    reasons: Counter[str] = Counter()
    for _, reason, count in story.failures:
        reasons[reason] += count
    where = {
        reason: ", ".join(
            f"{origin or 'before any request'} ({files:,})" for origin, why, files in story.failures if why == reason
        )
        for reason in reasons
    }
    rows = [
        (reason, f"{count:,}", words.share(count, story.counts.failed), where[reason][:_LONGEST])
        for reason, count in reasons.most_common(_SLOWEST)
    ]
    columns = [Column("reason"), Column("files", True), Column("share", True), Column("hosts")]
    return element(
        "figure",
        element("figcaption", element("h3", "Why files failed")),
        table("Failures by reason", columns, rows),
    )


def _slowest(story: Story) -> Markup:
    ranked = sorted(story.downloads, key=lambda each: -each.seconds)[:_SLOWEST]
    rows = [
        (each.title, each.state, words.size(each.size), words.short_duration(each.seconds),
         "–" if each.first_byte is None else words.short_duration(each.first_byte))
        for each in ranked
    ]  # fmt: skip
    columns = [Column("file"), Column("state"), Column("bytes", True), Column("took", True), Column("first byte", True)]
    return element(
        "figure",
        element("figcaption", element("h3", "The slowest files")),
        table("Files that took longest", columns, rows),
    )


def events(judged: Judged) -> Markup:
    """Steals, races, retries, warnings and refusals, one after another."""
    story = judged.story
    counts = story.counts
    total = len(story.decisions)
    shown = story.decisions[:_MOST_ROWS]
    rows = [(words.short_duration(each.at), each.kind, each.text) for each in shown]
    told = (
        f"{words.count(counts.steals, 'steal')}, {words.count(counts.races, 'race')}, {counts.retries:,} "
        f"{'retry' if counts.retries == 1 else 'retries'}, {words.count(counts.refusals, 'refusal')}"
    )
    cut = f"; the first {len(shown)} are listed" if total > len(shown) else ""
    return element(
        "figure",
        element("figcaption", element("h3", "What was decided"), paragraphs(f"{told}{cut}.")),
        table("Events in order", [Column("at"), Column("what"), Column("how")], rows),
    )
