"""The trace tells what happened: over real sockets, held against what the server saw and what lies on the disk."""

from __future__ import annotations

import itertools
import signal
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.core.ranges import RangeSet
from penstock.errors import StorageError
from penstock.events import AnyEvent, Warned
from tests import traces
from tests.cli.command import environment
from tests.engine.helpers import MB, at_rate
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request


def fetch(url: str, tmp_path: Path, **options: Any) -> list[traces.Event]:
    """Download into ``tmp_path/data`` with a trace; its events."""
    limits = {name: options.pop(name) for name in ("rate_limit", "max_files", "per_host") if name in options}
    with penstock.Downloader(trace=tmp_path / "trace.json", **limits) as downloader:
        future = downloader.submit(url, directory=tmp_path / "data", **options)
        future.exception()
    return traces.read(tmp_path / "trace.json")


def test_every_request_and_every_byte_is_in_it(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.rates = [4 * MB, 4 * MB, 4 * MB, 0.2 * MB]
    url = fault_server.serve("/a.bin", Content(12 * MB))
    events = fetch(url, tmp_path, max_connections=8)
    sent = traces.transfers(events)
    assert len(sent) == len(fault_server.log)
    assert {event["args"]["download"] for event in sent} == {1}
    assert {event["name"] for event in sent} == {url.removesuffix("/a.bin")}
    filled = RangeSet()
    for event in sent:
        if event["args"]["stop"] > event["args"]["start"]:
            filled.add(event["args"]["start"], event["args"]["stop"])
    assert list(filled) == [(0, 12 * MB)]
    waste = sum(event["args"]["bytes"] for event in sent) - 12 * MB
    assert 0 <= waste < 4 * MB
    assert {event["args"]["connection"] for event in sent if event["args"]["new"]} == {
        event["args"]["connection"] for event in sent
    }
    assert sum(event["args"]["new"] for event in sent) == fault_server.connections


def test_a_download_s_life_is_in_it(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(3 * MB))
    fault_server.script = at_rate(4 * MB)
    events = fetch(url, tmp_path)
    begun = [event["name"] for event in events if event["ph"] == "b" and event["cat"] == "download"]
    assert begun == ["download", "preparing", "probing", "fetching", "verifying", "publishing"]
    (end,) = [event for event in events if event["ph"] == "e" and event["name"] == "download"]
    assert end["args"]["state"] == "done"
    assert end["args"]["size"] == 3 * MB
    (probed,) = traces.named(events, "probed")
    assert probed["args"] == {"url": url, "length": 3 * MB, "ranges": True}
    run, last = traces.named(events, "run")[0], events[-1]
    assert run["args"]["format"] == 1
    assert last["name"] == "end"
    assert last["args"]["dropped"] == 0
    assert last["args"]["peak_memory"] > 1_000_000


def test_samples_add_up_to_the_file(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(8 * MB))
    fault_server.rates = [2 * MB]
    events = fetch(url, tmp_path, max_connections=2)
    samples = traces.named(events, "throughput 1")
    assert len(samples) >= 5
    total = 0.0
    for before, after in itertools.pairwise(samples):
        total += sum(after["args"].values()) * (after["ts"] - before["ts"]) / 1e6
    assert 0.8 * 8 * MB < total <= 8.1 * MB  # but for the beginning and the end
    assert all(int(slot) >= 10 for sample in samples for slot in sample["args"])
    shares = traces.named(events, "machine")
    assert shares
    assert all(0 <= sample["args"]["network"] <= 1.5 for sample in shares)
    connections = traces.named(events, "connections 1")
    assert max(sample["args"]["flowing"] for sample in connections) == 2
    assert {sample["args"]["most"] for sample in connections} == {2}


def test_steals_and_how_lanes_ended(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.rates = [4 * MB, 0.1 * MB]
    url = fault_server.serve("/a.bin", Content(12 * MB))
    events = fetch(url, tmp_path, max_connections=2)
    ends = Counter(event["args"]["end"] for event in traces.transfers(events))
    assert ends["whole"] >= 1
    assert ends["slow"] + ends["cut"] + ends["lost"] >= 1
    decided = {event["name"] for event in events if event["cat"] == "decision"}
    assert decided & {"steal", "race"} or ends["slow"]


def test_a_failure_and_the_wait_before_the_retry(fault_server: FaultServer, tmp_path: Path) -> None:
    def script(_request: Request, reply: Reply) -> None:
        if len(fault_server.log) == 1:
            reply.become(503, {"Retry-After": "1"})

    fault_server.script = script
    events = fetch(fault_server.serve("/a.bin", Content(MB)), tmp_path)
    assert [event["args"]["status"] for event in traces.transfers(events)][:2] == [503, 206]
    (retry,) = traces.named(events, "retry")[:1]
    pauses = [event for event in events if event["cat"] == "pause"]
    begin, end = sorted((event for event in pauses if event["name"] == "retry"), key=lambda event: event["ts"])
    assert retry["args"]
    assert end["ts"] - begin["ts"] >= 1_000_000
    assert begin["args"]["origin"] == fault_server.url("")


def test_the_wait_for_an_origin_s_pace(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.serve("/b.bin", Content(1000))

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/a.bin":
            reply.redirect("/b.bin")

    fault_server.script = script
    with penstock.Downloader(trace=tmp_path / "trace.json", rate_per_host=2) as downloader:
        downloader.submit(fault_server.url("/a.bin"), directory=tmp_path / "data").result()
    waits = [event for event in traces.read(tmp_path / "trace.json") if event["name"] == "politeness"]
    begin, end = sorted(waits, key=lambda event: event["ts"])
    assert begin["args"] == {"download": 1, "origin": fault_server.url("")}
    assert end["ts"] - begin["ts"] > 200_000


def test_the_rate_limit_s_pauses(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(2 * MB))
    events = fetch(url, tmp_path, rate_limit=2 * MB)
    held = [event for event in events if event["name"] == "rate limit" and event["ph"] == "X"]
    assert held
    run = events[-1]["args"]["wall"]
    assert 0.3 * run < sum(event["dur"] for event in held) <= run


def test_a_failed_download_says_why(fault_server: FaultServer, tmp_path: Path) -> None:
    events = fetch(fault_server.url("/none"), tmp_path)
    (end,) = [event for event in events if event["ph"] == "e" and event["name"] == "download"]
    assert end["args"]["state"] == "failed"
    assert end["args"]["reason"] == "http-status"
    assert "404" in end["args"]["message"]


def test_small_files_of_a_batch_are_a_request_each(fault_server: FaultServer, tmp_path: Path) -> None:
    urls = [fault_server.serve(f"/{number}.bin", Content(1000 + number)) for number in range(200)]
    with penstock.Downloader(trace=tmp_path / "trace.json", details=False) as downloader:
        assert downloader.submit_many(urls, directory=tmp_path / "data").result().done == 200
    events = traces.read(tmp_path / "trace.json")
    sent = traces.transfers(events)
    assert sorted(event["args"]["url"] for event in sent) == sorted(urls)
    assert sorted(event["args"]["bytes"] for event in sent) == [1000 + number for number in range(200)]
    assert not [event for event in events if event["name"] == "download"]
    rows = {event["tid"] for event in sent}
    assert rows == set(range(10, 10 + len(rows)))
    assert len(rows) <= 32


def test_no_secret_is_in_it(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(MB)).replace("http://", "http://ann:hunter2@")
    fault_server.serve("/b.bin", Content(10))
    redirected = fault_server.url("/r.bin").replace("http://", "http://ann:hunter2@")

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/r.bin":
            reply.redirect("/b.bin")

    fault_server.script = script
    with penstock.Downloader(trace=tmp_path / "trace.json") as downloader:
        headers = {"Authorization": "Bearer sesame", "X-Api-Key": "sesame"}
        downloader.submit(url, directory=tmp_path / "data", headers=headers, cookies="a=sesame").exception()
        downloader.submit_many([url + "?2", redirected], directory=tmp_path / "data").result()
    text = (tmp_path / "trace.json").read_text()
    assert "/a.bin" in text
    assert "/r.bin" in text
    assert "hunter2" not in text
    assert "sesame" not in text


def test_a_proxy_s_password_is_not_in_it(tmp_path: Path) -> None:
    """libcurl quotes the proxy's URL in its own message (S09)."""
    url = "http://127.0.0.1:1/a"
    events = fetch(url, tmp_path, proxy="http://user:hunter2@host:99999", max_tries=1)
    assert [event["args"]["end"] for event in traces.transfers(events)] == ["failed"]
    assert "hunter2" not in (tmp_path / "trace.json").read_text()


def test_what_a_server_sends_cannot_break_it(fault_server: FaultServer, tmp_path: Path) -> None:
    def script(_request: Request, reply: Reply) -> None:
        reply.headers["Content-Disposition"] = 'attachment; filename="a\\"},{\\"ph\\":.bin"'

    fault_server.script = script
    events = fetch(fault_server.serve('/"},%0a{"x":1.bin', Content(1000)) + '?"}]', tmp_path)
    assert traces.transfers(events)


def test_a_killed_run_leaves_a_trace(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.script = at_rate(1 * MB)
    url = fault_server.serve("/a.bin", Content(50 * MB))
    trace = tmp_path / "trace.json"
    command = [sys.executable, "-m", "penstock", "-q", "-d", str(tmp_path), "--trace", str(trace), url]
    with subprocess.Popen(command, env=environment()) as process:
        fault_server.wait_for(lambda: fault_server.bytes_sent > 3 * MB)
        process.send_signal(signal.SIGKILL)
    events = traces.read_broken(trace)
    assert [event for event in events if event["name"] == "throughput 1"]


def test_an_interrupted_run_ends_its_trace(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.script = at_rate(1 * MB)
    url = fault_server.serve("/a.bin", Content(50 * MB))
    with penstock.Downloader(trace=tmp_path / "trace.json", rate_limit=MB) as downloader:
        future = downloader.submit(url, directory=tmp_path)
        fault_server.wait_for(lambda: fault_server.bytes_sent > 1 * MB)
        downloader.close(cancel=True)
        assert future.cancelled()
    events = traces.read(tmp_path / "trace.json")
    (end,) = [event for event in events if event["ph"] == "e" and event["name"] == "download"]
    assert end["args"] == {"state": "cancelled"}
    assert "stopped" in {event["args"].get("end") for event in traces.transfers(events)}


def test_one_that_cannot_be_written_is_refused_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing/trace\.json: No such file.*; name another file for the trace"):
        penstock.Downloader(trace=tmp_path / "missing" / "trace.json")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no such device")
def test_a_disk_that_is_full_at_the_end_is_told_too(fault_server: FaultServer, tmp_path: Path) -> None:
    warned: list[str] = []

    def listen(event: AnyEvent) -> None:
        if isinstance(event, Warned):
            warned.append(event.message)

    with penstock.Downloader(on_event=listen, trace="/dev/full") as downloader:
        downloader.submit(fault_server.serve("/a.bin", Content(1000)), directory=tmp_path).result()
    assert warned == ["/dev/full: the trace ends early: No space left on device"]


def test_a_full_disk_costs_the_trace_and_not_the_download(
    fault_server: FaultServer, tmp_path: Path, small_disk: Path
) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(4 * 1024 * 1024 - 8192))
    fault_server.serve("/a.bin", Content(2000))
    urls = [fault_server.url(f"/a.bin?{number:0200}") for number in range(500)]
    warned: list[str] = []

    def listen(event: AnyEvent) -> None:
        if isinstance(event, Warned):
            warned.append(event.message)

    with penstock.Downloader(on_event=listen, details=False, trace=small_disk / "trace.json") as downloader:
        summary = downloader.submit_many(urls, directory=tmp_path / "data").result()
    assert summary.done == 500
    assert any("No space left on device" in message and "the trace ends early" in message for message in warned)
    assert stat.S_ISREG((small_disk / "trace.json").stat().st_mode)


def test_bytes_of_requests_that_end_between_samples_are_in_the_next(fault_server: FaultServer, tmp_path: Path) -> None:
    """Segments of 64 KiB at 2 MB/s last a third of the time between two samples."""
    fault_server.rates = [2 * MB]
    url = fault_server.serve("/a.bin", Content(8 * MB))

    def script(request: Request, reply: Reply) -> None:
        if request.start:
            reply.claim(request.start, min(request.start + 65_536, 8 * MB), 8 * MB)

    fault_server.script = script
    events = fetch(url, tmp_path, max_connections=2)
    assert len(traces.transfers(events)) > 50
    samples = traces.named(events, "throughput 1")
    total = sum(
        sum(after["args"].values()) * (after["ts"] - before["ts"]) / 1e6
        for before, after in itertools.pairwise(samples)
    )
    assert 0.75 * 8 * MB < total <= 8.1 * MB
