"""``penstock doctor``: facts that are so, findings that follow from facts, and nothing secret."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.doctor import disk as disks
from penstock.cli.doctor import show, software
from penstock.cli.doctor.facts import (
    Clock,
    Configuration,
    Disk,
    Facts,
    Limits,
    Network,
    Proxy,
    Software,
    Terminal,
    Transport,
)
from penstock.cli.doctor.judge import EARLIEST, Level, judge
from penstock.cli.doctor.network import network
from tests.cli.command import environment, penstock

MIB = 1024 * 1024
SOUND = Facts(
    software=Software(penstock="1", python="3.12", system="Linux", sqlite="3.45.1", packages={"click": "8.1"}),
    transport=Transport(
        libcurl="8.5", protocols=("http", "https"), features=("asynchronous DNS", "large files", "HTTP/2")
    ),
    network=Network(authorities="/etc/ca.pem", authorities_source="certifi", certificates=130),
    limits=Limits(open_files=1024, open_files_hard=4096, connections=256, connections_wanted=256, processors=2),
    clock=Clock(unix=EARLIEST + 1e6, zone="+01:00"),
    terminal=Terminal(is_terminal=True, columns=80, lines=24, kind="xterm", colour="standard", encoding="utf-8"),
    configuration=Configuration(path="/c.toml"),
    disk=Disk(
        directory=".",
        tried_in=".",
        file_system="ext4",
        free=1 << 40,
        size=1 << 41,
        free_inodes=10**6,
        inodes=10**7,
        reserves_space=True,
        has_unnamed_files=True,
        has_hard_links=True,
        has_sparse_files=True,
        has_locks=True,
        tells_case=True,
        longest_name=255,
        sync_ms=1.0,
    ),
)


def with_(part: str, **changes: Any) -> Facts:
    """Sound facts but for these."""
    return dataclasses.replace(SOUND, **{part: dataclasses.replace(getattr(SOUND, part), **changes)})


def test_where_everything_is_sound_nothing_is_found() -> None:
    assert judge(SOUND) == []


PROBLEM, NOTE = Level.PROBLEM, Level.NOTE
CASES = [
    (with_("software", packages={"rich": None}), PROBLEM, "packages", "rich is not installed", "pip install rich"),
    (with_("software", sqlite="3.31.1"), PROBLEM, "sqlite", "3.33", "newer Python"),
    (with_("transport", error="no libssl"), PROBLEM, "libcurl", "no libssl", "pip install"),
    (with_("transport", protocols=("http",)), PROBLEM, "protocols", "https", "pip install"),
    (with_("transport", features=("large files", "HTTP/2")), PROBLEM, "features", "name up", "pip install"),
    (with_("transport", features=("asynchronous DNS", "HTTP/2")), PROBLEM, "features", "2 GiB", "pip install"),
    (with_("transport", features=("asynchronous DNS", "large files")), NOTE, "features", "HTTP/2", "pip"),
    (
        with_("network", proxies=(Proxy(scheme="http", url="ftp://p", source="http_proxy", is_supported=False),)),
        PROBLEM,
        "proxies",
        "http_proxy: ftp://p",
        "socks5h",
    ),
    (with_("network", authorities_error="Permission denied"), PROBLEM, "certificates", "/etc/ca.pem", "certifi"),
    (with_("network", ignored=("SSL_CERT_FILE",)), NOTE, "certificates", "SSL_CERT_FILE", "--cacert"),
    (with_("network", ignored=("HTTP_PROXY",)), NOTE, "proxies", "HTTP_PROXY", "http_proxy"),
    (
        with_("limits", open_files=256, open_files_hard=None, connections=76),
        PROBLEM,
        "open files",
        "open files are limited to 256",
        "ulimit -n 4096",
    ),
    (
        with_("limits", open_files=256, open_files_hard=256, connections=76),
        PROBLEM,
        "open files",
        "76 connections of 256",
        "administrator",
    ),
    (with_("limits", file_size=MIB), PROBLEM, "file size", "larger than 1.0 MiB", "ulimit -f unlimited"),
    (with_("limits", address_space=300 * MIB), PROBLEM, "address space", "300.0 MiB", "ulimit -v"),
    (with_("limits", memory=64 * MIB), PROBLEM, "memory", "64.0 MiB", "give it more"),
    (with_("clock", unix=0.0), PROBLEM, "clock", "years behind", "set the clock"),
    (with_("terminal", encoding="ascii"), NOTE, "encoding", "ascii", "LC_ALL"),
    (with_("terminal", kind="dumb"), NOTE, "terminal", "dumb", "TERM="),
    (with_("configuration", error="/c.toml: x: unknown key"), PROBLEM, "configuration", "unknown key", "mend"),
    (with_("disk", error="Permission denied"), PROBLEM, "directory", "Permission denied", "-d"),
    (with_("disk", free=MIB), PROBLEM, "free space", "1.0 MiB are free", "make room"),
    (with_("disk", free_inodes=3), PROBLEM, "inodes", "only 3 more files", "delete files"),
    (with_("disk", file_system="vfat"), NOTE, "file system", "4 GiB", "-d"),
    (with_("disk", longest_name=143), PROBLEM, "longest name", "longer than 129 bytes", "-o"),
    (with_("disk", has_locks=False), PROBLEM, "locks", "not kept apart", "one at a time"),
    (with_("disk", has_hard_links=False), NOTE, "hard links", "replaced", "no other program"),
    (with_("disk", sync_ms=900.0), NOTE, "sync", "900 ms", "-d"),
]


@pytest.mark.parametrize(("facts", "level", "about", "what", "todo"), CASES, ids=[case[3][:30] for case in CASES])
def test_a_finding_says_what_is_wrong_and_what_to_do(
    facts: Facts, level: Level, about: str, what: str, todo: str
) -> None:
    [finding] = judge(facts)
    assert (finding.level, finding.about) == (level, about)
    assert what in finding.what
    assert todo in finding.todo


@pytest.mark.parametrize(("facts", "level", "about", "what", "todo"), CASES, ids=[case[3][:30] for case in CASES])
def test_what_is_found_is_marked_in_the_report_and_told_at_its_end(
    facts: Facts, level: Level, about: str, what: str, todo: str
) -> None:
    findings = judge(facts)
    lines = show.text(facts, findings)
    mark = "!" if level is PROBLEM else "*"
    assert any(line.startswith(f"{mark} {about}") for line in lines)
    verdict = lines[lines.index("1 problem" if level is PROBLEM else "no problem was found") :]
    assert todo in " ".join(line.strip("!* ") for line in verdict)
    assert max(map(len, lines)) <= 80
    assert show.data(facts, findings)["ok"] is (level is NOTE)


def test_a_limit_of_none_is_none() -> None:
    assert judge(with_("limits", open_files=None, open_files_hard=None)) == []
    assert "unlimited" in " ".join(show.text(with_("limits", open_files=None), []))


def test_the_home_directory_is_a_tilde_and_nothing_commands_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/jane")
    facts = with_("configuration", path="/home/jane/c.toml", error="/home/jane/c.toml: \x1b[2J")
    told = "\n".join(show.text(facts, judge(facts))) + json.dumps(show.data(facts, judge(facts)))
    assert "jane" not in told
    assert "\x1b" not in told
    assert show.homeless("/mnt/home/jane/x /home/janet") == "/mnt/home/jane/x /home/janet"
    assert show.homeless("/home/jane: no") == "~: no"


# The facts


def doctor(*words: str, **variables: str) -> tuple[int, dict[str, Any]]:
    done = penstock("doctor", "--json", *words, **variables)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_it_tells_what_is_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    code, report = doctor("-d", str(tmp_path))
    assert code == (0 if report["ok"] else 1)
    assert report["software"]["packages"]["click"]
    assert "https" in report["transport"]["protocols"]
    assert report["network"]["certificates"] > 50
    assert report["disk"]["directory"].endswith(tmp_path.name)
    assert report["disk"]["sync_ms"] >= 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_required_is_what_the_project_requires() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert set(software.REQUIRED) == {re.split(r"[<>=]", each)[0] for each in project["dependencies"]}


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('proxy = "http://us:cf-S3CRET@h:1"\nheader = ["X-Key: hd-S3CRET"]\n')
    words = ["-d", str(tmp_path), "--config", str(config)]
    _, report = doctor(*words)
    assert report["configuration"]["keys"] == ["header", "proxy"]
    assert [proxy["url"] for proxy in report["network"]["proxies"]] == ["http://h:1"] * 2
    variables = {
        "PENSTOCK_USER": "us:ev-S3CRET",
        "PENSTOCK_PROXY": "http://us:ev-S3CRET@h:1",
        "https_proxy": "http://us:pr-S3CRET@h:2",
    }
    for more in ([], ["--json"]):
        done = penstock("doctor", *words, *more, **variables)
        assert "S3CRET" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("config", "variables", "found"),
    [
        ({}, {}, []),
        ({}, {"http_proxy": "h:1", "ALL_PROXY": "a:1"}, [("http", "h:1", "http_proxy"), ("https", "a:1", "ALL_PROXY")]),
        ({}, {"HTTP_PROXY": "h:1"}, []),
        ({"proxy": "c:1"}, {"http_proxy": "h:1"}, [("http", "c:1", "file"), ("https", "c:1", "file")]),
        ({"proxy": ""}, {"http_proxy": "h:1"}, []),
        (
            {"proxy": "c:1"},
            {"PENSTOCK_PROXY": "o:1"},
            [("http", "o:1", "PENSTOCK_PROXY"), ("https", "o:1", "PENSTOCK_PROXY")],
        ),
    ],
)
def test_the_proxy_that_is_told_is_the_one_that_a_run_takes(
    config: dict[str, Any], variables: dict[str, str], found: list[tuple[str, str, str]]
) -> None:
    told = network(config, "file", variables).proxies
    assert [(proxy.scheme, proxy.url, proxy.source) for proxy in told] == found


def test_a_file_without_certificates_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    config = tmp_path / "config.toml"
    config.write_text(f'cacert = "{tmp_path}/ca.pem"')
    code, report = doctor("-d", str(tmp_path), "--config", str(config))
    assert code == 1
    assert report["network"]["authorities_error"] == "there is no certificate in it"


@pytest.mark.parametrize(("text", "words"), [("x = 1", "unknown key"), ("x", "not TOML")])
def test_a_configuration_that_a_run_would_refuse_is_a_problem(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    code, report = doctor("-d", str(tmp_path), "--config", str(tmp_path / "c.toml"))
    assert code == 1
    assert words in report["configuration"]["error"]


def test_a_directory_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    _, report = doctor("-d", str(tmp_path / "a" / "b"))
    assert report["disk"]["tried_in"].endswith(tmp_path.name)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_no_disk_takes_is_a_problem_and_no_error() -> None:
    code, report = doctor("-d", "x" * 300)
    assert "File name too long" in report["disk"]["error"]
    assert code == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
def test_few_open_files_are_a_problem_with_a_remedy(tmp_path: Path) -> None:
    words = f"ulimit -Sn 256; exec {sys.executable} -m penstock doctor -d {tmp_path}"
    done = subprocess.run(["bash", "-c", words], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    told = " ".join(done.stdout.split())
    assert "! open files are limited to 256, enough for 76 connections of 256; ulimit -n " in told
    assert "! open files 256, can be raised to" in told


def test_a_small_disk_is_a_problem(small_disk: Path) -> None:
    code, report = doctor("-d", str(small_disk))
    assert code == 1
    assert report["disk"]["file_system"] == "tmpfs"
    assert [finding["about"] for finding in report["findings"] if finding["level"] == "problem"] == ["free space"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what Linux's file systems can do is known")
def test_each_feature_is_tried_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    able = disks.disk(tmp_path)
    assert able.has_hard_links
    assert able.has_locks
    assert able.tells_case
    assert able.longest_name == 255

    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    unable = disks.disk(tmp_path)
    assert unable.has_hard_links is False
    assert unable.has_unnamed_files is False
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_which_nothing_can_be_made_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, report = doctor("-d", str(tmp_path / "file"))
    assert code == 1
    assert report["disk"]["error"]


def test_it_is_not_imported_before_it_runs() -> None:
    script = (
        "import sys; from penstock.cli.main import run; run(['--version']); "
        "sys.exit(str({'rich', 'pycurl', 'ssl', 'sqlite3', 'tempfile'} & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
