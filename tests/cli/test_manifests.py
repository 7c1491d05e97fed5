"""``penstock status`` and ``penstock verify``, from end to end: real processes."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.test_download import penstock
from tests.cli.test_many import penstock_command, serve
from tests.servers.fault import FaultServer


def save(server: FaultServer, directory: Path, count: int = 2) -> None:
    """A list of `count` files, saved below ``d`` with its manifest ``d.penstock``."""
    (directory / "l").write_text("\n".join(serve(server, count)))
    assert penstock("-q", "-i", "l", "-d", "d", directory=directory).returncode == 0


def test_verify_lists_what_a_run_found_changed(fault_server: FaultServer, tmp_path: Path) -> None:
    save(fault_server, tmp_path)
    (tmp_path / "d" / "img01.bin").write_bytes(b"x" * 3000)
    again = penstock("-i", "l", "-d", "d", directory=tmp_path)
    assert again.returncode == 1
    assert "img01.bin changed since it was saved; --if-exists overwrite fetches it again" in again.stderr
    checked = penstock_command("verify", "d.penstock", directory=tmp_path)
    assert checked.returncode == 1
    assert "img01.bin: changed" in checked.stdout


def test_a_copied_directory_is_as_good_as_the_first(fault_server: FaultServer, tmp_path: Path) -> None:
    save(fault_server, tmp_path)
    shutil.copytree(tmp_path / "d", tmp_path / "e", copy_function=shutil.copyfile)
    shutil.copy(tmp_path / "d.penstock", tmp_path / "e.penstock")
    fault_server.log.clear()
    copied = penstock("-i", "l", "-d", "e", "--recheck", directory=tmp_path)
    assert copied.returncode == 0, copied.stderr
    assert fault_server.log == []
    checked = penstock_command("verify", "e.penstock", directory=tmp_path)
    assert checked.stdout == "2 files as they were, 0 missing or changed\n"
