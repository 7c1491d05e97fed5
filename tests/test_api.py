"""What the library refuses at once, and what it refuses when it comes to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.errors import InvalidRequest


@pytest.mark.parametrize("rows", ["http://127.0.0.1/a", b"http://127.0.0.1/a"])
def test_one_url_is_not_taken_for_many_of_one_letter(rows: Any, tmp_path: Path) -> None:
    with penstock.Downloader() as downloader, pytest.raises(InvalidRequest, match=r"submit\(\)"):
        downloader.submit_many(rows, directory=tmp_path)


def test_a_row_that_is_none_ends_the_batch_with_an_error_of_ours(tmp_path: Path) -> None:
    rows: Any = ["nonsense", 5]
    with penstock.Downloader() as downloader:
        future = downloader.submit_many(rows, directory=tmp_path)
        with pytest.raises(InvalidRequest, match="row 2 is a 'int'"):
            future.result(timeout=20)


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_manifest_needs_a_name(name: str, tmp_path: Path) -> None:
    with penstock.Downloader() as downloader, pytest.raises(InvalidRequest, match="manifest needs the name of a file"):
        downloader.submit_many([], directory=tmp_path, manifest=name)
