"""Speed over time: of one file by connection, of a batch by host."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, TypeVar

from penstock.core import words
from penstock.report.bins import Bins
from penstock.report.drawing.axis import Axis, Drawn, byte_steps, value_steps
from penstock.report.drawing.bands import Band, Mark, grouped, stacked
from penstock.report.drawing.palette import Paint, paint, series
from penstock.report.facts import OTHERS, PHASES, Story
from penstock.report.losses import Ideal

Key = TypeVar("Key", bound=Hashable)

#: Bands that have a name of their own.
_MOST_ROWS: Final = 16
_MOST_HOSTS: Final = 7
#: Room above, for the label of the best speed.
_HEADROOM: Final = 1.08
#: Columns: small files come in bursts, which in narrow ones are noise.
_BATCH_COLUMNS: Final = 60
_FILE_COLUMNS: Final = 160
_PHASE_ORDER: Final = ("body", "wait", "tls", "connect", "dns")


def names(story: Story) -> list[tuple[str, Paint]]:
    """(label, paint) of each band of the throughput, lowest first."""
    return [(label, band_paint) for label, band_paint, _ in _bands(story)]


def throughput(story: Story, axis: Axis, best: Ideal | None, height: float = 190) -> Drawn:
    """Bytes per second, stacked, against the best that was held and the limit that was set."""
    raw = _bands(story)
    bins_width = (story.by_host if story.is_batch else story.by_row).width
    bands, width = [], bins_width
    for label, band_paint, sums in raw:
        most = _BATCH_COLUMNS if story.is_batch else _FILE_COLUMNS
        means, width = grouped([value / bins_width for value in sums], bins_width, story.seconds, most)
        bands.append(Band(label, band_paint, means))
    peak = max((sum(values) for values in zip(*(band.values for band in bands), strict=True)), default=0.0)
    marks = []
    if best is not None:
        marks.append(Mark(f"best held: {words.speed(best.rate)}", best.rate))
        peak = max(peak, best.rate)
    limit = story.settings.rate_limit
    if limit and limit < 2 * peak and (best is None or abs(limit - best.rate) > 0.08 * peak):
        marks.append(Mark(f"--limit-rate {words.speed(limit)}", limit))
        peak = max(peak, limit)
    # one moment of bursting buffers must not flatten everything else; it is drawn up to the edge
    top = min(peak, 2 * best.rate) if best is not None else peak
    return stacked(axis, bands, width, byte_steps(_HEADROOM * top), words.speed, marks=marks, height=height)


def _bands(story: Story) -> list[tuple[str, Paint, list[float]]]:
    if story.is_batch:
        bins: Bins[str] = story.by_host
        ranked = sorted((key for key in bins.names() if key != OTHERS), key=lambda key: -bins.total(key))
        named, rest = ranked[:_MOST_HOSTS], ranked[_MOST_HOSTS:]
        rest += [OTHERS] if OTHERS in bins.names() else []
        bands = [(origin, series(number), _sums(bins, [origin], story.seconds)) for number, origin in enumerate(named)]
        return [*bands, (OTHERS, paint("rest"), _sums(bins, rest, story.seconds))] if rest else bands
    by_row = story.by_row
    rows = sorted(by_row.names())
    named_rows, rest_rows = rows[:_MOST_ROWS], rows[_MOST_ROWS:]
    found = [(f"place {row + 1}", series(row), _sums(by_row, [row], story.seconds)) for row in named_rows]
    return [*found, (OTHERS, paint("rest"), _sums(by_row, rest_rows, story.seconds))] if rest_rows else found


def _sums(bins: Bins[Key], keys: list[Key], seconds: float) -> list[float]:
    return [sum(bins.column(key, column) for key in keys) for column in range(bins.columns(seconds))]


def activity(story: Story, axis: Axis) -> Drawn:
    """How many connections were doing what, for runs with too many transfers to draw each."""
    bins = story.activity
    bands, width = [], bins.width
    for phase in _PHASE_ORDER:
        sums = _sums(bins, [phase], story.seconds)
        means, width = grouped([value / bins.width for value in sums], bins.width, story.seconds)
        bands.append(Band(phase, paint(phase), means))
    peak = max((sum(values) for values in zip(*(band.values for band in bands), strict=True)), default=0.0)
    assert set(_PHASE_ORDER) == set(PHASES)
    return stacked(axis, bands, width, value_steps(peak), lambda value: f"{value:.3g}", noun="connections")


def files(story: Story, axis: Axis) -> Drawn:
    """Files that are done and failed so far."""
    bands = []
    bins = story.ends
    width = bins.width
    for state in ("done", "failed"):
        so_far, sums = 0.0, []
        for column in range(bins.columns(story.seconds)):
            so_far += bins.column(state, column)
            sums.append(so_far)
        size = -(-len(sums) // 160)
        bands.append(Band(state, paint(state), sums[size - 1 :: size] + ([sums[-1]] if len(sums) % size else [])))
        width = bins.width * size
    top = max(1.0, float(story.counts.done + story.counts.failed))
    return stacked(axis, bands, width, value_steps(top), lambda value: f"{value:,.0f}", height=150, noun="files")
