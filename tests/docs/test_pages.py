"""What the documents say is so: their commands and programs are carried out, and keep what the pages promise."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click
import pytest

from penstock.cli.config import read_config
from penstock.cli.get import get
from tests.docs.blocks import ROOT, blocks, codes, outline, promised, read
from tests.docs.stage import Stage

#: Pages about measurements: what they tell to type takes hours.
_MEASURED = {"reliability.md", "performance.md", "benchmarks.md", "reports.md"}
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md") if path.name not in _MEASURED
)
PROGRAMS = [(page, number) for page in PAGES for number in range(len(codes(read(page), "python")))]
TUTORIAL, CHINESE = "docs/tutorial.md", "docs/tutorial.zh-CN.md"


@pytest.mark.parametrize("page", [page for page in PAGES if codes(read(page), "sh")])
def test_every_command_of_a_page_does_what_the_page_says(page: str, tmp_path: Path) -> None:
    with contextlib.closing(Stage(tmp_path)) as stage:
        for block in blocks(read(page), "sh"):
            if not block.promise.is_run:
                assert block.code.startswith("pip install"), "only what installs may be left out"
            else:
                stage.run_shell(block)


@pytest.mark.parametrize(("page", "number"), PROGRAMS)
def test_every_program_of_a_page_runs(page: str, number: int, tmp_path: Path) -> None:
    with contextlib.closing(Stage(tmp_path)) as stage:
        stage.run_python(blocks(read(page), "python")[number])


@pytest.mark.parametrize("page", [page for page in PAGES if codes(read(page), "toml")])
def test_every_configuration_of_a_page_is_one(page: str, tmp_path: Path) -> None:
    for number, code in enumerate(codes(read(page), "toml")):
        path = tmp_path / f"{number}.toml"
        path.write_text(code)
        assert read_config(path, click.Context(get))


def test_the_tutorials_have_the_same_code_and_the_same_outline() -> None:
    english, chinese = read(TUTORIAL), read(CHINESE)
    assert codes(english, "sh") == codes(chinese, "sh")
    assert [block.promise for block in blocks(english, "sh")] == [block.promise for block in blocks(chinese, "sh")]
    assert outline(english) == outline(chinese)


def test_a_comment_that_promises_something_unknown_is_told() -> None:
    with pytest.raises(ValueError, match="no promise: 'savs a'"):
        promised("exit 1; savs a")
