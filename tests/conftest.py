"""Fixtures that every room of the tests may use, and a loud word about tests that could not run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.servers import debian
from tests.servers.fault import FaultServer
from tests.servers.nginx import Nginx, find_nginx, free_port, start_nginx

# how long an example takes depends on the machine, and no test here asserts a time
hypothesis.settings.register_profile("penstock", deadline=None)
hypothesis.settings.load_profile("penstock")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanting = [
        item for item in items if "nginx" in getattr(item, "fixturenames", ()) or item.get_closest_marker("nginx")
    ]
    debian.require(wanting, "nginx", ["nginx-light"], find_nginx)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    debian.tell_missing(terminalreporter, "nginx")


@pytest.fixture
def fault_server() -> Iterator[FaultServer]:
    """A fault server of its own for each test; a script that raised fails the test."""
    with FaultServer() as server:
        yield server
    if server.errors:
        raise server.errors[0]


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """One nginx for each test worker."""
    home = tmp_path_factory.mktemp("nginx")
    server = start_nginx(home / "home", home / "root")
    yield server
    server.stop()


@pytest.fixture(name="free_port")
def a_free_port() -> int:
    """A loopback port on which nobody listens."""
    return free_port()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB; only root can make one."""
    place = tmp_path / "disk"
    place.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def remount(disk: Path, options: str) -> None:
    """Change the disk's size, or make it read-only."""
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Every thread of ours ends with the test that began it."""
    yield
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("penstock")]
    for thread in ours:  # one that has just said its last word may still be on its way out
        thread.join(1.0)
    left = [thread.name for thread in ours if thread.is_alive()]
    assert not left, f"threads left behind: {left}"


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
