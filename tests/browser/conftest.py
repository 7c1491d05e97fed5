"""A Chromium for the tests of this room, and a loud word when there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import chromium, find_chromium, install_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanting = [item for item in items if Path(__file__).parent in item.path.parents]
    if not wanting:
        return
    if find_chromium() is None:
        install_chromium()
    for item in wanting:
        item.add_marker(pytest.mark.browser)
        if find_chromium() is None:
            item.add_marker(pytest.mark.skip(reason="CHROMIUM-MISSING"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    missing = [report for report in skipped if "CHROMIUM-MISSING" in str(report.longrepr)]
    if missing:
        terminalreporter.write_line(
            f"NOT TESTED: {len(missing)} tests need Chromium, which is not installed and could not be.",
            red=True,
            bold=True,
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module's tests."""
    with chromium() as running:
        yield running
