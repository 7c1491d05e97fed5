"""Shell completion: click's own, told how shells cut words. Imported only when a shell asks, or its script is printed.

A shell waits for it at every TAB, so nothing heavy is imported, and no configuration is read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    shell_complete,
)

PROGRAM: Final = "penstock"
#: What a shell's script sets to ask: ``bash_complete``; or whoever wants the script: ``bash_source``.
VARIABLE: Final = "_PENSTOCK_COMPLETE"


class _Bash(BashComplete):
    """bash cuts words at ``=``: ``--option=VALUE`` comes as three."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to complete, and what there is of that one."""
        args, incomplete = super().get_completion_args()
        return [arg for arg in args if arg != "="], incomplete


class _OneWord(ShellComplete):
    """zsh and fish keep ``--option=VALUE`` together, and put what is answered in the place of all of it."""

    _before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to complete, and what there is of that one."""
        args, incomplete = super().get_completion_args()
        option, equals, value = incomplete.partition("=")
        if not equals or not option.startswith("--"):
            return args, incomplete
        self._before = option + equals
        return [*args, option], value

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """What the word may become."""
        items = super().get_completions(args, incomplete)
        if not self._before:
            return items
        return [
            CompletionItem(self._before + value, help=item.help)
            for item in items
            for value in _values(item, incomplete)
        ]


class _Zsh(_OneWord, ZshComplete):
    """zsh."""


class _Fish(_OneWord, FishComplete):
    """fish."""

    #: By click's script a description would end at its first comma.
    source_template = FishComplete.source_template.replace('string split ","', 'string split -m 1 ","')


#: By the shells' names.
_CLASSES: Final[dict[str, type[ShellComplete]]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def script(group: click.Command, shell: str) -> str:
    """What `shell` has to source to complete `group`."""
    return _CLASSES[shell](group, {}, PROGRAM, VARIABLE).source()


def answer(group: click.Command, instruction: str) -> int:
    """Print what a shell asked for by `instruction` (and click's other variables); the exit code."""
    for each in _CLASSES.values():
        add_completion_class(each)
    try:
        return shell_complete(group, {}, PROGRAM, VARIABLE, instruction)
    except (KeyError, ValueError):  # asked by no shell: the words are missing
        return 1


def _values(item: CompletionItem, incomplete: str) -> list[str]:
    """What an item stands for: files have to be named, where the shell cannot look for them by a part of a word."""
    if item.type not in {"file", "dir"}:
        return [item.value]
    folder, name = os.path.split(incomplete)
    try:
        found = sorted(Path(os.path.expanduser(folder) or ".").iterdir())
    except OSError:
        return []
    wanted = [path for path in found if path.name.startswith(name) and (name or not path.name.startswith("."))]
    return [
        os.path.join(folder, path.name) + ("/" if path.is_dir() else "")
        for path in wanted
        if item.type == "file" or path.is_dir()
    ]
