"""No parser takes more than linear time: steps are counted, not seconds (tests/fuzz/steps.py)."""

from __future__ import annotations

import re
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.linear import pumped, repeated
from tests.fuzz.registry import TARGETS
from tests.fuzz.steps import Counted, Counter, TooMuch, counted

#: Bytes of the inputs that are compared; what each costs besides, however long it is.
_SHORT, _FIXED = 64, 8000
#: Where names are cut at 240 bytes, both are longer.
_LONGER = {"name": 512, "path": 512, "template": 300}
_LONGEST_SHAPES = 12
#: Work that does not come from the input's length alone.
_UNCOUNTED = {"manifest-cells", "manifest-bytes", "manifest-text", "cookies", "config"}
#: Other targets give the same parsers the same.
_TWICE = {"list-secrets", "tsv"}


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - _UNCOUNTED - _TWICE))
def test_four_times_the_input_is_at_most_about_four_times_the_work(name: str) -> None:
    target = TARGETS[name]
    target.check(target.seeds[0])  # what is done once is done
    size = _LONGER.get(name, _SHORT)
    for start, unit in islice(pumped(target, size), _LONGEST_SHAPES if name in _LONGER else None):
        with counted(10**7) as short:
            target.check(repeated(start, unit, size))
        most = short.done * 4 * 3 // 2 + _FIXED
        try:
            with counted(most):
                target.check(repeated(start, unit, 4 * size))
        except TooMuch:
            pytest.fail(f"{start!r} + {unit!r} * n: more than {most} steps, after {short.done} for a quarter of it")


@pytest.mark.parametrize("pattern", [r"(?:a|b)*c", r"(a+)*b", r"a*a*b"])
def test_the_count_finds_what_backtracks(pattern: str) -> None:
    def steps(size: int) -> int:
        counter = Counter(10**6)
        Counted(re.compile(pattern), counter).search("a" * size)
        return counter.done

    assert steps(14) > 3 * steps(7)


@settings(derandomize=True, database=None, max_examples=300)
@given(
    st.sampled_from(
        [r"a(?:b|c)*+d?", r"(?i)[a-c]{2,4}?x|\s+", r"(?<=a)b(?!c)\w*", r'"(?:[^"\\]|\\.)*"?', r"(?>a*)b|$"]
    ),
    st.text('abcdABCX \\"\n', max_size=12),
)
def test_the_machine_comes_to_the_same_match(pattern: str, text: str) -> None:
    counted_pattern = Counted(re.compile(pattern), Counter(10**6))  # it compares them itself
    counted_pattern.match(text)
    counted_pattern.fullmatch(text)
    counted_pattern.split(text)
