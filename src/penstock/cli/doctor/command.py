"""The ``doctor`` command. Everything heavy is imported when it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from penstock.cli.codes import DONE, FAILED
from penstock.cli.streams import SturdyStream, standard_output
from penstock.cli.types import completes

if TYPE_CHECKING:
    from penstock.cli.doctor.facts import Facts
    from penstock.cli.doctor.judge import Finding

_EPILOG: Final = """
What is marked ! is a problem, what is marked * is good to know; what to do stands at the end.

\b
Exit codes: 0 no problem; 1 there are problems; 2 usage.
"""


@click.command(
    epilog=_EPILOG,
    short_help="Say what a bug report needs, and what is wrong here.",
    params=[
        click.Option(
            ["-d", "--dir", "directory"],
            metavar="DIR",
            type=click.Path(path_type=Path),
            default=Path(),
            shell_complete=completes("dir"),
            help="Try the file system of DIR; the working directory's without.",
        ),
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Look at FILE instead of the configuration directory's config.toml.",
        ),
        click.Option(["--json"], is_flag=True, help="Print one JSON object, sizes in bytes."),
    ],
)
def doctor(*, directory: Path, config: Path | None, json: bool) -> int:
    """Print versions, proxies, limits and what the disk can do, and say what is wrong. No server is asked.

    Nothing secret is in it: of proxies no passwords, of the configuration no values. The disk's features are tried in
    a directory below DIR that is deleted again.
    """
    from penstock.cli.doctor.judge import Level, judge

    facts = gather(directory, config)
    findings = judge(facts)
    _print(facts, findings, as_json=json)
    return FAILED if any(finding.level is Level.PROBLEM for finding in findings) else DONE


def gather(directory: Path, config: Path | None) -> Facts:
    """Everything there is to know."""
    from penstock.cli.doctor.disk import disk
    from penstock.cli.doctor.facts import Facts
    from penstock.cli.doctor.network import configuration, network
    from penstock.cli.doctor.software import software, transport
    from penstock.cli.doctor.system import clock, limits, terminal

    settings, values = configuration(config)
    return Facts(
        software=software(),
        transport=transport(),
        network=network(values, settings.path),
        limits=limits(),
        clock=clock(),
        terminal=terminal(),
        configuration=settings,
        disk=disk(directory),
    )


def _print(facts: Facts, findings: list[Finding], *, as_json: bool) -> None:
    from penstock.cli.doctor import show

    out = SturdyStream(standard_output())
    if as_json:
        out.line(json.dumps(show.data(facts, findings), indent=2))
        return
    for line in show.text(facts, findings):
        out.write(line + "\n")
    out.flush()
