"""A click command and its subcommands as Markdown: usage, help, every option. Knows nothing of Sphinx.

The texts are those of ``--help``. Names of options and what stands in single quotes become code; paragraphs that click
leaves as they are (``\\b``) become literal blocks.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Final

import click

_CODE: Final = re.compile(r"'([^'\s][^']*)'(?![A-Za-z])|(?<![\w/-])(--?[A-Za-z][\w-]*)(?![\w-])")
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~$])")


def reference(command: click.Command, name: str) -> str:
    """The Markdown of `command`, called `name`, and of its subcommands in their order."""
    return "\n".join(_lines(command, name, None))


def _lines(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, **command.context_settings)
    yield from (f"## {name}", "", f":::{{program}} {name}", ":::", "")
    yield from ("```text", f"{name} {' '.join(command.collect_usage_pieces(context))}", "```", "")
    yield from paragraphs(command.help or "")
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield from _option(parameter, context)
    yield from paragraphs(command.epilog or "")
    if isinstance(command, click.Group):
        for sub_name in command.list_commands(context):
            sub = command.get_command(context, sub_name)
            if sub is not None and not sub.hidden:
                yield from _lines(sub, f"{name} {sub_name}", context)


def _option(option: click.Option, context: click.Context) -> Iterator[str]:
    takes = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
    names = ", ".join(f"{name}{takes}" for name in sorted([*option.opts, *option.secondary_opts], key=len))
    yield from (f"::::{{option}} {names}", inline(option.help or ""))
    facts = []
    if option.multiple:
        facts.append("May be given several times.")
    if option.show_default and option.default is not None:
        facts.append(f"Without it: `{option.default}`.")
    if facts:
        yield from ("", " ".join(facts))
    yield from ("::::", "")


def paragraphs(text: str) -> Iterator[str]:
    """Help text as Markdown."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if paragraph.startswith("\b"):
            yield from ("```text", paragraph.lstrip("\b").strip("\n"), "```", "")
        elif paragraph.strip():
            yield from (inline(" ".join(paragraph.split())), "")


def inline(text: str) -> str:
    """One line of plain text as Markdown, with options and quoted words as code."""
    parts: list[str] = []
    last = 0
    for match in _CODE.finditer(text):
        parts += [escaped(text[last : match.start()]), f"`{match[1] or match[2]}`"]
        last = match.end()
    return "".join([*parts, escaped(text[last:])])


def escaped(text: str) -> str:
    """Text in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", text)
