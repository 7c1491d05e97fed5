"""``get --dry-run``: what it says is what a run does, and nothing is changed by it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.store.lock import try_lock
from tests.cli.command import penstock as of_a_fresh_user
from tests.cli.test_download import command
from tests.cli.test_download import penstock as run
from tests.cli.test_many import serve
from tests.conftest import sha256
from tests.engine.helpers import at_rate, soundly
from tests.servers.content import Content
from tests.servers.fault import FaultServer
from tests.servers.proxy import Proxy

CONTENT = Content(5_000_000)


def traces(directory: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a directory: names, times, bytes."""
    return {
        str(path.relative_to(directory)): (
            path.lstat().st_mtime_ns,
            path.lstat().st_ino,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in directory.rglob("*")
    }


def dry(*words: str, directory: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """A dry run, which changes nothing."""
    before = traces(directory)
    done = run("--dry-run", *words, directory=directory, **more)
    assert traces(directory) == before
    return done


def planned(*words: str, directory: Path, **more: Any) -> dict[str, Any]:
    """What a dry run of one URL says, as an object."""
    done = dry("--json", *words, directory=directory, **more)
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    told: dict[str, Any] = json.loads(line)
    assert told["event"] == "planned"
    return told


def interrupt(server: FaultServer, url: str, directory: Path) -> None:
    """Leave a part that can be gone on from."""
    server.script = at_rate(2_000_000)
    process = subprocess.Popen(command(url, "-x", "1"), cwd=directory, stderr=subprocess.DEVNULL)
    server.wait_for(lambda: server.bytes_sent > 3_400_000)
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    server.script = soundly


# One URL


def test_it_says_what_would_be_fetched_and_where_to(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    done = dry(url, directory=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"would fetch {url}\n")
    for words in ("a.bin\n", "4.8 MiB (5,000,000 bytes)", "at most 8 connections", 'ETag "1"', "nothing was written"):
        assert words in done.stdout
    assert len(fault_server.log) == 1
    assert fault_server.bytes_sent < CONTENT.size


def test_it_says_the_same_to_programs(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    told = planned(url, "-d", "new", directory=tmp_path)
    assert told["path"] == str(Path("new") / "a.bin")
    assert (told["action"], told["length"], told["accepts_ranges"], told["kept"]) == ("fetch", CONTENT.size, True, 0)
    assert told["validator"] == {"kind": "etag", "value": '"1"'}


def test_it_goes_the_way_of_a_run(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.serve("/a.bin", CONTENT)
    fault_server.script = lambda request, reply: reply.redirect("/a.bin") if request.path == "/old" else None
    with Proxy("http", user="pu:pw") as proxy:
        told = planned(
            fault_server.url("/old"), "--proxy", proxy.url, "-u", "us:pw", directory=tmp_path,
            env={**os.environ, "NO_PROXY": "", "no_proxy": ""},
        )  # fmt: skip
        assert len(proxy.seen) == 2
    assert told["final_url"] == fault_server.url("/a.bin")
    assert told["path"] == "old"
    login = base64.b64encode(b"us:pw").decode()
    assert all(request.headers["authorization"] == f"Basic {login}" for request in fault_server.log)


def test_what_would_be_kept_is_what_the_run_keeps(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    interrupt(fault_server, url, tmp_path)
    told = planned(url, directory=tmp_path)
    assert told["action"] == "resume"
    assert told["kept"] > 0
    assert "would go on with" in dry(url, directory=tmp_path).stdout
    done = run("--json", url, directory=tmp_path)
    [kept] = [event["kept"] for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "resumed"]
    assert told["kept"] == kept
    assert sha256(tmp_path / "a.bin") == CONTENT.sha256


def test_why_nothing_would_be_kept(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    interrupt(fault_server, url, tmp_path)
    fault_server.serve("/a.bin", CONTENT, etag='"2"')
    told = planned(url, directory=tmp_path)
    assert (told["action"], told["kept"]) == ("restart", 0)
    assert 'its ETag was "1" and is now "2"' in told["why"]
    assert "would begin again" in dry(url, directory=tmp_path).stdout
    assert told["why"] in run(url, directory=tmp_path).stderr


def test_another_url_s_bytes_are_refused_as_by_a_run(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    interrupt(fault_server, url, tmp_path)
    words = (f"{url}?other", "-o", "a.bin")
    done = dry(*words, directory=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--adopt" in done.stderr
    assert planned(*words, "--adopt", directory=tmp_path)["action"] == "resume"


@pytest.mark.parametrize(
    ("policy", "action", "path", "replaces"),
    [("skip", "skip", "there", False), ("overwrite", "fetch", "there", True), ("rename", "fetch", "there.1", False)],
)
def test_what_becomes_of_a_target_that_is_there(
    fault_server: FaultServer, tmp_path: Path, policy: str, action: str, path: str, replaces: bool
) -> None:
    (tmp_path / "there").write_text("mine")
    words = (fault_server.serve("/a.bin", CONTENT), "-o", "there", "--if-exists", policy)
    told = planned(*words, directory=tmp_path)
    assert (told["action"], told["path"], told["replaces"]) == (action, path, replaces)
    assert f"--if-exists {policy}" in dry(*words, directory=tmp_path).stdout
    assert len(fault_server.log) == (0 if policy == "skip" else 2)


def test_checksums_are_told(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    digest = base64.b64encode(bytes.fromhex(CONTENT.sha256)).decode()
    fault_server.script = lambda _request, reply: reply.headers.update({"Repr-Digest": f"sha-256=:{digest}:"})
    told = planned(url, "--checksum", f"md5:{'0' * 32}", directory=tmp_path)
    assert (told["checksum"], told["digest"]) == (f"md5:{'0' * 32}", f"sha256:{CONTENT.sha256}")
    assert "by the server's own word" in dry(url, directory=tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["/missing"], 1, "HTTP 404"),
        (["/a.bin", "--max-size", "1K"], 1, "larger than"),
        (["/a.bin", "-o", "there"], 1, "exists"),
        (["/a.bin", "-d", "there"], 3, "not a directory"),
        (["/a.bin", "-d", "there/below"], 3, "not a directory"),
        (["/a.bin", "-o", "folder"], 3, "is a directory"),
        (["ftp://e.org/a"], 2, "only http and https"),
        (["/a.bin", "-o", "x", "--template", "y"], 2, "exclude each other"),
    ],
)
def test_it_fails_as_a_run_does(
    fault_server: FaultServer, tmp_path: Path, words: list[str], code: int, complaint: str
) -> None:
    fault_server.serve("/a.bin", CONTENT)
    (tmp_path / "there").write_text("mine")
    (tmp_path / "folder").mkdir()
    words = [fault_server.url(words[0]) if words[0].startswith("/") else words[0], *words[1:]]
    foretold = dry(*words, directory=tmp_path)
    assert (foretold.returncode, foretold.stdout) == (code, "")
    assert complaint in foretold.stderr
    done = run("-q", *words, directory=tmp_path)
    assert done.returncode == code
    assert foretold.stderr == done.stderr


def test_a_failure_is_an_object_too(fault_server: FaultServer, tmp_path: Path) -> None:
    done = dry("--json", fault_server.url("/missing"), directory=tmp_path)
    [told] = map(json.loads, done.stdout.splitlines())
    assert (told["event"], told["status"], told["exit_code"], done.returncode) == ("failed", 404, 1, 1)


def test_a_disk_without_room_is_told(fault_server: FaultServer, small_disk: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    for words in ((url,), (url, "-d", "below/it")):
        done = dry(*words, directory=small_disk)
        assert done.returncode == 3
        assert "the disk is full" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX locks")
def test_a_part_that_another_process_has_is_told_and_left_to_it(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    interrupt(fault_server, url, tmp_path)
    with (tmp_path / "a.bin.part").open("r+b") as part:
        assert try_lock(part.fileno())
        done = dry(url, directory=tmp_path)
    assert done.returncode == 1
    assert "another process is downloading to it; wait for it" in done.stderr
    assert planned(url, directory=tmp_path)["action"] == "resume"


def test_quiet_says_nothing_but_the_exit_code(fault_server: FaultServer, tmp_path: Path) -> None:
    done = dry("-q", fault_server.serve("/a.bin", CONTENT), directory=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_ends_it(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.script = lambda _request, reply: setattr(reply, "silent", True)
    process = subprocess.Popen(command("--dry-run", fault_server.url("/a")), cwd=tmp_path)
    fault_server.wait_for(lambda: len(fault_server.log) == 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130


def test_a_program_can_ask_too(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    with penstock.Downloader() as downloader:
        preview = downloader.preview(url, directory=tmp_path).result()
        fault_server.wait_for(lambda: fault_server.live == 0)  # its answer is broken off at once
    assert (preview.action, preview.path, preview.length) == ("fetch", tmp_path / "a.bin", CONTENT.size)
    assert list(tmp_path.iterdir()) == []


# Lists


def rows(*words: str, directory: Path) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Exit code, rows, and the sum of a list's dry run."""
    done = dry("--json", *words, directory=directory)
    *told, last = map(json.loads, done.stdout.splitlines())
    assert last["event"] == "plan"
    assert last["exit_code"] == done.returncode
    return done.returncode, told, last


def actions(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["action"], Path(row["path"]).name) for row in told if row["event"] == "planned"]


def test_a_list_is_gone_through_without_asking_anybody(fault_server: FaultServer, tmp_path: Path) -> None:
    first, second, third = serve(fault_server, 3)
    lines = [first, second, "nonsense", fault_server.url("/missing"), first, third]
    (tmp_path / "l").write_text("\n".join(lines))
    code, told, last = rows("-i", "l", "-d", "d", directory=tmp_path)
    assert code == 1
    assert actions(told) == [
        ("fetch", "img00.bin"), ("fetch", "img01.bin"), ("fetch", "missing"), ("repeat", "img00.bin"),
        ("fetch", "img02.bin"),
    ]  # fmt: skip
    assert [(row["line"], row["text"]) for row in told if row["event"] == "rowrejected"] == [(3, "nonsense")]
    assert (last["total"], last["fetch"], last["repeat"], last["rejected"]) == (4, 4, 1, 1)
    assert fault_server.connections == 0


def test_after_a_run_it_says_what_is_done_what_failed_and_what_is_gone(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 3)
    (tmp_path / "l").write_text("\n".join([*files, fault_server.url("/missing")]))
    run("-q", "-i", "l", "-d", "d", directory=tmp_path)
    (tmp_path / "d" / "img01.bin").unlink()
    asked = len(fault_server.log)
    code, told, last = rows("-i", "l", "-d", "d", directory=tmp_path)
    assert (code, len(fault_server.log)) == (0, asked)
    assert actions(told) == [
        ("skip", "img00.bin"), ("again", "img01.bin"), ("skip", "img02.bin"), ("again", "missing")
    ]  # fmt: skip
    assert [row["why"] for row in told] == [
        "done already", "it was done, but its file is missing or another one now", "done already",
        "failed before: http-status 404",
    ]  # fmt: skip
    told_to_people = dry("-i", "l", "-d", "d", directory=tmp_path)
    assert "4 files: 2 would be fetched (2 of them again), 2 would not, being there" in told_to_people.stderr
    done = run("-i", "l", "-d", "d", directory=tmp_path)
    assert "1 saved (2 were there before), 1 failed" in done.stderr
    assert last["again"] == len(fault_server.log) - asked


def test_names_are_those_of_the_run(fault_server: FaultServer, tmp_path: Path) -> None:
    urls = [fault_server.serve(f"/{folder}/same.bin", Content(100, seed=number)) for number, folder in enumerate("abc")]
    _, told, _ = rows("-d", "d", *urls, directory=tmp_path)
    foretold = {Path(row["path"]).name for row in told}
    assert run("-q", "-d", "d", *urls, directory=tmp_path).returncode == 0
    assert foretold == {path.name for path in (tmp_path / "d").iterdir()}


@pytest.mark.parametrize(
    ("policy", "action", "code"), [("error", "fail", 1), ("skip", "skip", 0), ("overwrite", "fetch", 0)]
)
def test_targets_that_are_there_meet_the_policy(
    fault_server: FaultServer, tmp_path: Path, policy: str, action: str, code: int
) -> None:
    files = list(serve(fault_server, 2))
    (tmp_path / "img01.bin").write_text("mine")
    found, told, _ = rows("--if-exists", policy, *files, directory=tmp_path)
    assert found == code
    assert actions(told) == [("fetch", "img00.bin"), (action, "img01.bin")]


def test_a_manifest_with_a_log_that_a_kill_left_is_read_and_not_touched(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 30, size=40_000)
    fault_server.script = at_rate(400_000)
    (tmp_path / "l").write_text("\n".join(files))
    process = subprocess.Popen(command("-q", "-i", "l", "-d", "d", "--per-host", "4"), cwd=tmp_path)
    fault_server.wait_for(lambda: sum(request.ended is not None for request in fault_server.log) >= 12)
    process.kill()
    process.wait()
    assert (tmp_path / "d.penstock-wal").stat().st_size > 0
    done = run("--dry-run", "--json", "-i", "l", "-d", "d", directory=tmp_path)
    log = (tmp_path / "d.penstock-wal").read_bytes()
    _, told, last = rows_of(done)
    assert last["total"] == 30
    there = {path.name for path in (tmp_path / "d").glob("*.bin")}
    assert there
    assert {name for action, name in actions(told) if action == "skip"} == there
    run("--dry-run", "--json", "-i", "l", "-d", "d", directory=tmp_path)
    assert (tmp_path / "d.penstock-wal").read_bytes() == log


def rows_of(done: subprocess.CompletedProcess[str]) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    *told, last = map(json.loads, done.stdout.splitlines())
    return done.returncode, told, last


@pytest.mark.skipif(os.name == "nt", reason="POSIX locks")
def test_a_manifest_that_a_run_has_is_told(tmp_path: Path) -> None:
    (tmp_path / "l").write_text("https://e.org/a\n")
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "d.penstock")),
        (tmp_path / "d.penstock.lock").open("wb") as lock,
    ):
        assert try_lock(lock.fileno())
        done = dry("-i", "l", "-d", "d", directory=tmp_path)
    assert done.returncode == 1
    assert "another run is using this manifest" in done.stderr


@pytest.mark.parametrize("content", [b"nonsense" * 200, b"SQLite format 3\0" + b"\1" * 2000])
def test_what_is_no_manifest_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "l").write_text("https://e.org/a\n")
    (tmp_path / "d.penstock").write_bytes(content)
    done = dry("-i", "l", "-d", "d", directory=tmp_path)
    assert done.returncode == 3
    assert "d.penstock" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_list_that_cannot_be_used_is_usage(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("name\nx\n")
    done = dry("-i", "l.csv", directory=tmp_path)
    assert done.returncode == 2
    assert "no column 'url'" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from penstock.cli.main import run;"
        "code = run(['--no-config', '--dry-run', '-q', '-i', sys.argv[1], '-d', 'd']);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for count in (5_000, 60_000):
        path = tmp_path / str(count)
        path.write_text("".join(f"https://h{number % 9}.example/{number}/f.bin\n" for number in range(count)))
        whole = [sys.executable, "-c", script, str(path)]
        done = subprocess.run(whole, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=100)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 24_000, "the cache of the copy and some, in KiB"


def test_a_reader_that_leaves_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "l").write_text("".join(f"https://e.org/{number}\n" for number in range(20_000)))
    whole = " ".join(command("--dry-run", "-i", "l", "-d", "d"))
    done = subprocess.run(
        ["bash", "-c", f"{whole} | head -1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"fetch  https://e.org/0 -> {Path('d') / '0'}\n"
    assert done.stderr == ""


def test_what_a_configuration_measures_is_left_out(tmp_path: Path) -> None:
    trace = tmp_path / "t.json"
    (tmp_path / "penstock").mkdir()
    (tmp_path / "penstock" / "config.toml").write_text(f"stats = true\ntrace = {str(trace)!r}\n")
    (tmp_path / "l").write_text("https://e.org/a\n")
    done = of_a_fresh_user(
        "get", "--dry-run", "-i", str(tmp_path / "l"), "-d", str(tmp_path), XDG_CONFIG_HOME=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert not trace.exists()


def test_a_name_that_no_disk_takes_is_one_line(tmp_path: Path) -> None:
    done = dry("-d", "x" * 300, "http://127.0.0.1:1/a", directory=tmp_path)
    assert done.returncode == 3
    assert "internal error" not in done.stderr


@pytest.mark.parametrize("words", [["https://e.org/a"], ["-i", "l"]])
def test_what_no_dry_run_can_measure_is_refused(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "l").write_text("https://e.org/a\n")
    help_text = run("get", "--help", directory=tmp_path).stdout
    for option in (["--trace", "t"], ["--profile", "p"], ["--stats"]):
        if option[0] in help_text:
            done = dry(*option, *words, directory=tmp_path)
            assert done.returncode == 2
            assert "--dry-run" in done.stderr
