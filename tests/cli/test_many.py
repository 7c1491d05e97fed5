"""Lists, globs, manifests and pages from end to end: real processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import environment
from tests.cli.test_download import command, penstock
from tests.conftest import sha256
from tests.engine.helpers import at_rate
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request


def serve(server: FaultServer, count: int, size: int = 3000) -> dict[str, Content]:
    contents = {f"/img{number:02}.bin": Content(size, seed=number) for number in range(count)}
    return {server.serve(path, content): content for path, content in contents.items()}


def assert_all(directory: Path, files: dict[str, Content]) -> None:
    for url, content in files.items():
        assert sha256(directory / url.rpartition("/")[2]) == content.sha256


def test_F50_F55_a_list_and_its_manifest(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 12)
    (tmp_path / "list.txt").write_text("\n".join(["# files", *files, "nonsense", fault_server.url("/missing")]))
    first = penstock("-i", "list.txt", "-d", "data", directory=tmp_path)
    assert first.returncode == 1
    assert "line 14: " in first.stderr
    assert "13 files: 12 saved, 1 failed, 1 line could not be used" in first.stderr
    assert "penstock status data.penstock --state failed lists them" in first.stderr
    assert_all(tmp_path / "data", files)
    again = penstock("-i", "list.txt", "-d", "data", directory=tmp_path)
    assert "0 saved (12 were there before), 1 failed" in again.stderr
    assert [request.path for request in fault_server.log].count("/img03.bin") == 1


def test_status_and_verify_read_the_manifest(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 4)
    (tmp_path / "l").write_text("\n".join([*files, fault_server.url("/missing")]))
    penstock("-q", "-i", "l", "-d", "d", directory=tmp_path)
    shown = penstock_command("status", "d.penstock", directory=tmp_path)
    assert shown.returncode == 0
    assert shown.stdout.startswith("5 files: 4 done (11.7 KiB), 1 failed, 0 pending\n")
    assert f"1 x http-status 404 at http://127.0.0.1:{fault_server.port}" in shown.stdout
    rows = [json.loads(line) for line in export(tmp_path, "json")]
    assert [row["state"] for row in rows] == ["done"] * 4 + ["failed"]
    assert rows[0]["digest"] == f"sha256:{next(iter(files.values())).sha256}"
    assert len(export(tmp_path, "csv", "--state", "failed")) == 2
    assert penstock_command("verify", "d.penstock", directory=tmp_path).returncode == 0
    (tmp_path / "d" / "img01.bin").unlink()
    (tmp_path / "d" / "img02.bin").write_bytes(b"x" * 3000)
    checked = penstock_command("verify", "d.penstock", directory=tmp_path)
    assert checked.returncode == 1
    assert "img01.bin: missing" in checked.stdout
    assert "img02.bin: changed" in checked.stdout


def penstock_command(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Another command than ``get``, which knows no --no-config."""
    whole = [part for part in command(*arguments) if part != "--no-config"]
    return subprocess.run(whole, cwd=directory, check=False, capture_output=True, text=True, timeout=60)


def export(directory: Path, kind: str, *more: str) -> list[str]:
    return penstock_command("status", "d.penstock", "--export", kind, *more, directory=directory).stdout.splitlines()


def test_globs_stand_for_many_and_name_the_output(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 12)
    done = penstock("-q", fault_server.url("/img[08-11].bin"), "-o", "pic_#1.bin", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"pic_{number:02}.bin" for number in range(8, 12)]
    assert sha256(tmp_path / "pic_09.bin") == files[fault_server.url("/img09.bin")].sha256
    literal = penstock("-q", "-g", fault_server.url("/img[08-11].bin"), directory=tmp_path)
    assert literal.returncode == 1


def test_F57_a_list_from_standard_input(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 5)
    done = penstock("-q", "-i", "-", "-d", "d", directory=tmp_path, input="\n".join(files))
    assert done.returncode == 0, done.stderr
    assert_all(tmp_path / "d", files)
    assert (tmp_path / "d.penstock").exists()


def test_a_table_names_and_checks_its_files(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 2)
    lines = [f"{url},x/{number}.bin,{content.sha256},3000" for number, (url, content) in enumerate(files.items())]
    (tmp_path / "l.csv").write_text("\n".join(["URL,name,sha256,size", *lines]))
    done = penstock("-q", "-i", "l.csv", "--no-manifest", "-d", "d", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "d" / "x").iterdir()) == ["0.bin", "1.bin"]
    assert not (tmp_path / "d.penstock").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-i", "nowhere"], "nowhere"),
        (["http://e.org/[3-1]"], "backwards"),
        (["http://e.org/a", "http://e.org/b", "-o", "x"], "-o names one file"),
        (["http://e.org/a", "http://e.org/b", "--checksum", "ab" * 32], "--checksum is of one file"),
        (["http://e.org/a", "--template", "{nome}"], "no field 'nome'"),
        (["http://e.org/a", "-i", "x", "--manifest", "m", "--no-manifest"], "exclude each other"),
        (["http://e.org/{a,b}", "--rate-per-host", "fast"], "5/s"),
        (["-i", "x", "--manifest", ""], "--manifest needs the name of a file"),
        (["http://e.org/a", "-o", "x", "--template", "t"], "-o and --template exclude each other"),
        (["http://e.org/a", "-o", "x", "--manifest", "m"], "-o does not go with --manifest"),
        (["http://e.org/a", "--checksum", "ab" * 32, "--manifest", "m"], "--checksum does not go with --manifest"),
        (["nope1", "nope2"], "nope1"),
        (["nope[1-2]"], "nope1"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_done(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "x").write_text("http://e.org/a\n")
    done = penstock(*arguments, directory=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_F48_ctrl_c_finishes_writing_says_how_to_go_on_and_the_same_command_does(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 40, size=40_000)
    fault_server.script = at_rate(400_000)
    (tmp_path / "l").write_text("\n".join(files))
    arguments = ["-i", "l", "-d", "d", "--per-host", "4"]
    process = subprocess.Popen(command(*arguments), cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    fault_server.wait_for(lambda: sum(request.ended is not None for request in fault_server.log) >= 8)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command goes on" in errors
    there = {path.name for path in (tmp_path / "d").glob("*.bin")}
    assert there
    fault_server.script = lambda _request, _reply: None
    asked = len(fault_server.log)
    done = penstock(*arguments, directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_all(tmp_path / "d", files)
    assert not there & {request.path[1:] for request in fault_server.log[asked:]}


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
def test_F56_few_descriptors_lower_the_parallelism_with_one_warning(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 60)
    (tmp_path / "l").write_text("\n".join(files))
    inner = " ".join(command("-i", "l", "-d", "d", "--per-host", "60", "-j", "60"))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n 64; exec {inner}"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("ulimit -n") == 1
    assert_all(tmp_path / "d", files)


PAGE = b"""<base href="/files/"><IMG srcset="small.jpg 1x, big.jpg 2x"><img src=data:, data-src=lazy.jpg>
<a href="doc.pdf">d</a><a href="javascript:x()">x</a><a href="/next.html">n</a><img src=/hidden/x.jpg>"""


def test_F58_a_page_brings_exactly_what_it_shows_and_links_to(fault_server: FaultServer, tmp_path: Path) -> None:
    pages = {
        "/index.html": PAGE,
        "/next.html": b"<img src=/files/third.jpg><a href=/index.html>",
        "/robots.txt": b"User-agent: penstock\nDisallow: /hidden/\n",
    }
    names = ("big.jpg", "lazy.jpg", "doc.pdf", "third.jpg", "small.jpg")
    contents = {name: Content(1000, seed=number) for number, name in enumerate(names)}
    for name, content in contents.items():
        fault_server.serve(f"/files/{name}", content)

    def script(request: Request, reply: Reply) -> None:
        if request.path in pages:
            kind = "text/plain" if request.path.endswith(".txt") else "text/html; charset=utf-8"
            reply.become(200, {"Content-Type": kind}, pages[request.path])

    fault_server.script = script
    url = fault_server.url("/index.html")
    listed = penstock_command("page", url, "--dry-run", directory=tmp_path)
    expected = [fault_server.url(f"/files/{name}") for name in ("big.jpg", "lazy.jpg", "doc.pdf")]
    assert listed.stdout.split() == expected
    assert "robots.txt does not allow it" in listed.stderr
    done = penstock_command("page", url, "-d", "p", "--depth", "2", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "p").iterdir()} == {"big.jpg", "lazy.jpg", "doc.pdf", "third.jpg"}
    for path in (tmp_path / "p").iterdir():
        assert sha256(path) == contents[path.name].sha256
    assert not any(request.path.startswith("/hidden") for request in fault_server.log)
    some = penstock_command("page", url, "-d", "q", "--accept", "*.pdf", directory=tmp_path)
    assert some.returncode == 0
    assert [path.name for path in (tmp_path / "q").iterdir()] == ["doc.pdf"]


def test_json_lines_tell_of_a_list(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 3)
    done = penstock("--json", *files, "-d", "d", directory=tmp_path)
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(event["event"] == "finished" for event in events) == 3
    assert events[-2]["event"] == "batchprogressed"
    assert events[-2]["done"] == 3
    assert (events[-1]["event"], events[-1]["done"], events[-1]["exit_code"]) == ("summary", 3, 0)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_exits_as_one_although_the_manifest_cannot_be_written(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.script = delayed(0.3)
    (tmp_path / "l").write_text("\n".join(serve(fault_server, 50)))
    impatient = (
        "import sys; from penstock.store import manifest_file; manifest_file._BUSY_SECONDS = 1.0;"
        "from penstock.cli.main import run; sys.exit(run())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", impatient, "-i", "l", "-d", "d"],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    fault_server.wait_for(lambda: len(fault_server.log) >= 6)
    with contextlib.closing(sqlite3.connect(tmp_path / "d.penstock", timeout=5)) as other:
        other.execute("BEGIN IMMEDIATE")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert "another program keeps the manifest locked" in errors
    assert process.returncode == 130


def delayed(seconds: float) -> Callable[[Request, Reply], None]:
    """Answers that take their time."""

    def script(_request: Request, reply: Reply) -> None:
        reply.delay = seconds

    return script
