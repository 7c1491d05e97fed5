"""A Chromium for the tests of this room, and a loud word when there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import chromium, find_chromium
from tests.servers import debian

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanting = [item for item in items if Path(__file__).parent in item.path.parents]
    debian.require(wanting, "chromium", ["--no-install-recommends", "chromium"], find_chromium)
    for item in wanting:
        item.add_marker(pytest.mark.browser)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    debian.tell_missing(terminalreporter, "chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module's tests."""
    with chromium() as running:
        yield running
