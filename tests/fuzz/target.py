"""What is fuzzed: one target for each parser.

A target's `check` gives some bytes to its parser as the parser would get them, and asserts what must hold whatever they
are: nothing but the parser's documented error is raised, what it accepts keeps its promises, and what has a writer
comes back the same. It raises AssertionError, or lets any other exception through, when something does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from penstock.core.urls import escape
from penstock.errors import InvalidRequest

SEEDS = Path(__file__).parent / "seeds"


@dataclass(frozen=True)
class Target:
    """One parser. `tokens` are pieces that its grammar is made of; the seeds are in ``seeds/NAME.txt``."""

    name: str
    check: Callable[[bytes], object]
    tokens: tuple[str, ...] = field(repr=False)
    #: It touches files or large tables: some thousands of inputs a second, not some ten thousand.
    is_slow: bool = False

    @property
    def pieces(self) -> list[bytes]:
        """The tokens as bytes."""
        return [token.encode("utf-8", "surrogateescape") for token in self.tokens]

    @property
    def seeds(self) -> list[bytes]:
        r"""One input a line of the file, written with Python's escapes (``\n``, ``\xff``)."""
        lines = (SEEDS / f"{self.name}.txt").read_text(encoding="ascii").splitlines()
        return [line.encode("ascii").decode("unicode_escape").encode("latin-1") for line in lines]


def as_header(data: bytes) -> str:
    """Bytes as a header's value reaches us."""
    return data.decode("latin-1")


def as_typed(data: bytes) -> str:
    """Bytes as an argument or a line of a list reaches us."""
    return data.decode("utf-8", "surrogateescape")


@contextmanager
def only_refused() -> Iterator[None]:
    """A refusal is as good as a value; what it says must be fit for a terminal, on one line."""
    try:
        yield
    except InvalidRequest as error:
        assert escape(error.message) == error.message, error.message
        assert len(error.message) < 3000, len(error.message)  # 200 characters, each an escape
