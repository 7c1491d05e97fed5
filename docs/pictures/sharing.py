"""Four connections that are not alike share a file out: what each fetches when, worked out by the rule of the steal."""

from __future__ import annotations

from typing import Final, NamedTuple

from docs.pictures.drawing import FAINT_INK, LINE, PAPER, label, picture, rectangle, text

#: MB, MB per second of each connection, and seconds that a request takes to begin.
SIZE: Final = 100.0
RATES: Final = {"A": 5.0, "B": 4.0, "C": 4.0, "D": 1.25}
SETUP: Final = 0.1
#: Colours that people who see few colours can tell apart (Okabe and Ito), dark for what is there, pale for what is to
#: come.
COLOURS: Final = {
    "A": ("#0072b2", "#b9dcf0"),
    "B": ("#d98a00", "#f7dfb3"),
    "C": ("#00845f", "#b3e2d3"),
    "D": ("#b4568f", "#efd0e1"),
}
_LEFT, _WIDTH = 24.0, 472.0


class Piece(NamedTuple):
    """Bytes ``[start, stop)`` of one connection, there up to `frontier`; all in MB."""

    who: str
    start: float
    frontier: float
    stop: float


def moments() -> list[tuple[str, list[Piece]]]:
    """What is to be seen, and the pieces of the file then."""
    share = SIZE / len(RATES)
    starts = {who: index * share for index, who in enumerate(RATES)}

    def at(seconds: float) -> list[Piece]:
        return [
            Piece(who, starts[who], starts[who] + min(share, rate * seconds), starts[who] + share)
            for who, rate in RATES.items()
        ]

    dry = share / RATES["A"]
    before = at(dry)
    thief, victim = RATES["A"], RATES["D"]
    rest = before[-1].stop - before[-1].frontier
    taken = thief * (rest - SETUP * victim) / (thief + victim)
    cut = SIZE - taken
    after = [*before[:-1], before[-1]._replace(stop=cut), Piece("A", cut, cut, SIZE)]
    end = dry + (cut - before[-1].frontier) / victim
    final = [piece._replace(frontier=piece.stop) for piece in after]
    alone = share / victim
    return [
        ("0 s: what is left is shared out equally", at(0)),
        (f"{dry:.0f} s: A has run dry; D would need until {alone:.0f} s", before),
        (f"A takes {taken:.0f} of the {rest:.0f} MB that D still has", after),
        (f"{end:.1f} s: both end together", final),
    ]


def sharing() -> str:
    """The picture."""
    parts = [rectangle(8, 8, 504, 366, fill=PAPER, edge=LINE)]
    for row, (words, pieces) in enumerate(moments()):
        y = 34 + 78 * row
        parts.append(text(_LEFT, y, words, size=13.5, anchor="start"))
        parts += [_piece(piece, y + 10) for piece in pieces]
    y = 350
    for column, (who, rate) in enumerate(RATES.items()):
        x = _LEFT + column * 122
        parts.append(rectangle(x, y - 11, 14, 14, fill=COLOURS[who][0], round_=3))
        parts.append(text(x + 20, y + 1, f"{who}: {rate:g} MB/s", size=12.5, ink=FAINT_INK, anchor="start"))
    return picture(520, 382, "How segments are shared out", parts)


def _piece(piece: Piece, y: float) -> str:
    scale = _WIDTH / SIZE
    x, width = _LEFT + piece.start * scale, (piece.stop - piece.start) * scale
    there = (piece.frontier - piece.start) * scale
    dark, pale = COLOURS[piece.who]
    parts = [rectangle(x + 1, y, width - 2, 34, fill=pale, edge=dark, round_=3)]
    if there > 2:
        parts.append(rectangle(x + 1, y, there - 2, 34, fill=dark, round_=3))
    parts.append(label(x + width / 2, y + 17, piece.who))
    return "".join(parts)
