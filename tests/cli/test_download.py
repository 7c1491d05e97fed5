"""The command from end to end: real processes, real sockets, whole files compared."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import sha256
from tests.engine.helpers import at_rate, become, soundly
from tests.servers.content import Content
from tests.servers.fault import FaultServer
from tests.servers.nginx import Nginx
from tests.servers.proxy import Proxy

MB = 1_000_000
CONTENT = Content(5 * MB)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "penstock", "--no-config", *arguments]


def penstock(*arguments: str, directory: Path, **options: object) -> subprocess.CompletedProcess[str]:
    whole: dict[str, object] = {"cwd": directory, "capture_output": True, "text": True, "timeout": 60, **options}
    return subprocess.run(command(*arguments), check=False, **whole)  # type: ignore[call-overload,no-any-return]


def test_a_url_alone_is_enough(fault_server: FaultServer, tmp_path: Path) -> None:
    done = penstock(fault_server.serve("/a.bin", CONTENT), directory=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "saved a.bin" in done.stderr
    assert sha256(tmp_path / "a.bin") == CONTENT.sha256


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["/missing"], 1, "HTTP 404"),
        (["/a.bin", "--checksum", "sha256:" + "0" * 64], 1, "a.bin.corrupt"),
        (["/a.bin", "-o", "there"], 1, "exists"),
        (["/a.bin", "--checksum", "abc"], 2, "hex digits"),
        (["/a.bin", "-d", "there"], 3, "not a directory"),
        (["/a.bin", "--max-size", "1K"], 1, "larger than"),
        (["ftp://e.org/a"], 2, "only http and https"),
    ],
)
def test_each_failure_is_one_line_and_an_exit_code(
    fault_server: FaultServer, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    fault_server.serve("/a.bin", CONTENT)
    (tmp_path / "there").write_text("mine")
    url = fault_server.url(arguments[0]) if arguments[0].startswith("/") else arguments[0]
    done = penstock("-q", url, *arguments[1:], directory=tmp_path)
    assert done.returncode == code, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("penstock: ")
    assert words in line
    assert (tmp_path / "there").read_text() == "mine"


def test_the_worst_of_several_decides_the_exit_code(fault_server: FaultServer, tmp_path: Path) -> None:
    good = fault_server.serve("/a.bin", CONTENT)
    for urls in ([fault_server.url("/missing"), good], [good, fault_server.url("/missing")]):
        done = penstock("-q", "--if-exists", "overwrite", *urls, directory=tmp_path)
        assert done.returncode == 1
        assert sha256(tmp_path / "a.bin") == CONTENT.sha256


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_F48_a_signal_leaves_something_to_go_on_from(
    fault_server: FaultServer, tmp_path: Path, number: int, code: int
) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    fault_server.script = at_rate(1 * MB)
    process = subprocess.Popen(command(url), cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    fault_server.wait_for(lambda: fault_server.bytes_sent > 1 * MB)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert "interrupted" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    fault_server.script = soundly
    asked = len(fault_server.log)
    done = penstock(url, directory=tmp_path)
    assert done.returncode == 0
    assert sha256(tmp_path / "a.bin") == CONTENT.sha256
    assert min(request.start or 0 for request in fault_server.log[asked:]) > MB / 50  # nobody asks for the beginning


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_F01_an_interruption_says_that_a_server_without_ranges_sends_all_of_it_again(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    url = fault_server.serve("/a.bin", CONTENT, ranges=False)
    fault_server.script = at_rate(1 * MB)
    process = subprocess.Popen(command(url), cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    fault_server.wait_for(lambda: fault_server.bytes_sent > 1 * MB)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the server cannot send a part of a file" in errors.splitlines()[-1]
    fault_server.script = soundly
    assert penstock(url, directory=tmp_path).returncode == 0
    assert sha256(tmp_path / "a.bin") == CONTENT.sha256


def test_json_lines_tell_the_whole_story(fault_server: FaultServer, tmp_path: Path) -> None:
    done = penstock("--json", fault_server.serve("/a.bin", CONTENT), directory=tmp_path)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[:2] == ["started", "probed"]
    assert kinds[-1] == "finished"
    assert events[-1]["size"] == CONTENT.size
    assert all({"time", "download"} <= event.keys() for event in events)
    done = penstock("--json", fault_server.url("/none"), directory=tmp_path)
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["reason"], last["exit_code"]) == ("failed", "http-status", 1)


@pytest.mark.skipif(os.name == "nt", reason="POSIX shell")
def test_F49_a_closed_stdout_does_not_stop_it(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    words = " ".join(command("--json", url))
    done = subprocess.run(
        f"{words} | head -c 1", shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert sha256(tmp_path / "a.bin") == CONTENT.sha256


@pytest.mark.parametrize("kind", ["http", "socks4", "socks4a", "socks5", "socks5h"])
def test_through_a_proxy(fault_server: FaultServer, tmp_path: Path, kind: str) -> None:
    named = kind in {"socks4a", "socks5h"}  # the proxy gets the name, not an address
    host = "localhost" if named else "127.0.0.1"
    url = fault_server.serve("/a.bin", CONTENT).replace("127.0.0.1", host)
    with Proxy(kind) as proxy:
        done = penstock("--proxy", proxy.url, url, directory=tmp_path)
        assert done.returncode == 0, done.stderr
        assert proxy.seen
        assert all(host in asked for asked in proxy.seen)
    assert sha256(tmp_path / "a.bin") == CONTENT.sha256


def test_the_environment_s_proxy_is_honoured_and_can_be_refused(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    with Proxy("http") as proxy:
        environment = {**os.environ, "http_proxy": proxy.url, "no_proxy": ""}
        assert penstock(url, "-o", "1", directory=tmp_path, env=environment).returncode == 0
        seen = len(proxy.seen)
        assert seen
        assert penstock(url, "-o", "2", "--proxy", "", directory=tmp_path, env=environment).returncode == 0
        assert len(proxy.seen) == seen


@pytest.mark.nginx
@pytest.mark.parametrize("version", ["1.1", "2"])
def test_S10_tls_is_verified_and_insecure_is_loud(nginx: Nginx, tmp_path: Path, version: str) -> None:
    (nginx.root / "tls.bin").write_bytes(CONTENT.read(0, CONTENT.size))
    url = nginx.url("tls.bin", tls=True)
    common = ["--http-version", version, "--if-exists", "overwrite"]
    refused = penstock(*common, url, directory=tmp_path)
    assert refused.returncode == 1
    assert "certificate" in refused.stderr
    assert penstock(*common, "--cacert", str(nginx.ca_file), url, directory=tmp_path).returncode == 0
    assert sha256(tmp_path / "tls.bin") == CONTENT.sha256
    loud = penstock(*common, "-q", "-k", url, directory=tmp_path)
    assert (loud.returncode, "not checked" in loud.stderr) == (0, True)


def test_what_the_options_send(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(10))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login who password pass\n")
    (tmp_path / "cookies").write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tfrom\tfile\n")
    send = ["-A", "me/1", "-e", "http://ref.example/", "-H", "X-One: 1", "-b", "a=b"]
    assert penstock(*send, "-u", "user:pw", url, "-o", "1", directory=tmp_path).returncode == 0
    headers = fault_server.log[-1].headers
    assert (headers["user-agent"], headers["referer"], headers["x-one"]) == ("me/1", "http://ref.example/", "1")
    assert (headers["cookie"], headers["authorization"]) == ("a=b", "Basic dXNlcjpwdw==")
    more = ["--netrc-file", "netrc", "--load-cookies", "cookies"]
    assert penstock(*more, url, "-o", "2", directory=tmp_path).returncode == 0
    headers = fault_server.log[-1].headers
    assert (headers["cookie"], headers["authorization"]) == ("from=file", "Basic d2hvOnBhc3M=")
    secret = {**os.environ, "PENSTOCK_USER": "user:pw"}
    assert penstock(url, "-o", "3", directory=tmp_path, env=secret).returncode == 0
    assert fault_server.log[-1].headers["authorization"] == "Basic dXNlcjpwdw=="


@pytest.mark.parametrize(
    ("policy", "code", "kept", "names"),
    [
        ("error", 1, True, ["a.bin"]),
        ("skip", 0, True, ["a.bin"]),
        ("overwrite", 0, False, ["a.bin"]),
        ("rename", 0, True, ["a.1.bin", "a.bin"]),
    ],
)
def test_if_exists(
    fault_server: FaultServer, tmp_path: Path, policy: str, code: int, kept: bool, names: list[str]
) -> None:
    url = fault_server.serve("/a.bin", Content(10))
    (tmp_path / "a.bin").write_text("mine")
    assert penstock("--if-exists", policy, url, directory=tmp_path).returncode == code
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert ((tmp_path / "a.bin").read_bytes() == b"mine") == kept


def test_F45_names_and_times(fault_server: FaultServer, tmp_path: Path) -> None:
    disposition = (("Content-Disposition", 'attachment; filename="../\x1b[31mevil.bin"'),)
    url = fault_server.serve("/x", Content(10), headers=disposition)
    done = penstock(url, "-d", "new/dir", directory=tmp_path)
    [path] = (tmp_path / "new" / "dir").iterdir()
    assert path.name == "[31mevil.bin"
    assert "\x1b" not in done.stderr
    assert path.stat().st_mtime == 1704067200, "Last-Modified, Mon, 01 Jan 2024 00:00:00 GMT"
    assert penstock(url, "--dest_filename", "now", "--no-remote-time", directory=tmp_path).returncode == 0
    assert (tmp_path / "now").stat().st_mtime > 1704067200 + 86400


def test_multipart_chunksize_is_the_least_segment(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", CONTENT)
    assert penstock("--multipart_chunksize", "2M", url, directory=tmp_path).returncode == 0
    assert fault_server.connections <= 3
    assert sha256(tmp_path / "a.bin") == CONTENT.sha256


def test_a_configuration_file_sets_defaults(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(10))
    (tmp_path / "config.toml").write_text('user-agent = "from-config"\n')
    words = [sys.executable, "-m", "penstock", "--config", "config.toml", url]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=60, check=False).returncode == 0
    assert fault_server.log[-1].headers["user-agent"] == "from-config"


def test_F22_a_server_that_says_come_back_tomorrow_is_quoted(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.script = lambda _request, reply: become(reply, 503, Retry_After="86400")
    done = penstock(fault_server.url("/a"), directory=tmp_path)
    assert done.returncode == 1
    assert "24 hours" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_F48_a_signal_that_comes_too_late_does_not_deny_the_file(fault_server: FaultServer, tmp_path: Path) -> None:
    """The signal arrives while the file is being given its name: it is saved, and said to be."""
    url = fault_server.serve("/a.bin", CONTENT)
    program = (
        "import os, signal, sys\n"
        "import penstock.engine.download as life\n"
        "publish = life.publish\n"
        "def late(*words, **more):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    publish(*words, **more)\n"
        "life.publish = late\n"
        "from penstock.cli.main import run\n"
        "sys.exit(run(['--no-config', sys.argv[1]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, url], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert sha256(tmp_path / "a.bin") == CONTENT.sha256
    assert done.returncode == 0, done.stderr
    assert "saved a.bin" in done.stderr
    assert "interrupted" not in done.stderr


def test_F34_one_family_on_request_and_either_by_default(tmp_path: Path) -> None:
    """The server is at ::1 alone; ``localhost`` has both families."""
    try:
        server = FaultServer(host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        url = server.serve("/a.bin", CONTENT).replace("[::1]", "localhost")
        assert penstock("-6", url, "-o", "6", directory=tmp_path).returncode == 0
        assert penstock("-4", url, "-o", "4", directory=tmp_path).returncode == 1
        assert penstock(url, "-o", "any", directory=tmp_path).returncode == 0
    assert sha256(tmp_path / "any") == CONTENT.sha256
