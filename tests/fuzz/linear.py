"""Does four times the input cost four times the work? ``python -m tests.fuzz.linear [NAME...]`` times it by hand.

Inputs that backtrack, nest or repeat: a beginning, one or two tokens over and over, perhaps an end. By hand every pair
of tokens is tried, and processor time counts, so that what C code does counts too.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from collections.abc import Iterator

from tests.fuzz.registry import TARGETS
from tests.fuzz.target import Target

#: Bytes of an input that is timed, and by how many it is multiplied.
_SIZE, _TIMES = 4096, 8
#: Less than this says nothing, seconds.
_NOTHING = 0.02


def pumped(target: Target, size: int, *, pairs: bool = False) -> Iterator[tuple[bytes, bytes]]:
    """Beginnings, and what is repeated after them up to `size` bytes."""
    pieces = [piece for piece in target.pieces if 0 < len(piece) <= size // 8]
    units = [*pieces, *(map(b"".join, itertools.permutations(pieces, 2)) if pairs else ())]
    yield from itertools.product((b"", *(pieces if pairs else ())), units)


def repeated(start: bytes, unit: bytes, size: int) -> bytes:
    """`start` with as many of `unit` behind it as `size` bytes have room for."""
    return start + unit * max(1, (size - len(start)) // len(unit))


def main() -> int:
    """Time every target, or those named; 1 when one takes more than linear time."""
    found = 0
    for name in sys.argv[1:] or TARGETS:
        target = TARGETS[name]
        tried, worst = 0, (0.0, b"", b"")
        for start, unit in pumped(target, 1000, pairs=not target.is_slow):
            tried += 1
            slow = _seconds(target, repeated(start, unit, _SIZE * _TIMES))
            if slow < _NOTHING:
                continue
            ratio = slow / max(1e-9, min(_seconds(target, repeated(start, unit, _SIZE)) for _ in range(2)))
            ratio = min(ratio, _seconds(target, repeated(start, unit, _SIZE * _TIMES)) / (slow / ratio))
            worst = max(worst, (ratio, start, unit))
        is_worse = worst[0] > 3 * _TIMES
        found += is_worse
        said = f"at most {worst[0]:.1f} times the time" if worst[0] else f"never {_NOTHING} s"
        print(f"{name}: {tried} shapes of {_SIZE * _TIMES} bytes, {_TIMES} times the input: {said}", flush=True)
        if is_worse:
            print(f"    MORE THAN LINEAR: {worst[1]!r} + {worst[2]!r} * n", flush=True)
    return 1 if found else 0


def _seconds(target: Target, data: bytes) -> float:
    began = time.process_time()
    with contextlib.suppress(AssertionError):  # not what is asked here
        target.check(data)
    return time.process_time() - began


if __name__ == "__main__":
    raise SystemExit(main())
