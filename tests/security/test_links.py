"""S04, S16, S17: what another local account may plant where we write, and who may read what we write."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import penstock
from tests.cli.command import environment
from tests.cli.command import penstock as run
from tests.conftest import sha256
from tests.engine.helpers import at_rate, fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer

#: A user id that is not ours.
STRANGER = 65534
SMALL = Content(3000, seed=1)
LARGE = Content(3_000_000, seed=2)

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can make files of another user"
)


def shared(path: Path) -> Path:
    """A directory in which everybody may make names."""
    path.mkdir()
    path.chmod(0o777)
    return path


def planted_link(at: Path, leads: Path, owner: int = STRANGER) -> None:
    at.symlink_to(leads)
    os.lchown(at, owner, owner)


@pytest.mark.parametrize("name", ["a", "a.part", "a.part.journal", "a.part.journal~", "a.corrupt"])
@pytest.mark.parametrize("policy", ["error", "overwrite"])
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_S04_what_a_planted_link_leads_to_is_not_touched(
    fault_server: FaultServer, tmp_path: Path, name: str, policy: str, content: Content
) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    place = shared(tmp_path / "d")
    (place / name).symlink_to(precious)
    url = fault_server.serve("/a", content)
    fetch(url, place, if_exists=policy)
    with penstock.Downloader() as downloader:
        downloader.submit_many([url], directory=place, if_exists=policy).result()
    assert precious.read_bytes() == b"precious"
    assert not precious.is_symlink()


@needs_root
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("below", [".", "more/still"])
def test_S04_a_stranger_s_link_in_the_middle_of_the_path_is_not_followed(
    fault_server: FaultServer, tmp_path: Path, content: Content, below: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = shared(tmp_path / "d")
    planted_link(place / "sub", elsewhere)
    url = fault_server.serve("/a", content)
    story = fetch(url, place / "sub" / below)
    assert "not followed" in str(story.failed(penstock.StorageError))
    row = penstock.Row((url,), directory=str(Path("sub") / below))
    with penstock.Downloader() as downloader:
        assert downloader.submit_many([row], directory=place).result().failed == 1
    assert list(elsewhere.iterdir()) == []


@needs_root
def test_S04_nor_is_one_in_a_directory_that_a_stranger_made(fault_server: FaultServer, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = shared(tmp_path / "d")
    (place / "his").mkdir(mode=0o755)
    planted_link(place / "his" / "sub", elsewhere)
    os.chown(place / "his", STRANGER, STRANGER)
    fetch(fault_server.serve("/a", SMALL), place / "his" / "sub").failed(penstock.StorageError)
    assert list(elsewhere.iterdir()) == []


def test_S04_a_link_of_one_s_own_is_followed(fault_server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "relative").symlink_to("real/../real/deep")
    (tmp_path / "absolute").symlink_to(tmp_path / "relative")
    story = fetch(fault_server.serve("/a", SMALL), tmp_path / "absolute" / "new")
    assert sha256(tmp_path / "real" / "deep" / "new" / "a") == SMALL.sha256
    story.done()


@needs_root
def test_S04_a_stranger_s_link_in_his_own_home_is_his_to_make(fault_server: FaultServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "real").mkdir(parents=True, mode=0o755)
    planted_link(home / "link", home / "real")
    for path in (home, home / "real"):
        path.chmod(0o755)
        os.chown(path, STRANGER, STRANGER)
    fetch(fault_server.serve("/a", SMALL), home / "link").done()


def test_S04_links_in_a_circle_end(fault_server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("y")
    (tmp_path / "y").symlink_to("x")
    fetch(fault_server.serve("/a", SMALL), tmp_path / "x").failed(penstock.StorageError)


def test_S04_a_directory_exchanged_for_a_link_during_the_download_gets_nothing(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = tmp_path / "d"
    fault_server.script = at_rate(3e6)
    with penstock.Downloader() as downloader:
        future = downloader.submit(fault_server.serve("/a", LARGE), directory=place)
        fault_server.wait_for(lambda: fault_server.bytes_sent > 500_000)
        place.rename(tmp_path / "moved")
        place.symlink_to(elsewhere)
        future.result()
    assert list(elsewhere.iterdir()) == []
    assert sha256(tmp_path / "moved" / "a") == LARGE.sha256


def test_S04_a_part_with_another_name_is_not_written_to(fault_server: FaultServer, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    place = shared(tmp_path / "d")
    os.link(precious, place / "a.part")
    error = fetch(fault_server.serve("/a", LARGE), place).failed(penstock.StorageError)
    assert "a link to another file" in str(error)
    assert precious.read_bytes() == b"precious"


@needs_root
def test_S16_a_part_of_another_user_is_not_used(fault_server: FaultServer, tmp_path: Path) -> None:
    place = shared(tmp_path / "d")
    part = place / "a.part"
    part.touch()
    part.chmod(0o666)
    os.chown(part, STRANGER, STRANGER)
    error = fetch(fault_server.serve("/a", LARGE), place).failed(penstock.StorageError)
    assert "belongs to another user" in str(error)
    assert not (place / "a").exists()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["a", "a.part", "a.part.journal"])
def test_S04_a_planted_pipe_is_not_waited_for(fault_server: FaultServer, tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    fetch(fault_server.serve("/a", LARGE), tmp_path).failed(penstock.DownloadError)
    assert stat.S_ISFIFO((tmp_path / name).stat().st_mode)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_S17_files_have_the_mode_of_the_umask_and_what_is_ours_is_private(
    fault_server: FaultServer, tmp_path: Path, umask: int, mode: int
) -> None:
    small, large = fault_server.serve("/small", SMALL), fault_server.serve("/large", LARGE)
    fault_server.script = lambda request, reply: setattr(reply, "rate", 2e6 if request.path == "/large" else None)
    (tmp_path / "l").write_text(f"{small}\n{large}\n")
    with subprocess.Popen(
        [sys.executable, "-m", "penstock", "-q", "-i", "l", "-d", "d"], env=environment(), cwd=tmp_path, umask=umask
    ) as process:
        fault_server.wait_for(lambda: fault_server.bytes_sent > 2_500_000)
        during = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
        assert process.wait(30) == 0
    for name in ("large.part.journal", "d.penstock", "d.penstock-wal", "d.penstock.lock"):
        assert during[name] == 0o600, name
    assert during["large.part"] == mode
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "d").iterdir()} == {mode}
    assert run("status", str(tmp_path / "d.penstock")).returncode == 0
