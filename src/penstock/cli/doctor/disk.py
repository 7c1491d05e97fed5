"""What the file system of the target directory can do: tried for real, in a directory that is deleted again."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from penstock.cli.doctor.facts import Disk
from penstock.store.directory import Directory
from penstock.store.lock import try_lock
from penstock.store.part import usable_space

T = TypeVar("T")

_SYNCED: Final = 1024 * 1024
_HOLE: Final = 1024 * 1024
_RESERVED: Final = 64 * 1024
#: Bytes of a name on every common file system.
_LONGEST: Final = 255
_BLOCK: Final = 512
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def disk(directory: Path) -> Disk:
    """Try the file system of `directory`, or of the nearest directory around it."""
    known: dict[str, Any] = {"directory": str(directory), "tried_in": str(directory)}
    try:
        place = next((each for each in (directory, *directory.absolute().parents) if each.exists()), directory)
        known.update(tried_in=str(place), **_space(place))
        with tempfile.TemporaryDirectory(prefix=".penstock-doctor-", dir=place) as scratch:
            return Disk(**known, **_try_all(Path(scratch)))
    except OSError as error:
        return Disk(**known, error=error.strerror or str(error))


def _space(place: Path) -> dict[str, Any]:
    facts: dict[str, Any] = {"file_system": _file_system(place)}
    with contextlib.suppress(OSError):
        if hasattr(os, "statvfs"):
            status = os.statvfs(place)
            facts["free"], facts["size"] = usable_space(status)
            facts["free_inodes"], facts["inodes"] = status.f_favail, status.f_files
        else:
            import shutil

            usage = shutil.disk_usage(place)
            facts["free"], facts["size"] = usage.free, usage.total
    return facts


def _file_system(place: Path) -> str | None:
    """Its type, where the system lists what is mounted (Linux)."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    real, found, depth = os.path.realpath(place), None, -1
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        mounted = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields[4])
        if os.path.commonpath([mounted, real]) == mounted and len(mounted) >= depth:  # of two at one place the later
            found, depth = after.split(" ")[0], len(mounted)
    return found


def _try_all(scratch: Path) -> dict[str, Any]:
    return {
        "reserves_space": _tried(lambda: _reserves_space(scratch)),
        "has_unnamed_files": _tried(lambda: _has_unnamed_files(scratch)),
        "has_hard_links": _tried(lambda: _has_hard_links(scratch)),
        "has_sparse_files": _tried(lambda: _has_sparse_files(scratch)),
        "has_locks": _tried(lambda: _has_locks(scratch)),
        "tells_case": _tells_case(scratch),
        "longest_name": _longest_name(scratch),
        "sync_ms": _sync_ms(scratch),
    }


def _tried(attempt: Callable[[], bool | None]) -> bool | None:
    try:
        return attempt()
    except OSError:
        return False


def _reserves_space(scratch: Path) -> bool | None:
    with (scratch / "reserved").open("wb") as file:
        if platform.system() == "Linux":  # the C library would hide that the file system cannot, by writing zeros
            import ctypes

            libc = ctypes.CDLL(None)
            fallocate = getattr(libc, "fallocate64", None) or libc.fallocate
            fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
            return bool(fallocate(file.fileno(), 0, 0, _RESERVED) == 0)
        reserve = getattr(os, "posix_fallocate", None)
        if reserve is None:
            return None
        reserve(file.fileno(), 0, _RESERVED)
        return True


def _has_unnamed_files(scratch: Path) -> bool | None:
    if not hasattr(os, "O_TMPFILE"):
        return None
    directory = Directory.open(scratch, create=False)
    try:
        descriptor = directory.open_unnamed()
        if descriptor < 0:
            return False
        try:
            return directory.give_name(descriptor, "named")
        finally:
            os.close(descriptor)
    finally:
        directory.close()


def _has_hard_links(scratch: Path) -> bool | None:
    (scratch / "linked").touch()
    try:
        os.link(scratch / "linked", scratch / "link")
    except NotImplementedError:
        return None
    return True


def _has_sparse_files(scratch: Path) -> bool | None:
    with (scratch / "sparse").open("wb") as file:
        file.truncate(_HOLE)
        blocks = getattr(os.fstat(file.fileno()), "st_blocks", None)
    return None if blocks is None else blocks * _BLOCK < _HOLE


def _has_locks(scratch: Path) -> bool:
    with (scratch / "locked").open("w+b") as first, (scratch / "locked").open("r+b") as second:
        return try_lock(first.fileno()) and not try_lock(second.fileno())


def _tells_case(scratch: Path) -> bool:
    (scratch / "case").touch()
    return not (scratch / "CASE").exists()


def _longest_name(scratch: Path) -> int:
    """Bytes."""
    shortest, longest = 1, _LONGEST
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if _takes_name(scratch, middle):
            shortest = middle
        else:
            longest = middle - 1
    return shortest


def _takes_name(scratch: Path, size: int) -> bool:
    path = scratch / ("n" * size)
    try:
        path.touch()
    except OSError:
        return False
    path.unlink()
    return True


def _sync_ms(scratch: Path) -> float:
    """Milliseconds to have a MiB on the disk, measured once."""
    with (scratch / "synced").open("wb") as file:
        file.write(b"\0" * _SYNCED)
        file.flush()
        began = time.perf_counter()
        os.fsync(file.fileno())
        return round((time.perf_counter() - began) * 1000, 1)
