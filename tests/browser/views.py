"""A report in a window of some size and theme, with an ear on everything that it does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

Theme = Literal["light", "dark"]
#: The whole page is wider than its window.
_OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


class View:
    """An open report. `troubles` are console messages, errors, dialogs, and requests for anything but the file."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.troubles: list[str] = []
        url = path.as_uri()
        page.on("console", lambda message: self.troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._judge(request.url.partition("#")[0], url))
        page.goto(url)

    def _dismiss(self, dialog: Dialog) -> None:
        self.troubles.append("dialog")
        dialog.dismiss()

    def _judge(self, asked: str, own: str) -> None:
        if asked not in (own, "data:,"):
            self.troubles.append(f"request: {asked}")

    def tabs(self) -> list[str]:
        """The names of the parts."""
        return self.page.get_by_role("tab").all_inner_texts()

    def overflows(self) -> bool:
        """Whether it would have to be scrolled sideways."""
        return bool(self.page.evaluate(_OVERFLOWS))

    def capture(self, name: str) -> None:
        """A picture of all of it, where PENSTOCK_SCREENSHOTS says."""
        if directory := os.environ.get("PENSTOCK_SCREENSHOTS"):
            self.page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


@contextmanager
def view(
    browser: Browser, path: Path, width: int = 1280, theme: Theme = "light", *, script: bool = True
) -> Iterator[View]:
    """Open a report, and see at the end that nothing untoward happened."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    try:
        opened = View(context.new_page(), path)
        yield opened
        assert opened.troubles == []
    finally:
        context.close()
