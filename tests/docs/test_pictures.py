"""The committed diagrams are what the script draws, and they are drawn from what is so."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from docs.pictures.diagrams import FOLDER, PICTURES
from docs.pictures.sharing import RATES, moments
from docs.pictures.states import REASONS, states

from penstock.engine.states import TRANSITIONS, State
from tests.docs.blocks import ROOT


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_committed_diagram_is_what_the_script_draws(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PICTURES[name](), "run python -m docs.pictures.diagrams"


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_diagram_is_well_formed_and_loads_nothing(name: str) -> None:
    ElementTree.fromstring(PICTURES[name]())
    assert not re.findall(r'(?:href|src)="', PICTURES[name]())


def test_every_diagram_is_shown_on_a_page_with_words_for_those_who_do_not_see_it() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    shown = re.findall(r"!\[([^\]]{20,})\]\([^)]*pictures/([a-z]+\.svg)\)", pages)
    assert {name for _, name in shown} == set(PICTURES)


def test_the_picture_of_the_states_has_every_step_of_the_table() -> None:
    column = [state for state in State if state not in {State.FAILED, State.CANCELLED}]
    straight = set(pairwise(column))
    wanted = {(state, after) for state in column for after in TRANSITIONS[state] if after in column}
    assert set(REASONS) == wanted - straight
    for state, after in REASONS:
        assert f"{state.value} → {after.value}" in states()


def test_the_shared_out_file_is_whole_at_every_moment_and_ends_together() -> None:
    for _, pieces in moments():
        assert [piece.start for piece in pieces[1:]] == [piece.stop for piece in pieces[:-1]]
        assert (pieces[0].start, pieces[-1].stop) == (0.0, 100.0)
    after = moments()[2][1]
    rest, taken = after[3].stop - after[3].frontier, after[4].stop - after[4].start
    assert rest / RATES["D"] == pytest.approx(taken / RATES["A"] + 0.1)
