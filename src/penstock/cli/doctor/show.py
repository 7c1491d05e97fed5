"""The report: for people, to be pasted into a bug report; and for programs."""

from __future__ import annotations

import dataclasses
import re
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from penstock.cli.doctor.facts import Disk, Facts, Limits, Network, Software, Terminal, Transport
from penstock.cli.doctor.judge import Finding, Level
from penstock.core import words
from penstock.core.urls import escape

_WIDTH: Final = 80
_LABEL: Final = 16
#: What rich calls what a terminal can show.
_COLOURS: Final = {"": "no colour", "standard": "16 colours", "256": "256 colours", "truecolor": "all colours"}

Line = tuple[str, str]


def text(facts: Facts, findings: Sequence[Finding]) -> list[str]:
    """The report's lines. What has a problem is marked ``!``, a note ``*``."""
    marks = {finding.about: "*" for finding in findings if finding.level is Level.NOTE}
    marks |= {finding.about: "!" for finding in findings if finding.level is Level.PROBLEM}
    clock, config = facts.clock, facts.configuration
    sections: list[tuple[str, list[Line]]] = [
        ("software", _software(facts.software)),
        ("transport", _transport(facts.transport)),
        ("network", _network(facts.network)),
        ("limits", _limits(facts.limits)),
        (
            "surroundings",
            [
                ("clock", f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(clock.unix))} UTC, zone {clock.zone}"),
                *_terminal(facts.terminal),
                ("configuration", f"{config.path}: {_keys(config.keys) if config.is_there else 'not there'}"),
            ],
        ),
        ("disk", _disk(facts.disk)),
    ]
    report: list[str] = []
    for title, lines in sections:
        report.append(title)
        for label, value in lines:
            report.extend(_wrapped(marks.get(label, " "), label, homeless(escape(value))))
    return [*report, *_verdict(findings)]


def data(facts: Facts, findings: Sequence[Finding]) -> dict[str, Any]:
    """The same for programs."""
    found = [finding._asdict() | {"level": finding.level.value} for finding in findings]
    is_ok = not any(finding.level is Level.PROBLEM for finding in findings)
    tidy: dict[str, Any] = _tidied({**dataclasses.asdict(facts), "findings": found, "ok": is_ok})
    return tidy


def homeless(line: str) -> str:
    """With ``~`` for the home directory, whose name may be the user's."""
    try:
        home = str(Path.home())
    except RuntimeError:  # there is none
        return line
    if home in {"/", "."}:
        return line
    return re.sub(rf"(?<![\w.~/-]){re.escape(home)}(?![\w.-])", "~", line)


def _tidied(value: Any) -> Any:
    if isinstance(value, str):
        return homeless(escape(value))
    if isinstance(value, dict):
        return {key: _tidied(each) for key, each in value.items()}
    return [_tidied(each) for each in value] if isinstance(value, list | tuple) else value


def _wrapped(mark: str, label: str, value: str) -> list[str]:
    return textwrap.wrap(
        value,
        _WIDTH,
        initial_indent=f"{mark} {label:<{_LABEL}}",
        subsequent_indent=" " * (_LABEL + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _verdict(findings: Sequence[Finding]) -> list[str]:
    lines: list[str] = []
    for level, mark in ((Level.PROBLEM, "!"), (Level.NOTE, "*")):
        for finding in findings:
            if finding.level is level:
                line = homeless(escape(f"{finding.what}; {finding.todo}"))
                lines.extend(textwrap.wrap(line, _WIDTH, initial_indent=f"{mark} ", subsequent_indent="  ",
                                           break_long_words=False, break_on_hyphens=False))  # fmt: skip
    problems = sum(finding.level is Level.PROBLEM for finding in findings)
    return ["no problem was found" if not problems else words.count(problems, "problem"), *lines]


def _software(software: Software) -> list[Line]:
    packages = ", ".join(f"{name} {version or 'missing'}" for name, version in software.packages.items())
    return [
        ("penstock", software.penstock),
        ("python", software.python),
        ("system", software.system),
        ("sqlite", software.sqlite),
        ("packages", packages),
    ]


def _transport(transport: Transport) -> list[Line]:
    if transport.error is not None:
        return [("libcurl", f"cannot be used: {transport.error}")]
    return [
        ("libcurl", f"{transport.libcurl} (pycurl {transport.pycurl})"),
        ("tls", transport.tls),
        ("built with", ", ".join(transport.parts)),
        ("protocols", ", ".join(transport.protocols)),
        ("features", ", ".join(transport.features)),
    ]


def _network(network: Network) -> list[Line]:
    proxies = ", ".join(f"{proxy.url} for {proxy.scheme} (by {proxy.source})" for proxy in network.proxies)
    lines = [("proxies", proxies or "none")]
    if network.bypass:
        lines.append(("not for", network.bypass))
    source = "" if network.authorities_source == "certifi" else f", named in {network.authorities_source}"
    trusted = f"{network.certificates} in {network.authorities}{source}"
    return [*lines, ("certificates", network.authorities_error or trusted)]


def _limits(limits: Limits) -> list[Line]:
    hard = "unlimited" if limits.open_files_hard is None else f"{limits.open_files_hard:,}"
    soft = "unlimited" if limits.open_files is None else f"{limits.open_files:,}"
    lines = [("open files", f"{soft}, can be raised to {hard}; enough for {limits.connections} connections")]
    sizes = {"file size": limits.file_size, "address space": limits.address_space, "memory": limits.memory}
    lines += [(label, f"at most {words.size(size)}") for label, size in sizes.items() if size is not None]
    allowed = "" if limits.processors_allowed == limits.processors else f", of {limits.processors}"
    return [*lines, ("processors", f"{limits.processors_allowed}{allowed}")]


def _terminal(terminal: Terminal) -> list[Line]:
    size = f"{terminal.columns}x{terminal.lines}, {_COLOURS.get(terminal.colour or '', terminal.colour)}"
    kind = f"TERM={terminal.kind}" if terminal.kind else "no TERM"
    return [
        ("terminal", f"{kind}, {size}" if terminal.is_terminal else "none (stderr is a file or a pipe)"),
        ("encoding", terminal.encoding),
    ]


def _keys(keys: Sequence[str]) -> str:
    return f"sets {', '.join(keys)}" if keys else "sets nothing"


def _disk(disk: Disk) -> list[Line]:
    tried = "" if disk.directory == disk.tried_in else f" (is still to be made; tried in {disk.tried_in})"
    lines = [("directory", f"{disk.directory}{tried}"), ("file system", disk.file_system or "unknown")]
    if disk.free is not None and disk.size is not None:
        lines.append(("free space", f"{words.size(disk.free)} of {words.size(disk.size)}"))
    if disk.inodes:
        lines.append(("inodes", f"{disk.free_inodes:,} of {disk.inodes:,} free"))
    if disk.error is not None:
        return lines
    return [
        *lines,
        ("reserving space", _answer(disk.reserves_space)),
        ("unnamed files", _answer(disk.has_unnamed_files)),
        ("hard links", _answer(disk.has_hard_links)),
        ("sparse files", _answer(disk.has_sparse_files)),
        ("locks", _answer(disk.has_locks)),
        ("case", "told apart" if disk.tells_case else "not told apart"),
        ("longest name", f"{disk.longest_name} bytes"),
        ("sync", f"{disk.sync_ms} ms for 1 MiB, measured once"),
    ]


def _answer(value: bool | None) -> str:
    return "cannot be tried here" if value is None else "yes" if value else "no"
