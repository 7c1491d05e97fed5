"""The documents say what is so: their commands parse, their Python runs, their picture is the table in the code.

The pages of the site, whose commands are carried out too, are tested in tests/docs.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path

import click
import pytest

from penstock.cli.get import get
from penstock.cli.main import cli, with_command
from penstock.engine.states import TRANSITIONS
from tests.docs.blocks import ROOT, blocks, codes, outline, read
from tests.docs.stage import Stage

ENGLISH = read("README.md")
CHINESE = read("README.zh-CN.md")
ARCHITECTURE = read("ARCHITECTURE.md")


def test_both_languages_have_the_same_code_and_the_same_outline() -> None:
    for language in ("sh", "python"):
        assert codes(ENGLISH, language) == codes(CHINESE, language)
    assert outline(ENGLISH) == outline(CHINESE)


COMMANDS = [line for code in codes(ENGLISH, "sh") for line in code.splitlines() if line.startswith("penstock ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_parses(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.json").touch()  # what an earlier command of the page makes
    name, *words = with_command(shlex.split(line, comments=True)[1:], cli.commands)
    if "--no-config" in {option for parameter in cli.commands[name].params for option in parameter.opts}:
        words.append("--no-config")
    context = cli.commands[name].make_context("penstock", words)
    assert context.params.get("urls") or context.params.get("lists") or name != "get"


def test_every_option_of_the_command_is_in_the_readme_s_table() -> None:
    table = ENGLISH[ENGLISH.index("| group |") : ENGLISH.index("Secrets stay out")]
    for parameter in get.params:
        if isinstance(parameter, click.Option) and parameter.name not in {"help", "verbose"}:
            assert any(f"`{name}" in table or f"/{name}" in table for name in parameter.opts), parameter.opts
    for name in re.findall(r"(?<![\w-])--?[a-zA-Z0-9][a-zA-Z0-9_-]*", table):
        known = {option for parameter in get.params for option in [*parameter.opts, *parameter.secondary_opts]}
        assert name in known | {"--version"}, name


@pytest.mark.parametrize("number", range(len(codes(ENGLISH, "python"))))
def test_every_program_of_the_readme_runs(tmp_path: Path, number: int) -> None:
    with contextlib.closing(Stage(tmp_path)) as stage:
        stage.run_python(blocks(ENGLISH, "python")[number])


def test_the_picture_of_the_states_is_the_table_in_the_code() -> None:
    picture = re.search(r"stateDiagram-v2\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert picture is not None
    drawn = set(re.findall(r"^\s+(\w+) --> (\w+)", picture[1], re.MULTILINE))
    assert drawn == {(state.value, after.value) for state, nexts in TRANSITIONS.items() for after in nexts}


def test_links_between_documents_lead_somewhere() -> None:
    for text in (ENGLISH, CHINESE, ARCHITECTURE):
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / target).exists(), target
