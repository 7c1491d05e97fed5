"""The ``report`` command: what a trace says, for people."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from penstock.cli.codes import CANNOT_WRITE, DONE
from penstock.cli.streams import SturdyStream, standard_error, standard_output
from penstock.errors import InvalidRequest

if TYPE_CHECKING:
    from penstock.report.judged import Judged

_FORMATS: Final = ("html", "svg", "png", "text")
#: The format that a file's extension asks for.
_EXTENSIONS: Final = {".html": "html", ".htm": "html", ".svg": "svg", ".png": "png", ".txt": "text"}
#: Columns where the output is no terminal.
_COLUMNS: Final = 80
#: Bytes of a page in which its title stands.
_HEAD_BYTES: Final = 64 * 1024


@click.command(
    short_help="Show where the time of a run went.",
    params=[
        click.Argument(["trace"], type=click.Path(path_type=Path)),
        click.Option(["-o", "--output"], type=click.Path(path_type=Path), metavar="FILE", help="Write it here."),
        click.Option(["--format", "form"], type=click.Choice(_FORMATS),
                     help="A page, a picture or text; without it, what -o ends in, else html."),
    ],
)  # fmt: skip
@click.pass_context
def report(ctx: click.Context, /, trace: Path, output: Path | None, form: str | None) -> int:
    """Show where the time of a run went, from the TRACE that penstock get --trace TRACE wrote.

    It names the bottleneck in one sentence, with what to change, and draws connections, speed and bytes over time. The
    page needs no network. Without -o it is written beside TRACE; --format text is printed. -o - prints any format.
    """
    form = form or _form_of(output)
    try:
        if output is None and form != "text":
            output = _beside(trace, form)
        if output is not None and _is_same(output, trace):
            raise InvalidRequest(f"{output}: that is the trace itself; give another file with -o")
        from penstock.report.judged import judge
        from penstock.report.reading import records

        judged = judge(records(trace))
        if output is None or str(output) == "-":
            return _print(judged, form)
        content = _made(judged, form, _COLUMNS)
    except InvalidRequest as error:
        raise click.UsageError(error.message, ctx) from error
    return _save(content, output, judged)


def _form_of(output: Path | None) -> str:
    return _EXTENSIONS.get(output.suffix.lower(), "html") if output is not None else "html"


def _beside(trace: Path, form: str) -> Path:
    """The name that a report has by itself. Raises InvalidRequest where it would replace what is none of ours."""
    if not trace.name:
        raise InvalidRequest(f"{trace}: a trace is a file")
    output = trace.with_suffix(f".{form}")
    if _is_same(output, trace):
        return output  # which is refused in its own words
    try:
        with output.open("rb") as file:
            is_ours = form == "html" and b"Penstock report</title>" in file.read(_HEAD_BYTES)
    except FileNotFoundError:
        return output
    except OSError:
        is_ours = False
    if not is_ours:
        raise InvalidRequest(f"{output} is there already; name another file, or this one to replace it, with -o")
    return output


def _is_same(output: Path, trace: Path) -> bool:
    try:
        return output == trace or os.path.samefile(output, trace)
    except OSError:  # one of them is not there, so it cannot be overwritten
        return False


def _made(judged: Judged, form: str, columns: int, *, plain: bool = False) -> bytes:
    if form == "png":
        from penstock.report.picture import png

        return png(judged)
    if form == "svg":
        from penstock.report.picture import svg

        return svg(judged).encode("utf-8", "backslashreplace")
    if form == "text":
        from penstock.report.text import text

        return text(judged, columns, plain=plain).encode("utf-8", "backslashreplace")
    from penstock.report.page import page

    return page(judged).encode("utf-8", "backslashreplace")


def _print(judged: Judged, form: str) -> int:
    stream = SturdyStream(standard_output())
    columns = shutil.get_terminal_size((_COLUMNS, 24)).columns if stream.isatty() else _COLUMNS
    plain = "utf" not in stream.encoding.lower()
    content = _made(judged, form, columns, plain=plain)
    if form == "png":
        standard_output().buffer.write(content)
    else:
        stream.write(content.decode())
    stream.flush()
    return DONE


def _save(content: bytes, output: Path, judged: Judged) -> int:
    from penstock.core.urls import escape

    err = SturdyStream(standard_error())
    try:
        output.write_bytes(content)
    except OSError as error:
        err.line(f"penstock: {escape(str(output))}: cannot write: {(error.strerror or str(error)).lower()}")
        return CANNOT_WRITE
    err.line(escape(f"{judged.finding.sentence} {judged.finding.advice}"))
    err.line(f"saved {escape(str(output))}")
    return DONE
