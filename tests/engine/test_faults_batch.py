"""Many files, and what goes wrong with their origins, lists and manifests: each costs its own rows, and no other."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

import pytest

import penstock
from penstock.events import Warned
from tests.engine.helpers import become
from tests.engine.test_batch import assert_all, batch, serve, states
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

#: Every way in which a manifest may not be what it was.
SPOILED = ["overwritten", "truncated", "emptied", "zeros"]


@pytest.mark.parametrize("how", ["resets", "refuses", "rate-limits"])
def test_F52_an_origin_in_trouble_costs_no_other_its_files(fault_server: FaultServer, tmp_path: Path, how: str) -> None:
    files = serve(fault_server, 30)
    with FaultServer() as bad:
        others = [bad.serve(f"/x{number}", Content(1000)) for number in range(16)]

        def script(_request: Request, reply: Reply) -> None:
            if how == "resets":
                reply.refuse = True
            elif how == "refuses":
                become(reply, 403)
            else:
                become(reply, 429, Retry_After="3600")

        bad.script = script
        summary, events = batch([*others, *files], tmp_path / "d", manifest=tmp_path / "m", max_tries=2)
        assert (summary.done, summary.failed) == (30, 16)
        assert len(bad.log) <= 16 * 2
        assert {origin for origin, _reason, _count in summary.failures} == {bad.url("")}
        assert sum(isinstance(event, Warned) and event.download == 0 for event in events) <= 2
    assert_all(tmp_path / "d", files)
    assert len(fault_server.log) == 30


@pytest.mark.parametrize("how", SPOILED)
def test_F53_a_manifest_that_was_damaged_is_never_half_trusted(
    fault_server: FaultServer, tmp_path: Path, how: str
) -> None:
    files = serve(fault_server, 200, size=100)
    manifest = tmp_path / "m"
    assert batch(files, tmp_path / "d", manifest=manifest)[0].done == 200
    whole = manifest.read_bytes()
    assert len(whole) > 30_000
    spoiled = {
        "overwritten": whole[:5000] + bytes(255 for _ in range(20_000)) + whole[25_000:],
        "truncated": whole[: len(whole) // 2],
        "emptied": b"",
        "zeros": bytes(len(whole)),
    }[how]
    manifest.write_bytes(spoiled)
    fault_server.log.clear()
    with penstock.Downloader() as downloader:
        future = downloader.submit_many(files, directory=tmp_path / "d", manifest=manifest, if_exists="skip")
        if how == "emptied":  # as good as a new one: everything is looked for, and there
            assert future.result(30).done == 200
        else:
            error = future.exception(30)
            assert isinstance(error, penstock.StorageError)
            assert str(manifest) in str(error)
            assert manifest.read_bytes() == spoiled
    assert fault_server.log == []
    assert_all(tmp_path / "d", files)


def test_F53_a_manifest_on_a_full_disk_is_told_before_fetching(
    fault_server: FaultServer, tmp_path: Path, small_disk: Path
) -> None:
    files = serve(fault_server, 20)
    subprocess.run(["dd", "if=/dev/zero", f"of={small_disk}/filler"], check=False, capture_output=True)
    with penstock.Downloader() as downloader:
        future = downloader.submit_many(files, directory=tmp_path / "d", manifest=small_disk / "m")
        error = future.exception(30)
    assert isinstance(error, penstock.StorageError)
    assert "full" in str(error)
    assert str(small_disk / "m") in str(error)
    assert fault_server.log == []
    (small_disk / "filler").unlink()
    assert batch(files, tmp_path / "d", manifest=small_disk / "m")[0].done == 20


def test_F53_a_disk_that_fills_under_the_manifest_stops_the_batch_and_a_later_run_goes_on(
    fault_server: FaultServer, tmp_path: Path, small_disk: Path
) -> None:
    files = serve(fault_server, 300, size=100)

    def script(request: Request, _reply: Reply) -> None:
        if request.number == 20:
            subprocess.run(["dd", "if=/dev/zero", f"of={small_disk}/filler"], check=False, capture_output=True)

    fault_server.script = script
    rows = [f"{url}?{'x' * 2000}" for url in files]  # long enough to want room in the manifest
    for url, content in files.items():
        fault_server.serve(url.removeprefix(fault_server.url("")), content)
    with penstock.Downloader() as downloader:
        future = downloader.submit_many(rows, directory=tmp_path / "d", manifest=small_disk / "m")
        error = future.exception(60)
    fault_server.script = lambda _request, _reply: None
    (small_disk / "filler").unlink()
    if error is not None:
        assert isinstance(error, penstock.StorageError)
        assert "full" in str(error)
    summary, _ = batch(rows, tmp_path / "d", manifest=small_disk / "m")
    assert (summary.done, summary.failed, summary.pending) == (300, 0, 0)
    assert_all(tmp_path / "d", files)
    assert states(small_disk / "m") == {"done": 300}


def test_F55_a_list_that_grew_shrank_and_was_reordered_is_matched_by_url(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 30)
    urls = list(files)
    batch(urls[:20], tmp_path / "d", manifest=tmp_path / "m")
    fault_server.log.clear()
    changed = [*reversed(urls[10:]), urls[3]]
    summary, _ = batch(changed, tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.total, summary.done, summary.skipped) == (21, 21, 11)
    assert sorted(request.path for request in fault_server.log) == sorted(f"/f{number}.bin" for number in range(20, 30))
    assert_all(tmp_path / "d", files)
    assert states(tmp_path / "m") == {"done": 21}, "what is shown is the last list"
    summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.done, summary.skipped) == (30, 30), "and rows that had left it kept their outcome"
    assert len(fault_server.log) == 10


def test_F54_a_row_whose_file_another_hand_changed_meanwhile_is_not_taken_for_done(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    """Reconciling looks at the file: what was there before the row was first recorded is not ours."""
    files = serve(fault_server, 3)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f1.bin").write_bytes(b"mine")
    for _ in range(2):
        summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m")
        assert (summary.done, summary.failed) == (2, 1)
    assert (tmp_path / "d" / "f1.bin").read_bytes() == b"mine"
    with sqlite3.connect(tmp_path / "m") as database:
        assert database.execute("SELECT count(*) FROM file").fetchone() == (3,)
    database.close()
