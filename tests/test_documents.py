"""The documents say what is so: their commands parse, their Python runs, their picture is the table in the code."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from penstock.cli.get import get
from penstock.cli.main import cli, with_command
from penstock.engine.states import TRANSITIONS
from tests.servers.content import Content
from tests.servers.fault import FaultServer

ROOT = Path(__file__).parent.parent
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_both_languages_have_the_same_code_and_the_same_outline() -> None:
    for language in ("sh", "python"):
        assert blocks(ENGLISH, language) == blocks(CHINESE, language)
    outline = [[len(mark) for mark in re.findall(r"^(#+) ", text, re.MULTILINE)] for text in (ENGLISH, CHINESE)]
    assert outline[0] == outline[1]


COMMANDS = [line for block in blocks(ENGLISH, "sh") for line in block.splitlines() if line.startswith("penstock ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_parses(line: str) -> None:
    name, *words = with_command(shlex.split(line, comments=True)[1:], cli.commands)
    if "--config" in {option for parameter in cli.commands[name].params for option in parameter.opts}:
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


@pytest.mark.parametrize("number", range(len(blocks(ENGLISH, "python"))))
def test_every_program_of_the_readme_runs(fault_server: FaultServer, tmp_path: Path, number: int) -> None:
    program = blocks(ENGLISH, "python")[number]
    for name in ("big.iso", "a.csv", "b.csv"):
        program = program.replace(f"https://example.org/{name}", fault_server.serve(f"/{name}", Content(500_000)))
    source = str(ROOT / "src")
    environment = {**os.environ, "PYTHONPATH": source}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert any(path.stat().st_size == 500_000 for path in tmp_path.rglob("*.*"))


def test_the_picture_of_the_states_is_the_table_in_the_code() -> None:
    picture = re.search(r"stateDiagram-v2\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert picture is not None
    drawn = set(re.findall(r"^\s+(\w+) --> (\w+)", picture[1], re.MULTILINE))
    assert drawn == {(state.value, after.value) for state, nexts in TRANSITIONS.items() for after in nexts}


def test_links_between_documents_lead_somewhere() -> None:
    for text in (ENGLISH, CHINESE, ARCHITECTURE):
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / target).exists(), target
