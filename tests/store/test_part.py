"""The part file: bytes at their offsets, one holder at a time."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.core.ranges import RangeSet
from penstock.errors import StorageError
from penstock.store.directory import Directory
from penstock.store.hashing import TrailingHash
from penstock.store.journal import Journal
from penstock.store.part import PartFile
from penstock.store.publish import publish


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory.open(tmp_path)


@pytest.fixture
def part(directory: Directory) -> Iterator[PartFile]:
    opened = PartFile.open(directory, "a.iso")
    assert opened is not None
    yield opened
    opened.close()


def content(directory: Directory, name: str = "a.iso.part") -> bytes:
    return (directory.path / name).read_bytes()


def test_blocks_land_one_after_another_at_their_offset(part: PartFile, directory: Directory) -> None:
    part.allocate(20)
    assert part.write(5, [b"abc", memoryview(b"xdefx")[1:4], b"g"]) == 7
    assert content(directory) == b"\0" * 5 + b"abcdefg" + b"\0" * 8
    assert part.written() == RangeSet([(5, 12)])


def test_F41_the_prefix_ends_at_the_first_hole(part: PartFile) -> None:
    part.write(0, [b"abc"])
    part.write(5, [b"abc"])
    assert part.prefix() == 3
    part.write(3, [b"xx"])
    assert part.prefix() == 8


def test_F35_a_short_write_is_finished(part: PartFile, directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda fd, blocks, at: real(fd, [bytes(blocks[0])[:2]], at))
    part.write(0, [b"abcdef", b"ghi"])
    assert content(directory) == b"abcdefghi"


def test_F44_without_preallocation_the_length_is_only_set(
    part: PartFile, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    part.allocate(4096)
    assert part.size == 4096


def test_F35_a_full_disk_is_said_when_space_is_reserved(part: PartFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(OSError, match="full"):
        part.allocate(4096)


def test_F37_a_second_process_does_not_get_it(part: PartFile, directory: Directory) -> None:
    program = (
        "import sys; from pathlib import Path; from penstock.store.directory import Directory;"
        "from penstock.store.part import PartFile;"
        "print(PartFile.open(Directory.open(Path(sys.argv[1])), 'a.iso'))"
    )
    command = [sys.executable, "-c", program, str(directory.path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "None\n"
    part.close()
    assert "PartFile object" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no such flag here")
def test_S04_a_link_in_its_place_is_not_followed(directory: Directory, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", tmp_path / "b.part")
    with pytest.raises(OSError, match=r"b\.part"):
        PartFile.open(directory, "b")
    assert (tmp_path / "victim").read_text() == "precious"


def test_F38_a_kill_as_it_replaced_the_target_leaves_a_second_name_that_goes(directory: Directory) -> None:
    (directory.path / "a.iso.part").write_bytes(b"whole")
    os.link(directory.path / "a.iso.part", directory.path / "a.iso.part~")
    opened = PartFile.open(directory, "a.iso")
    assert opened is not None
    opened.close()
    assert [path.name for path in directory.path.iterdir()] == ["a.iso.part"]


def test_S04_a_second_name_of_ours_does_not_make_up_for_a_strange_one(directory: Directory) -> None:
    (directory.path / "a.iso.part").write_bytes(b"precious")
    for name in ("a.iso.part~", "precious"):
        os.link(directory.path / "a.iso.part", directory.path / name)
    with pytest.raises(StorageError, match="a link to another file"):
        PartFile.open(directory, "a.iso")


def test_a_pipe_in_its_place_is_refused(directory: Directory) -> None:
    os.mkfifo(directory.path / "b.part")
    with pytest.raises(OSError, match="regular"):
        PartFile.open(directory, "b")


def test_publishing_gives_the_name_and_leaves_nothing_else(part: PartFile, directory: Directory) -> None:
    part.write(0, [b"data"])
    publish(part, Journal(directory, "a.iso"), "a.iso", modified=1e9, overwrite=False)
    assert os.listdir(directory.path) == ["a.iso"]
    assert content(directory, "a.iso") == b"data"
    assert (directory.path / "a.iso").stat().st_mtime == 1e9


def test_F42_publishing_never_replaces_unasked(part: PartFile, directory: Directory) -> None:
    part.write(0, [b"new"])
    (directory.path / "a.iso").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        publish(part, Journal(directory, "a.iso"), "a.iso", modified=None, overwrite=False)
    assert content(directory, "a.iso") == b"old"
    assert content(directory) == b"new"
    publish(part, Journal(directory, "a.iso"), "a.iso", modified=None, overwrite=True)
    assert content(directory, "a.iso") == b"new"


def test_F42_nor_on_a_file_system_without_hard_links(
    part: PartFile, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    part.write(0, [b"new"])
    (directory.path / "a.iso").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        publish(part, Journal(directory, "a.iso"), "a.iso", modified=None, overwrite=False)
    (directory.path / "a.iso").unlink()
    publish(part, Journal(directory, "a.iso"), "a.iso", modified=None, overwrite=False)
    assert os.listdir(directory.path) == ["a.iso"]


def test_F46_hashing_follows_the_prefix_to_the_end(part: PartFile) -> None:
    data = random.Random(1).randbytes(3 * 1024 * 1024 + 17)
    trailing = TrailingHash(part, {"sha256", "md5"})
    part.write(0, [data[:1_500_000]])
    assert trailing.advance(part.prefix()) == 1_500_000
    part.write(1_500_000, [data[1_500_000:]])
    assert trailing.advance(len(data)) == len(data)
    assert trailing.digest("sha256").value == hashlib.sha256(data).digest()
    assert trailing.digest("md5").value == hashlib.md5(data).digest()


def test_F41_hashing_notices_bytes_that_went_missing(part: PartFile) -> None:
    part.write(0, [b"abc"])
    part.truncate(1)
    with pytest.raises(OSError, match="shorter"):
        TrailingHash(part, {"sha256"}).advance(3)


def test_a_directory_never_takes_a_path_for_a_name(directory: Directory) -> None:
    for name in ("", "..", ".", "a/b", "/etc/passwd"):
        with pytest.raises(ValueError, match="not a file name"):
            directory.status(name)


def test_F41_a_file_put_in_the_part_s_place_is_not_published(part: PartFile, directory: Directory) -> None:
    part.write(0, [b"mine"])
    (directory.path / part.name).rename(directory.path / "away")
    (directory.path / part.name).write_bytes(b"another's")
    with pytest.raises(FileNotFoundError, match="deleted or replaced"):
        publish(part, Journal(directory, "a.iso"), "a.iso", modified=None, overwrite=False)
    part.discard()
    assert sorted(os.listdir(directory.path)) == ["a.iso.part", "away"]


def test_F41_a_part_cut_short_takes_no_more_and_claims_only_what_is_there(part: PartFile) -> None:
    part.write(0, [b"x" * 100])
    part.truncate(1000)
    os.truncate(part.directory.path / part.name, 40)
    with pytest.raises(OSError, match=r"cut a\.iso\.part short"):
        part.write(500, [b"y"])
    assert part.written() == RangeSet([(0, 40)])
