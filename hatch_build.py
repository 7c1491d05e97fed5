"""What the build adds to the wheel: the manual pages, made from the commands' definitions."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts them in ``share/man/man1``, where ``man`` finds them beside the ``bin`` that is on the PATH."""

    _folder: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the wheel is packed."""
        sys.path.insert(0, str(Path(self.root, "src")))
        try:
            from penstock.cli.manual.dates import today
            from penstock.cli.manual.pages import write
        finally:
            sys.path.pop(0)
        self._folder = Path(tempfile.mkdtemp(prefix="penstock-manual-"))
        for path in write(self._folder, today()):
            build_data["shared_data"][str(path)] = f"share/man/man1/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """After it."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
