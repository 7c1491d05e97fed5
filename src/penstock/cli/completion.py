"""The ``completion`` command: the script by which a shell completes ours."""

from __future__ import annotations

from typing import Final

import click

from penstock.cli.codes import DONE
from penstock.cli.streams import SturdyStream, standard_output

SHELLS: Final = ("bash", "zsh", "fish")
_EPILOG: Final = """
\b
For the shell that runs, and for those to come:
  bash  eval "$(penstock completion bash)"   in ~/.bashrc (4.4 or newer)
  zsh   eval "$(penstock completion zsh)"    in ~/.zshrc, below compinit
  fish  penstock completion fish | source    in ~/.config/fish/config.fish
A file that is sourced starts faster: penstock completion bash > FILE.
"""


@click.command(
    epilog=_EPILOG,
    short_help="Print a script by which a shell completes commands and options.",
    params=[click.Argument(["shell"], type=click.Choice(SHELLS))],
)
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> int:
    """Print the script that SHELL has to source, so that TAB completes commands, options, their choices and files."""
    from penstock.cli.shells import script

    SturdyStream(standard_output()).write(script(ctx.find_root().command, shell))
    return DONE
