"""Find the command that is meant, and turn its end into an exit code.

Exit codes: 0 all done (or already there); 1 a download failed; 2 the command line, the configuration or a request
is wrong; 3 a file could not be written; 129, 130, 143 stopped by SIGHUP, Ctrl-C, SIGTERM.
Imports neither rich nor pycurl, so that ``--version`` and ``--help`` stay quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Container, Sequence
from typing import TYPE_CHECKING

import click

from penstock._version import __version__
from penstock.cli.codes import DONE, exit_code
from penstock.cli.completion import completion
from penstock.cli.doctor.command import doctor
from penstock.cli.get import get
from penstock.cli.manifests import status, verify
from penstock.cli.page import page
from penstock.cli.report import report
from penstock.cli.streams import SturdyStream, standard_error

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_INTERRUPTED = 130
_VERBOSE = frozenset({"-v", "-vv", "--verbose"})
_OWN_OPTIONS = frozenset({"--version", "--help", "-h"})
#: What a shell sets to ask how a word may go on (click names it).
_COMPLETE = "_PENSTOCK_COMPLETE"
_EPILOG = """
'penstock URL' is 'penstock get URL'; see 'penstock get --help' for its options.

\b
Exit codes: 0 done; 1 a download failed; 2 usage; 3 could not write;
129, 130, 143 stopped by SIGHUP, Ctrl-C, SIGTERM (the same command goes on).
"""


class DefaultGroup(click.Group):
    """A group in which ``get`` is meant when no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the command, then parse as any group does. Raises UsageError for a command that is misspelt."""
        if args and not ctx.resilient_parsing and (near := meant_by(args[0], self.commands)) is not None:
            raise click.UsageError(f"there is no command {args[0]!r}; did you mean {near!r}?", ctx)
        return super().parse_args(ctx, with_command(args, self.commands))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and the group's own options, and the options of ``get``, as it need not be named."""
        items = super().shell_complete(ctx, incomplete)
        if not incomplete.startswith("-"):
            return items
        default = self.commands["get"]
        with default.make_context("get", [], parent=ctx, resilient_parsing=True) as own:
            return items + default.shell_complete(own, incomplete)


def meant_by(word: str, commands: Collection[str]) -> str | None:
    """The command that was meant by `word`, which is none and no URL either; None when it looks like none of them."""
    if word in commands or not word.isalpha():
        return None
    from difflib import get_close_matches  # only after a mistake

    return next(iter(get_close_matches(word.lower(), commands, n=1, cutoff=0.7)), None)


def with_command(args: list[str], commands: Container[str]) -> list[str]:
    """`args` with the command that is meant in front: ``get`` unless one of `commands` or a group's option is."""
    if not args:
        return ["--help"]
    if args[0] in commands or args[0] in _OWN_OPTIONS:
        return args
    return ["get", *args]


@click.group(cls=DefaultGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(__version__, message="penstock %(version)s")
def cli() -> None:
    """Download files over many connections, at the speed of the link, and lose nothing."""


for command in (get, page, report, status, verify, doctor, completion):
    cli.add_command(command)


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line `args` (default: the process's) and return its exit code. Prints errors as one line."""
    if os.environ.get(_COMPLETE):
        from penstock.cli.shells import answer

        return answer(cli, os.environ[_COMPLETE])
    args = list(sys.argv[1:] if args is None else args)
    try:
        code = cli.main(args=args, prog_name="penstock", standalone_mode=False)
    except click.ClickException as error:
        _complain(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):  # before run.py answers signals itself
        return _INTERRUPTED
    except Exception as error:
        _confess(error, verbose=not _VERBOSE.isdisjoint(args))
        return exit_code(error)
    return code if isinstance(code, int) else DONE


def _complain(error: click.ClickException) -> None:
    from penstock.core.urls import escape

    message = escape(" ".join(error.format_message().split()))
    context = getattr(error, "ctx", None)
    hint = f" (see '{context.command_path} --help')" if context is not None else ""
    SturdyStream(standard_error()).line(f"penstock: {message}{hint}")


def _confess(error: Exception, *, verbose: bool) -> None:
    from penstock.cli.messages import failed, traceback_lines

    stream = SturdyStream(standard_error())
    for line in traceback_lines(error) if verbose else []:
        stream.line(line)
    stream.line(f"penstock: {failed(error, kept=0)}")
