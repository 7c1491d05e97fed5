"""Every program has a command line or a reason, and what is shown names no place of this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench.fetching import names_of
from bench.jobs import many
from bench.peers import PEERS, Cannot, Command, File, Files, Peer, shown

FILE = File("http://127.0.0.1:1/file.bin", Path("/somewhere/out/file.bin"), 1 << 30, 4, sha256="ab" * 32)
OVER_TLS = File("https://127.0.0.1:1/file.bin", FILE.output, FILE.size, 4, Path("/home/of/cert.pem"))


def by_name(name: str) -> Peer:
    return next(peer for peer in PEERS if peer.name == name)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_what_is_shown_of_a_command_names_no_place(peer: Peer, tmp_path: Path) -> None:
    files = Files("http://127.0.0.1:1/", ["a.bin"], tmp_path / "out", tmp_path / "lists", 50)
    answers = [(answer, names_of(FILE)) for answer in (peer.one(FILE), peer.checked(FILE), peer.resumed(FILE))]
    answers += [(peer.one(OVER_TLS), names_of(OVER_TLS)), (peer.many(files), many.names_of(files))]
    for answer, names in answers:
        if isinstance(answer, Cannot):
            assert answer.why
        else:
            words = shown(answer, names)
            assert "/" not in words.replace("DIR/FILE", "").replace("bench/drivers/", "").replace("BASE/", "").replace(
                "SIZE/CONNECTIONS", ""
            )
            assert "127.0.0.1" not in words


def test_programs_are_shown_by_their_names() -> None:
    assert shown(Command(("/usr/bin/curl", "-o", "/x/f"), {"A": "/x"}), {"/x": "DIR"}) == "A=DIR curl -o DIR/f"
    assert shown(Command((sys.executable, "-m", "penstock")), {}) == "python -m penstock"


def test_what_a_program_cannot_do_has_a_reason() -> None:
    assert isinstance(by_name("axel").many(Files("", [], Path(), Path(), 1)), Cannot)
    assert isinstance(by_name("aria2").one(File("", Path("x"), 1, 17)), Cannot)
    assert isinstance(by_name("aiohttp").many(Files("", [], Path(), Path(), 1, Path("cert"))), Cannot)


def test_lists_hold_every_file(tmp_path: Path) -> None:
    files = Files("http://e/", ["a", "b"], tmp_path / "out", tmp_path / "lists", 2)
    files.write_lists()
    assert files.urls.read_text() == "http://e/a\nhttp://e/b\n"
    assert files.name_list.read_text() == "a\nb\n"
    assert files.curl_config.read_text().count(f'output = "{tmp_path}/out/') == 2


def test_drivers_compile_and_import_nothing_of_ours() -> None:
    drivers = sorted((Path(__file__).parents[2] / "bench" / "drivers").glob("with_*.py"))
    assert {path.stem for path in drivers} == {f"with_{name}" for name in ("aiohttp", "parfive", "pypdl", "requests")}
    for path in drivers:
        text = path.read_text()
        compile(text, str(path), "exec")
        assert "bench." not in text
        assert "penstock" not in text


def test_the_help_of_the_command_is_there() -> None:
    root = Path(__file__).parents[2]
    said = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], cwd=root, capture_output=True, text=True, check=True
    )
    assert "--quick" in said.stdout
    wrong = subprocess.run([sys.executable, "-m", "bench", "--jobs", "z"], cwd=root, capture_output=True, check=False)
    assert wrong.returncode == 2
