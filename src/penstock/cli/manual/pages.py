"""A page for each command: its definition in click, cut into the sections that a reader of manuals expects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from penstock._version import __version__
from penstock.cli.main import cli
from penstock.cli.manual import roff, texts
from penstock.cli.manual.texts import GROUP, Entry

_EXIT: Final = re.compile(r"Exit codes?: ")
_CODE: Final = re.compile(r"([0-9]+(?:, [0-9]+)*) (.*)")
#: The order of sections that come from a command's text.
_OWN: Final = (*dict.fromkeys(texts.SECTIONS.values()), "NOTES")


def write(folder: Path, date: str) -> list[Path]:
    """Write every page into `folder`; their paths. `date` is as in 2026-01-31."""
    written = []
    for name in names():
        path = folder / f"{name}.1"
        path.write_text(page(name, date), encoding="ascii")
        written.append(path)
    return written


def names() -> list[str]:
    """The pages' names: the command's own, and one for each of its commands."""
    return [GROUP, *(f"{GROUP}-{name}" for name in cli.commands)]


def page(name: str, date: str) -> str:
    """The page of this name."""
    key = GROUP if name == GROUP else name.removeprefix(f"{GROUP}-")
    command = cli if key == GROUP else cli.commands[key]
    context = click.Context(
        command, info_name=key, parent=None if key == GROUP else click.Context(cli, info_name=GROUP)
    )
    text = _Text(command)
    about = (command.short_help or text.about[0]).rstrip(".")
    lines = [
        *roff.head(name, date=date, version=__version__),
        *roff.section("NAME", [f"{roff.plain(name)} \\- {roff.plain(about[:1].lower() + about[1:])}"]),
        *roff.section("SYNOPSIS", _synopsis(key, command, context)),
        *roff.section("DESCRIPTION", [line for each in text.about for line in roff.paragraph(each)]),
        *roff.section("COMMANDS", _commands() if key == GROUP else []),
        *roff.section("OPTIONS", _options(key, command, context)),
    ]
    for title in _OWN:
        lines += roff.section(title, text.sections.get(title, []))
    lines += roff.section("EXIT STATUS", _entries([Entry(*pair) for pair in text.codes]))
    lines += roff.section("ENVIRONMENT", _entries([*_variables(command), *texts.ENVIRONMENT.get(key, ())]))
    lines += roff.section("FILES", _entries(texts.FILES.get(key, ())))
    lines += roff.section("EXAMPLES", _examples(key))
    lines += roff.section("SEE ALSO", [_others(name)])
    return "\n".join(lines) + "\n"


class _Text:
    """A command's help and epilog: what it is `about`, the set `sections`, and its exit codes."""

    def __init__(self, command: click.Command) -> None:
        self.about: list[str] = []
        self.sections: dict[str, list[str]] = {}
        self.codes: list[tuple[str, str]] = []
        last = None  # what stands apart goes on where it began
        for paragraph in _paragraphs(f"{command.help or ''}\n\n{command.epilog or ''}"):
            lines = paragraph.split("\n")
            is_kept = lines[0] == "\b"
            lines = lines[1:] if is_kept else lines
            joined = " ".join(" ".join(lines).split())
            if _EXIT.match(joined):
                self.codes = list(_codes(_EXIT.sub("", joined, count=1)))
                continue
            title = next((title for words, title in texts.SECTIONS.items() if joined.startswith(words)), None)
            if title is None and not is_kept:
                self.about.append(joined)
                continue
            last = title or last or "NOTES"
            self.sections.setdefault(last, []).extend(_kept(lines) if is_kept else roff.paragraph(joined))


def _paragraphs(text: str) -> list[str]:
    return [each.strip("\n") for each in re.split(r"\n\s*\n", text.strip("\n")) if each.strip()]


def _kept(lines: Sequence[str]) -> Iterator[str]:
    """Lines that are not to be wrapped: those that stand at the margin are running text all the same."""
    at = 0
    while at < len(lines):
        is_indented = lines[at].startswith("  ")
        end = next((n for n in range(at, len(lines)) if lines[n].startswith("  ") is not is_indented), len(lines))
        if is_indented:
            yield from roff.table([line.removeprefix("  ") for line in lines[at:end]])
        else:
            yield from roff.paragraph(" ".join(lines[at:end]))
        at = end


def _codes(text: str) -> Iterator[tuple[str, str]]:
    """``0 done; 1 a file failed`` taken apart."""
    for piece in text.rstrip(".").split(";"):
        match = _CODE.fullmatch(piece.strip())
        if match is not None:
            yield match[1], f"{match[2][:1].upper()}{match[2][1:]}."


def _synopsis(key: str, command: click.Command, context: click.Context) -> list[str]:
    pieces = " ".join(roff.italic(piece) for piece in command.collect_usage_pieces(context))
    if key == GROUP:
        return [f"{roff.bold(GROUP)} {pieces}", ".br", f"{roff.bold(GROUP)} {roff.italic('[OPTIONS] [URL]...')}"]
    short = [".br", f"{roff.bold(GROUP)} {pieces}"] if key == "get" else []
    return [f"{roff.bold(f'{GROUP} {key}')} {pieces}", *short]


def _commands() -> list[str]:
    lines: list[str] = []
    for name, command in cli.commands.items():
        lines += roff.entry(f"{roff.bold(f'{GROUP}-{name}')}(1)", command.get_short_help_str(limit=200))
    return lines


def _options(key: str, command: click.Command, context: click.Context) -> list[str]:
    lines: list[str] = []
    for param in command.get_params(context):
        record = param.get_help_record(context) if isinstance(param, click.Option) else None
        if record is None:  # an argument, or hidden
            continue
        heading = texts.HEADINGS.get(param.name or "") if key in texts.LONG else None
        if heading is not None:
            lines += roff.subsection(heading)
        lines += roff.entry(roff.usage(record[0]), record[1])
    return lines


def _variables(command: click.Command) -> Iterator[Entry]:
    """Those that options name."""
    for param in command.params:
        if isinstance(param.envvar, str):
            longest = max(param.opts, key=len)
            yield Entry(param.envvar, f"As {longest}, which wins over it, but not seen in the list of processes.")


def _entries(entries: Sequence[Entry]) -> list[str]:
    return [line for each in entries for line in roff.entry(roff.bold(each.term), each.words)]


def _examples(key: str) -> list[str]:
    lines: list[str] = []
    for command, words in texts.EXAMPLES.get(key, ()):
        lines += [*roff.paragraph(words), ".RS 4", *roff.example([command]), ".RE"]
    return lines


def _others(name: str) -> str:
    others = [f"{roff.bold(other)}(1)" for other in names() if other != name]
    return ", ".join([*others, f"{roff.bold('curl')}(1)", f"{roff.bold('aria2c')}(1)"])
