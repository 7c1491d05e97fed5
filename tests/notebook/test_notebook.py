"""Bars in a notebook that a real kernel executes: what is stored below the cells when it is saved."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from tests.cli.command import SOURCE
from tests.servers.content import Content
from tests.servers.fault import FaultServer

MB = 1_000_000
SIZE = 2 * MB
WIDGET = "application/vnd.jupyter.widget-view+json"
#: As if ipywidgets were not installed: tqdm writes text instead.
WITHOUT_WIDGETS = "import sys; sys.modules['ipywidgets'] = None\n"
ONE = """
import penstock
penstock.download({urls[0]!r}, directory="one", on_event=penstock.tqdm_progress());
"""
SEVERAL = """
with penstock.Downloader(on_event=penstock.tqdm_progress()) as downloader:
    for url in {urls!r}:
        downloader.submit(url, directory="several")
"""
LIST = """
with penstock.Downloader(on_event=penstock.tqdm_progress()) as downloader:
    downloader.submit_many([*{urls!r}, {missing!r}], directory="list")
"""


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.rates = [4 * MB]
        yield server


class Saved:
    """A notebook after its execution."""

    def __init__(self, cells: list[str], directory: Path) -> None:
        cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        self.notebook = nbformat.v4.new_notebook(cells=cells)
        here = {"metadata": {"path": str(directory)}}
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")]),
            "IPYTHONDIR": str(directory / "ipython"),
        }
        client = nbclient.NotebookClient(self.notebook, timeout=60, kernel_name="python3", resources=here)
        client.execute(env=environment)

    def outputs(self, cell: int) -> list[Any]:
        """What is stored below a cell."""
        return list(self.notebook.cells[cell].outputs)

    def bars(self, cell: int) -> list[tuple[str, float, float, str, str]]:
        """Of each bar below a cell: the text left of it, value, maximum, style, and the text right of it."""
        states = self.notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
        bars = []
        for output in self.outputs(cell):
            box = states[output.data[WIDGET]["model_id"]]["state"]
            left, bar, right = (states[name.removeprefix("IPY_MODEL_")]["state"] for name in box["children"])
            values = bar["value"], bar["max"], bar["bar_style"]
            bars.append((_plain(left["value"]), *values, _plain(right["value"])))
        return bars

    def text(self, cell: int) -> str:
        """The stream below a cell."""
        assert {output.output_type for output in self.outputs(cell)} == {"stream"}
        return "".join(output.text for output in self.outputs(cell))


def _plain(text: str) -> str:
    return text.replace("\u2007", " ").strip()


def cells(server: FaultServer) -> list[str]:
    urls = [server.serve(f"/{name}.bin", Content(SIZE, seed=ord(name))) for name in "abc"]
    missing = server.url("/missing.bin")
    return [cell.format(urls=urls, missing=missing) for cell in (ONE, SEVERAL, LIST)]


@pytest.fixture(scope="module")
def saved(server: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    return Saved(cells(server), tmp_path_factory.mktemp("notebook"))


def test_one_download_leaves_one_bar_that_is_complete(saved: Saved) -> None:
    [(left, value, most, style, right)] = saved.bars(0)
    assert (left, value, most, style) == ("a.bin: 100%", SIZE, SIZE, "success")
    assert right.startswith("1.91M/1.91M [")


def test_who_shows_no_widgets_shows_the_name(saved: Saved) -> None:
    [output] = saved.outputs(0)
    assert output.data["text/plain"].startswith("a.bin:   0%|")


def test_each_of_several_downloads_has_its_own_and_there_are_no_stray_lines(saved: Saved) -> None:
    bars = sorted(saved.bars(1))
    assert [bar[:4] for bar in bars] == [(f"{name}.bin: 100%", SIZE, SIZE, "success") for name in "abc"]


def test_a_list_has_one_bar_of_its_files(saved: Saved) -> None:
    [(left, value, most, style, right)] = saved.bars(2)
    assert (left, value, most, style) == ("100%", 4, 4, "success")
    assert right.startswith("4/4 [")
    assert re.search(r"file/s, [5-9]\.\d MiB, 1 failed\]$", right)


def test_without_widgets_the_last_line_is_the_whole_bar(server: FaultServer, tmp_path: Path) -> None:
    first, _, rest = cells(server)
    saved = Saved([WITHOUT_WIDGETS + "from tqdm.auto import tqdm", first, rest], tmp_path)
    assert "IProgress not found" in saved.text(0), "tqdm says so itself, once"
    for cell, beginning in ((1, "a.bin: 100%|██████████| 1.91M/1.91M"), (2, "100%|██████████| 4/4")):
        lines = saved.text(cell).split("\n")
        assert len(lines) == 2, "one line, redrawn, and its end"
        assert lines[0].rpartition("\r")[2].startswith(beginning)
