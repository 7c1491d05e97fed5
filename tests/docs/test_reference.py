"""The reference of the command is made from the program; here it is shown to leave nothing out."""

from __future__ import annotations

import re

import click
import pytest
from docs.extensions.reference import inline, reference

import penstock
from penstock.cli.main import cli
from tests.docs.blocks import read

SECTIONS = dict(
    zip(*[iter(re.split(r"^## (penstock.*)$", reference(cli, "penstock"), flags=re.MULTILINE)[1:])] * 2, strict=True)
)


def test_every_command_has_a_section() -> None:
    assert set(SECTIONS) == {"penstock", *(f"penstock {name}" for name in cli.commands)}


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_option_of_a_command_is_named_in_its_section(name: str) -> None:
    section = SECTIONS[f"penstock {name}"]
    told = {
        word.split(" ")[0]
        for line in re.findall(r"^::::\{option\} (.*)$", section, re.MULTILINE)
        for word in line.split(", ")
    }
    wanted = {
        option
        for parameter in cli.commands[name].params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for option in [*parameter.opts, *parameter.secondary_opts]
    }
    assert wanted <= told
    assert told <= wanted | {"--help", "-h"}


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Save as FILE, relative to --dir.", "Save as FILE, relative to `--dir`."),
        ("Take only '*.jpg', or 'image/*'.", "Take only `*.jpg`, or `image/*`."),
        ("aria2's out=, and the server's", "aria2's out=, and the server's"),
        ("[1-9] and {a,b} *here*", r"\[1-9\] and \{a,b\} \*here\*"),
        ("IPv4-only; -4 is not --ipv4=x", "IPv4-only; -4 is not `--ipv4`=x"),
    ],
)
def test_help_becomes_markdown_in_which_nothing_is_markup_by_chance(text: str, markdown: str) -> None:
    assert inline(text) == markdown


def test_every_public_name_of_the_library_is_on_its_page() -> None:
    page = read("docs/reference/api.md")
    told = set(re.findall(r"^\.\. auto(?:class|exception|function):: penstock\.([A-Za-z_]+)$", page, re.MULTILINE))
    assert set(penstock.__all__) - {"__version__"} == told
