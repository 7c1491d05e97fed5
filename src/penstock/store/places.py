"""What was in the target directories when a run began: a look that costs no system call for each file.

Only a hint. What appears later is met when a file gets its name, which never replaces anything unasked.
"""

from __future__ import annotations

import os
from typing import Final

from penstock.store.part import PART_SUFFIX

#: Names that are remembered over all directories, and theirs; of others the disk is asked each time.
MAX_NAMES: Final = 200_000


class Places:
    """The names in the directories below `root`, each listed once, when it is first asked about."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._names: dict[str, frozenset[str] | None] = {}
        self._left = MAX_NAMES

    def may_have(self, target: str) -> bool:
        """True when something may be at `target`, or be left of an earlier try at it."""
        folder, _, name = target.rpartition("/")
        names = self._names.get(folder)
        if names is None and self._left > 0 and folder not in self._names:
            names = self._names[folder] = self._listed(folder)
        if names is not None:
            return name in names or name + PART_SUFFIX in names
        path = os.path.join(self._root, folder, name)
        return os.path.lexists(path) or os.path.lexists(path + PART_SUFFIX)

    def _listed(self, folder: str) -> frozenset[str] | None:
        self._left -= 1
        names = []
        try:
            with os.scandir(os.path.join(self._root, folder)) as entries:
                for entry in entries:
                    names.append(entry.name)
                    if len(names) > self._left:
                        return None
        except OSError:  # not there yet, or not a directory: making it will tell
            names = []
        self._left -= len(names)
        return frozenset(names)
