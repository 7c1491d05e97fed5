"""``penstock report``, from end to end: real processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.command import penstock
from tests.report.traces import eventful


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return eventful().write(tmp_path / "run.json")


def test_without_options_the_page_is_written_beside_the_trace(trace: Path) -> None:
    done = penstock("report", str(trace))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].endswith(".")
    assert lines[-1] == f"saved {trace.with_suffix('.html')}"
    assert trace.with_suffix(".html").read_text().startswith("<!doctype html>")


def test_a_page_is_made_anew_but_another_file_of_that_name_is_left(trace: Path) -> None:
    assert [penstock("report", str(trace)).returncode for _ in range(2)] == [0, 0]
    page = trace.with_suffix(".html")
    page.write_text("<title>mine</title>")
    refused = penstock("report", str(trace))
    assert refused.returncode == 2
    assert f"{page} is there already" in refused.stderr
    assert page.read_text() == "<title>mine</title>"
    assert penstock("report", str(trace), "-o", str(page)).returncode == 0
    assert page.read_text().startswith("<!doctype html>")


def test_a_directory_is_no_trace(tmp_path: Path) -> None:
    for name in (".", str(tmp_path)):
        done = penstock("report", name)
        assert done.returncode == 2
        assert "internal error" not in done.stderr


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.html", "<!doctype html>"), ("a.svg", "<?xml"), ("a.txt", "ubuntu-24.04.iso"), ("a", "<!doc")],
)
def test_the_format_follows_the_output_s_extension(trace: Path, name: str, start: str) -> None:
    output = trace.with_name(name)
    assert penstock("report", str(trace), "-o", str(output)).returncode == 0
    assert output.read_text().startswith(start)


def test_the_format_that_is_asked_for_wins(trace: Path) -> None:
    output = trace.with_name("a.html")
    assert penstock("report", str(trace), "-o", str(output), "--format", "svg").returncode == 0
    assert output.read_text().startswith("<?xml")


def test_text_without_an_output_is_printed(trace: Path) -> None:
    done = penstock("report", str(trace), "--format", "text", PYTHONIOENCODING="utf-8")
    assert done.returncode == 0
    assert "█" in done.stdout
    assert "Where the time went" in done.stdout
    plain = penstock("report", str(trace), "--format", "text", PYTHONIOENCODING="ascii")
    assert plain.stdout.isascii()
    assert "####" in plain.stdout
    assert [path.name for path in trace.parent.iterdir()] == ["run.json"]


def test_a_dash_prints_any_format(trace: Path) -> None:
    done = penstock("report", str(trace), "-o", "-", "--format", "svg")
    assert done.stdout.startswith("<?xml")
    assert not Path("-").exists()


def test_the_trace_is_never_overwritten(trace: Path) -> None:
    before = trace.read_bytes()
    link, hard = trace.with_name("link.html"), trace.with_name("hard.svg")
    link.symlink_to(trace)
    os.link(trace, hard)
    page = trace.rename(trace.with_name("run.html"))
    link.unlink()
    link.symlink_to(page)
    for arguments in ([], ["-o", str(page)], ["-o", str(link)], ["-o", str(hard)]):
        done = penstock("report", str(page), *arguments)
        assert done.returncode == 2, arguments
        assert "that is the trace itself" in done.stderr
    assert page.read_bytes() == before


def test_what_is_no_trace_is_one_line_and_leaves_no_file(tmp_path: Path) -> None:
    other = tmp_path / "x.json"
    other.write_text('{"hello": 1}\n')
    for name in (str(other), str(tmp_path / "nowhere"), str(tmp_path)):
        done = penstock("report", name, "-o", str(tmp_path / "r.html"))
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_what_cannot_be_written_is_exit_code_3(trace: Path) -> None:
    done = penstock("report", str(trace), "-o", str(trace.parent / "no" / "r.html"))
    assert done.returncode == 3
    assert "cannot write: no such file or directory" in done.stderr
