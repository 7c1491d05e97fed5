"""What a batch calls its files, and what it records of where they came from. Real sockets, whole files."""

from __future__ import annotations

from pathlib import Path

from penstock.core.rows import Row
from penstock.store.records import Records
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
