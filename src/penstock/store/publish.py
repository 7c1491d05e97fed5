"""Give the finished part its target name: the only place where a target appears.

Invariant: the bytes are on the disk before the name is, the name is before what could bring them back is gone, and the
name never replaces a file unasked. While the part has its name too (a hard link), it tells the next run that all is
done but the cleaning up; so it goes last.
"""

from __future__ import annotations

import contextlib
from typing import Final

from penstock.store.journal import Journal
from penstock.store.part import PartFile

CORRUPT_SUFFIX: Final = ".corrupt"


def publish(part: PartFile, journal: Journal, target: str, *, modified: float | None, overwrite: bool) -> None:
    """Sync the part, set its time, rename it to `target`, and forget the journal.

    Raises FileExistsError when `target` appeared meanwhile and `overwrite` is false; the part is then kept whole.
    Raises OSError when the part's name leads to another file by now: that one must not get the target's name.
    """
    if modified is not None:
        with contextlib.suppress(OSError, OverflowError, ValueError):  # a time the file system cannot hold
            part.set_time(modified)
    part.sync(times=True)
    part.check_untouched()
    give_name = part.directory.name_over if overwrite else part.directory.name_new
    clean_up(part, journal, has_both=give_name(part.name, target))


def clean_up(part: PartFile, journal: Journal, *, has_both: bool) -> None:
    """Forget the journal of a target that has its name; `has_both`: the part's name leads to it as well."""
    part.directory.sync()
    journal.remove()
    if has_both:
        part.discard()
    part.directory.sync()


def set_aside(part: PartFile, journal: Journal, target: str) -> str:
    """Keep bytes that failed their check as ``NAME.corrupt``, replacing an older one; returns that name."""
    name = target + CORRUPT_SUFFIX
    part.directory.replace(part.name, name)
    journal.remove()
    part.directory.sync()
    return name
