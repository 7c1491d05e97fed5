"""What a batch calls its files, and what it records of where they came from. Real sockets, whole files."""

from __future__ import annotations

from pathlib import Path

from penstock.core.rows import Row
from penstock.events import Warned
from penstock.store.records import Records
from tests.conftest import sha256
from tests.engine.test_batch import batch
from tests.servers.content import Content
from tests.servers.fault import FaultServer


def test_a_row_says_which_of_its_urls_delivered_when_it_was_not_the_first(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    mirror, first = fault_server.serve("/mirror", Content(1000)), fault_server.serve("/first", Content(1000))
    missing = fault_server.url("/missing").replace("http://", "http://me:secret@")
    rows = [
        Row((missing, mirror), 1, output="one"),
        Row((first.replace("http://", "http://me:secret@"), mirror), 2, output="two"),
    ]
    batch(rows, tmp_path / "d", manifest=tmp_path / "m")
    assert {fact.target: fact.final_url for fact in Records(tmp_path / "m").rows()} == {"one": mirror, "two": None}


def test_rows_that_ask_for_one_name_are_all_fetched_and_that_is_said_once(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    urls = [fault_server.serve(f"/{number}", Content(1000, seed=number)) for number in range(4)]
    rows = [Row((url,), number, output="same.csv") for number, url in enumerate(urls, 1)]
    for told in (1, 0):
        summary, events = batch(rows, tmp_path / "d", manifest=tmp_path / "m")
        assert (summary.done, summary.failed, summary.rejected) == (4, 0, 0)
        warnings = [event.message for event in events if isinstance(event, Warned)]
        assert len(warnings) == told
    assert len(list((tmp_path / "d").iterdir())) == 4


def test_a_url_that_is_a_folder_of_another_is_fetched_beside_it(fault_server: FaultServer, tmp_path: Path) -> None:
    files = {fault_server.serve(path, content): content for path, content in
             [("/f1.bin/x", Content(1000)), ("/f1.bin", Content(2000)), ("/f2.bin", Content(3000)),
              ("/f2.bin/x", Content(4000))]}  # fmt: skip
    for _ in range(2):
        summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m", template="{host}/{path}/{name}")
        assert (summary.done, summary.failed) == (4, 0)
    for fact in Records(tmp_path / "m").rows():
        assert sha256(tmp_path / "d" / fact.target) == files[fact.url].sha256
    assert len(fault_server.log) == 4
