"""Every parser, on seeds and on some hundred inputs made from them: the same ones on every run.

``python -m tests.fuzz.run NAME`` tries millions.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.generate import inputs
from tests.fuzz.parsers.stored import forget_place
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import SEEDS

_EXAMPLES, _SLOW_EXAMPLES = 150, 30


@pytest.fixture(scope="module", autouse=True)
def place() -> Iterator[None]:
    yield
    forget_place()


@pytest.mark.parametrize("name", TARGETS)
def test_what_holds_of_a_parser_holds_for_its_seeds(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].check(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_what_holds_of_a_parser_holds_for_any_input(name: str) -> None:
    target = TARGETS[name]
    examples = _SLOW_EXAMPLES if target.is_slow else _EXAMPLES

    @settings(derandomize=True, database=None, max_examples=examples)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        target.check(data.draw(inputs(target)))

    holds()


def test_every_file_of_seeds_has_its_parser() -> None:
    assert {path.stem for path in SEEDS.iterdir()} == TARGETS.keys()
