"""Many files: outcomes, fairness, retries, names, resumption. Real sockets, whole files compared by digest."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.core.digests import parse_checksum
from penstock.core.rows import BadRow, Row
from penstock.events import AnyEvent, BatchProgressed, Finished, RowRejected, Warned
from penstock.store.hashing import hash_file
from penstock.store.records import Records
from tests.conftest import sha256
from tests.engine.helpers import become
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request
from tests.servers.nginx import Nginx


def batch(
    rows: Iterable[Any], directory: Path, *, limits: dict[str, Any] | None = None, **options: Any
) -> tuple[penstock.Summary, list[AnyEvent]]:
    events: list[AnyEvent] = []
    with penstock.Downloader(on_event=events.append, connect_timeout=2.0, **(limits or {})) as downloader:
        return downloader.submit_many(rows, directory=directory, **options).result(60), events


def serve(server: FaultServer, count: int, size: int = 5000) -> dict[str, Content]:
    """Files by their URLs."""
    contents = {f"/f{number}.bin": Content(size + number, seed=number) for number in range(count)}
    return {server.serve(path, content): content for path, content in contents.items()}


def assert_all(directory: Path, files: dict[str, Content]) -> None:
    for url, content in files.items():
        assert sha256(directory / url.rpartition("/")[2]) == content.sha256


def until(truth: Callable[[], bool]) -> None:
    """Return once it is true: for what the disk does not tell of by itself."""
    deadline = time.monotonic() + 20
    while not truth():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def states(manifest: Path) -> Counter[str]:
    records = Records(manifest)
    counts = Counter(fact.state for fact in records.rows())
    records.close()
    return counts


def test_every_file_arrives_whole_and_has_one_outcome(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 60)
    summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.total, summary.done, summary.failed, summary.pending) == (60, 60, 0, 0)
    assert_all(tmp_path / "d", files)
    assert states(tmp_path / "m") == {"done": 60}
    assert len(fault_server.log) == 60


def test_a_list_is_told_of_before_its_first_file(fault_server: FaultServer, tmp_path: Path) -> None:
    _, events = batch(serve(fault_server, 3), tmp_path)
    assert isinstance(events[0], BatchProgressed)


def test_F55_a_second_run_in_another_order_asks_only_for_what_is_missing(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 20)
    batch(files, tmp_path / "d", manifest=tmp_path / "m")
    (tmp_path / "d" / "f3.bin").unlink()
    fault_server.log.clear()
    reordered = list(reversed(files))  # F55
    summary, _ = batch(reordered, tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.done, summary.skipped) == (20, 19)
    assert [request.path for request in fault_server.log] == ["/f3.bin"]
    assert_all(tmp_path / "d", files)


def test_a_kill_between_the_name_and_the_end_of_the_journal_leaves_no_litter(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    [url] = serve(fault_server, 1)
    batch([url], tmp_path / "d", manifest=tmp_path / "m")
    with contextlib.closing(sqlite3.connect(tmp_path / "m")) as database, database:
        database.execute("UPDATE file SET state = 0, size = NULL, mtime = NULL, digest = NULL")
    (tmp_path / "d" / "f0.bin.part.journal").write_text("penstock-journal 1 x\n{}")
    assert batch([url], tmp_path / "d", manifest=tmp_path / "m")[0].skipped == 1
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["f0.bin"]


def test_files_that_are_hashed_again_do_not_keep_from_stopping(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = serve(fault_server, 3)
    again: dict[str, Any] = {"directory": tmp_path / "d", "manifest": tmp_path / "m", "recheck": True}
    batch(files, **again)
    fault_server.log.clear()
    begun = threading.Event()

    def endless(path: Path, algorithm: str, is_stopped: Callable[[], bool]) -> str:
        begun.set()
        until(is_stopped)
        return hash_file(path, algorithm, is_stopped)

    with monkeypatch.context() as patched, penstock.Downloader() as downloader:
        patched.setattr("penstock.engine.batch.hash_file", endless)
        future = downloader.submit_many(files, **again)
        assert begun.wait(20)
        downloader.close(cancel=True)
        assert future.result(20).done == 0
    assert batch(files, **again)[0].skipped == 3
    assert fault_server.log == []


def test_recheck_finds_what_size_and_time_do_not_show(fault_server: FaultServer, tmp_path: Path) -> None:
    import os

    files = serve(fault_server, 3)
    batch(files, tmp_path / "d", manifest=tmp_path / "m")
    path = tmp_path / "d" / "f1.bin"
    status = path.stat()
    path.write_bytes(b"x" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert batch(files, tmp_path / "d", manifest=tmp_path / "m")[0].skipped == 3
    summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m", recheck=True, if_exists="overwrite")
    assert (summary.done, summary.skipped) == (3, 2)
    assert_all(tmp_path / "d", files)


def test_big_and_small_files_side_by_side(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 5)
    big = {fault_server.serve(f"/big{n}.bin", c): c for n, c in enumerate([Content(3_000_000), Content(6_000_000)])}
    summary, events = batch({**files, **big}, tmp_path / "d", manifest=tmp_path / "m")
    assert summary.done == 7
    assert_all(tmp_path / "d", {**files, **big})
    most = max(event.result.connections for event in events if isinstance(event, Finished))
    assert most > 1
    assert not list((tmp_path / "d").glob("*.part*"))
    assert all(fact.digest for fact in Records(tmp_path / "m").rows("done"))


def test_F50_F52_bad_rows_and_failures_do_not_stop_the_others(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 3)
    rows = [*files, fault_server.url("/missing"), "ftp://e.org/x", BadRow(9, "zzz", "not a URL")]
    summary, events = batch(rows, tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.done, summary.failed, summary.rejected) == (3, 1, 2)
    assert summary.failures == ((f"http://127.0.0.1:{fault_server.port}", "http-status 404", 1),)
    assert [event.line for event in events if isinstance(event, RowRejected)] == [5, 9]
    assert states(tmp_path / "m") == {"done": 3, "failed": 3}


def test_F51_the_same_url_twice_is_fetched_once_and_two_urls_of_one_name_both(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    urls = [
        fault_server.serve(path, Content(1000, seed=n)) for n, path in enumerate(["/a/x.bin", "/b/x.bin", "/c/X.bin"])
    ]
    rows = [urls[0], urls[0] + "#part", *urls]
    summary, _ = batch(rows, tmp_path / "d", manifest=tmp_path / "m")
    assert summary.done == 3
    assert len(fault_server.log) == 3
    names = sorted(path.name for path in (tmp_path / "d").iterdir())
    assert len({name.casefold() for name in names}) == 3
    batch(reversed(rows), tmp_path / "d", manifest=tmp_path / "m")
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == names
    assert len(fault_server.log) == 3


def test_a_row_says_its_name_checksum_size_and_headers(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(2000)
    url = fault_server.serve("/a", content)
    good, bad = parse_checksum(content.sha256), parse_checksum("00" * 32)
    rows = [
        Row((url,), 1, output="x/../y.bin", checksum=good, size=2000, headers=(("X-Key", "s3cret"),)),
        Row((url,), 2, output="wrong.bin", checksum=bad),
        Row((url,), 3, output="short.bin", size=1999),
    ]
    summary, _ = batch(rows, tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.done, summary.failed) == (1, 2)
    assert sha256(tmp_path / "d" / "x" / "y.bin") == content.sha256
    assert not (tmp_path / "d" / "wrong.bin").exists()
    assert (tmp_path / "d" / "wrong.bin.corrupt").exists()
    assert sum("x-key" in request.headers for request in fault_server.log) == 1
    assert b"s3cret" not in (tmp_path / "m").read_bytes()  # S12


def test_S12_credentials_in_urls_are_used_and_not_written_down(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", Content(100)).replace("http://", "http://me:hunter2@")
    summary, _ = batch([url], tmp_path / "d", manifest=tmp_path / "m")
    assert summary.done == 1
    assert fault_server.log[0].headers["authorization"].startswith("Basic ")
    assert b"hunter2" not in (tmp_path / "m").read_bytes()


def test_alternatives_are_tried_in_turn(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(300_000)
    good, broken = fault_server.serve("/good", content), fault_server.serve("/broken", Content(300_000, seed=9))
    rows = [
        Row((fault_server.url("/missing"), good), 1, output="one"),
        Row((broken, good), 2, output="two", checksum=parse_checksum(content.sha256)),
    ]
    summary, _ = batch(rows, tmp_path / "d")
    assert summary.done == 2
    assert sha256(tmp_path / "d" / "one") == sha256(tmp_path / "d" / "two") == content.sha256


def test_F14_F19_resets_and_cuts_of_many_files_are_retried(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 30)

    def script(request: Request, reply: Reply) -> None:
        if request.number % 3 == 0:
            reply.reset_after = 700
        elif request.number % 7 == 0:
            reply.close_after = 100

    fault_server.script = script
    summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.done, summary.failed) == (30, 0)
    assert_all(tmp_path / "d", files)


def test_F52_an_origin_that_cannot_be_reached_is_told_once_and_its_files_fail_fast(
    fault_server: FaultServer, tmp_path: Path, free_port: int
) -> None:
    files = serve(fault_server, 30)
    dead = [f"http://127.0.0.1:{free_port}/{number}" for number in range(200)]
    summary, events = batch([*dead, *files], tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.done, summary.failed) == (30, 200)
    warnings = [event.message for event in events if isinstance(event, Warned) and event.download == 0]
    assert len(warnings) == 2  # when it is waited for, and when it is given up
    assert_all(tmp_path / "d", files)


def test_F52_a_stalled_origin_lends_its_places(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 40)
    with FaultServer() as stalled:
        stuck = [stalled.serve(f"/s{number}", Content(1000)) for number in range(8)]

        def never(_request: Request, reply: Reply) -> None:
            reply.silent = True

        stalled.script = never
        healthy = threading.Semaphore(0)

        def watch(event: AnyEvent) -> None:
            if isinstance(event, Finished):
                healthy.release()

        # as many places as the stalled origin takes: the healthy one would wait for its timeout otherwise
        with penstock.Downloader(on_event=watch, max_files=4, stall_timeout=60.0) as downloader:
            future = downloader.submit_many([*stuck, *files], directory=tmp_path / "d")
            for _ in files:
                assert healthy.acquire(timeout=30)
            assert not future.done()
            downloader.close(cancel=True)
            assert future.result().pending == 8
    assert_all(tmp_path / "d", files)


def test_F22_retry_after_delays_its_origin_only(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 20)
    with FaultServer() as busy:
        others = serve(busy, 6)
        first = threading.Event()

        def too_much(request: Request, reply: Reply) -> None:
            if not first.is_set() or request.number <= 4:
                first.set()
                become(reply, 429, **{"Retry-After": "2"})

        busy.script = too_much
        summary, _ = batch([*others, *files], tmp_path / "d", limits={"max_files": 4})
        assert summary.done == 26
        first_refusal = min(request.at for request in busy.log if request.status == 429)
        for refused in (request.at for request in busy.log if request.status == 429):
            # what was on its way with the refused one may still come; nothing else does before its time
            early = [request.at for request in busy.log if refused + 0.5 < request.at < refused + 1.9]
            assert not early
        assert max(request.at for request in fault_server.log) < first_refusal + 1.5


def test_no_more_files_than_allowed_and_at_the_pace_allowed(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 12)
    live: list[int] = []

    def script(_request: Request, reply: Reply) -> None:
        live.append(fault_server.live)
        reply.delay = 0.02

    fault_server.script = script
    batch(files, tmp_path / "d", limits={"per_host": 3, "rate_per_host": 20.0})
    assert max(live) <= 3
    times = sorted(request.at for request in fault_server.log)
    assert times[-1] - times[0] >= 11 / 20 * 0.9


def test_F57_an_endless_slow_list_is_fetched_as_it_comes(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 3)
    arrived = threading.Semaphore(0)
    stopped = threading.Event()

    def rows() -> Iterator[str]:
        for url in files:
            yield url
            assert arrived.acquire(timeout=20)  # the next line comes when this one's file is there
        stopped.wait(20)

    def watch(event: AnyEvent) -> None:
        if isinstance(event, Finished):
            arrived.release()

    with penstock.Downloader(on_event=watch) as downloader:
        future = downloader.submit_many(rows(), directory=tmp_path / "d")
        until(lambda: len(list((tmp_path / "d").glob("*.bin"))) == 3)
        assert not future.done()
        downloader.close(cancel=True)
        assert future.result().done == 3
    stopped.set()


def test_a_list_that_breaks_ends_the_batch_with_its_error(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 2)

    def rows() -> Iterator[str]:
        yield from files
        raise RuntimeError("the cable")

    with penstock.Downloader() as downloader:
        future = downloader.submit_many(rows(), directory=tmp_path / "d", manifest=tmp_path / "m")
        with pytest.raises(RuntimeError, match="the cable"):
            future.result(30)


def test_F53_a_manifest_in_use_foreign_newer_or_damaged_is_refused_before_any_request(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    url = fault_server.serve("/a", Content(100))

    def refused(manifest: Path) -> penstock.DownloadError:
        with penstock.Downloader() as downloader:
            error = downloader.submit_many([url], directory=tmp_path / "d", manifest=manifest).exception(30)
        assert isinstance(error, penstock.DownloadError)
        return error

    (tmp_path / "text").write_text("not a database at all, just words " * 50)
    assert "not a manifest" in refused(tmp_path / "text").message
    foreign = sqlite3.connect(tmp_path / "foreign")
    foreign.execute("CREATE TABLE t(x)")
    foreign.commit()
    foreign.close()
    assert "not a manifest" in refused(tmp_path / "foreign").message
    batch([], tmp_path / "d", manifest=tmp_path / "newer")
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    assert "version 99" in refused(tmp_path / "newer").message
    hold = threading.Event()

    def slow() -> Iterator[str]:
        hold.wait(30)
        yield from ()

    with penstock.Downloader() as downloader:
        busy = downloader.submit_many(slow(), directory=tmp_path / "d", manifest=tmp_path / "busy")
        until((tmp_path / "busy.lock").exists)
        assert isinstance(refused(tmp_path / "busy"), penstock.TargetLocked)
        hold.set()
        busy.result(30)
    assert not fault_server.log
    assert not (tmp_path / "busy.lock").exists()


def test_F54_a_file_whose_row_was_not_written_is_found_without_fetching_it_again(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 4)
    batch(files, tmp_path / "d", manifest=tmp_path / "m")
    database = sqlite3.connect(tmp_path / "m")
    database.execute("UPDATE file SET state = 0, size = NULL, mtime = NULL, digest = NULL WHERE target = 'f2.bin'")
    database.commit()
    database.close()
    fault_server.log.clear()
    summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m")
    assert summary.skipped == 4
    assert not fault_server.log
    assert all(fact.digest for fact in Records(tmp_path / "m").rows())


@pytest.mark.parametrize("directory", [Path(), Path("sub")])
def test_a_file_that_got_another_name_is_recorded_under_it(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    files = serve(fault_server, 1)
    monkeypatch.chdir(tmp_path)
    directory.mkdir(exist_ok=True)
    (directory / "f0.bin").write_text("mine")
    batch(files, directory, manifest=tmp_path / "m", if_exists="rename")
    assert [fact.target for fact in Records(tmp_path / "m").rows()] == ["f0.1.bin"]
    assert batch(files, directory, manifest=tmp_path / "m", if_exists="rename")[0].skipped == 1


@pytest.mark.parametrize(
    ("policy", "done", "text"), [("error", 1, "mine"), ("skip", 2, "mine"), ("overwrite", 2, None)]
)
def test_a_target_of_somebody_else_s(
    fault_server: FaultServer, tmp_path: Path, policy: str, done: int, text: str | None
) -> None:
    files = serve(fault_server, 2)
    (tmp_path / "f0.bin").write_text("mine")
    summary, _ = batch(files, tmp_path, manifest=tmp_path / "m", if_exists=policy)
    assert (summary.done, summary.failed) == (done, 2 - done)
    if text is not None:
        assert (tmp_path / "f0.bin").read_text() == text
    else:
        assert_all(tmp_path, files)


def test_S18_a_private_address_is_not_connected_to_when_only_public_ones_may_be(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 1)
    summary, _ = batch(files, tmp_path / "d", public_only=True)
    assert summary.failed == 1
    assert fault_server.connections == 0


@pytest.mark.nginx
def test_many_files_share_few_http_2_connections(nginx: Nginx, tmp_path: Path) -> None:
    for number in range(60):
        (nginx.root / f"h{number}.bin").write_bytes(bytes([number]) * 3000)
    before = len(nginx.access_lines())
    urls = [nginx.url(f"h{number}.bin", tls=True) for number in range(60)]
    summary, _ = batch(urls, tmp_path / "d", http_version="2", ca_file=nginx.ca_file, limits={"per_host": 30})
    assert summary.done == 60
    for number in range(60):
        assert (tmp_path / "d" / f"h{number}.bin").read_bytes() == bytes([number]) * 3000
    connections = {line.split()[0] for line in nginx.access_lines()[before:] if " 206 3000 " in line}
    assert 1 <= len(connections) <= 4


def trouble(host: Callable[[Reply], None]) -> Callable[[Request, Reply], None]:
    return lambda _request, reply: host(reply)


HOPELESS: dict[str, tuple[Callable[[Reply], None], str]] = {
    "silent": (lambda reply: setattr(reply, "silent", True), "timeout"),
    "resetting": (lambda reply: setattr(reply, "refuse", True), "connection"),
    "asking for a day": (lambda reply: reply.become(503, {"Retry-After": "86400"}), "http-status 503"),
}


@pytest.mark.parametrize("kind", HOPELESS)
def test_F52_an_origin_that_never_serves_ends_its_files_soon_with_the_reason_and_is_told_once(
    kind: str, fault_server: FaultServer, tmp_path: Path
) -> None:
    script, reason = HOPELESS[kind]
    files = serve(fault_server, 10)
    with FaultServer() as hopeless:
        hopeless.script = trouble(script)
        bad = [hopeless.serve(f"/b{number}.bin", Content(10)) for number in range(100)]
        summary, events = batch(
            [*bad, *files], tmp_path / "d", manifest=tmp_path / "m", connect_timeout=0.5, stall_timeout=0.5
        )
        assert (summary.done, summary.failed) == (10, 100)
        assert len(hopeless.log) + hopeless.connections < 120
    assert {fact.reason for fact in Records(tmp_path / "m").rows("failed")} == {reason}
    told = [event.message for event in events if isinstance(event, Warned) and "not tried now" in event.message]
    assert len(told) == 1


def test_F22_a_day_asked_for_by_one_alternative_does_not_hold_back_its_origin_in_silence(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 5)
    first = next(iter(files))
    with FaultServer() as busy:
        busy.script = trouble(lambda reply: reply.become(503, {"Retry-After": "86400"}))
        rows = [
            Row((busy.serve("/f0.bin", Content(10)), first)),
            *(Row((busy.serve(f"/x{n}", Content(1)),)) for n in range(5)),
        ]
        summary, _ = batch(rows, tmp_path / "d", manifest=tmp_path / "m", limits={"max_files": 1})
    assert (summary.done, summary.failed) == (1, 5)
    assert all("come back in 24 hours" in (fact.message or "") for fact in Records(tmp_path / "m").rows("failed"))


def test_the_deadline_counts_while_a_small_file_has_not_answered(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.script = trouble(lambda reply: setattr(reply, "silent", True))
    began = time.monotonic()
    summary, _ = batch(serve(fault_server, 2), tmp_path / "d", manifest=tmp_path / "m", deadline=1.0)
    assert summary.failed == 2
    assert {fact.reason for fact in Records(tmp_path / "m").rows("failed")} == {"deadline"}
    assert time.monotonic() - began < 20  # the stall timeout is 30 s


def test_a_batch_that_cannot_be_made_leaves_the_downloader_as_it_was(tmp_path: Path) -> None:
    with penstock.Downloader() as downloader, pytest.raises(penstock.InvalidRequest):
        downloader.submit_many([], directory=tmp_path, template="{nonsense}")


def test_one_mirror_that_does_not_exist_does_not_condemn_the_origin_of_the_first(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 30)
    fault_server.script = trouble(lambda reply: setattr(reply, "delay", 0.1))
    rows = [Row((fault_server.url("/missing"), "http://no-such-host.invalid/x")), *files]
    summary, _ = batch(rows, tmp_path / "d", limits={"per_host": 2})
    assert (summary.done, summary.failed) == (30, 1)


def test_one_redirect_that_leads_nowhere_does_not_condemn_the_origin_that_gave_it(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 30)

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/bad.bin":
            reply.redirect("http://no-such-host.invalid/x")
        else:
            reply.delay = 0.1

    fault_server.script = script
    rows = [fault_server.serve("/bad.bin", Content(10)), *files]
    summary, _ = batch(rows, tmp_path / "d", limits={"per_host": 2})
    assert (summary.done, summary.failed) == (30, 1)


def test_F22_retry_after_of_a_redirect_s_target_is_obeyed_for_that_origin(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    """Two origins redirect to one that says 429 with Retry-After: 2 at first."""
    files = serve(fault_server, 8)
    times: list[float] = []

    def script(_request: Request, reply: Reply) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            reply.become(429, {"Retry-After": "2"})

    fault_server.script = script
    with FaultServer() as one, FaultServer() as two:
        for server in (one, two):
            server.script = lambda request, reply: reply.redirect(fault_server.url(request.path))
        rows = [(one, two)[number % 2].url(f"/f{number}.bin") for number in range(8)]
        summary, _ = batch(rows, tmp_path / "d", limits={"max_files": 1})
    assert summary.done == 8
    assert_all(tmp_path / "d", files)
    assert all(at - times[0] >= 2.0 for at in times[1:])


def test_rows_of_an_origin_that_was_given_up_are_had_from_their_alternatives(
    fault_server: FaultServer, tmp_path: Path, free_port: int
) -> None:
    files = serve(fault_server, 30)
    rows: list[object] = [f"http://127.0.0.1:{free_port}/only/{number}" for number in range(3)]
    rows += [Row((f"http://127.0.0.1:{free_port}/f{number}.bin", url)) for number, url in enumerate(files)]
    summary, _ = batch(rows, tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.done, summary.failed) == (30, 3)


def test_a_rate_limit_of_ours_does_not_make_files_lend_their_places(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 8, size=30_000)
    live: list[int] = []
    fault_server.script = lambda _request, _reply: live.append(fault_server.live)
    summary, _ = batch(
        files, tmp_path / "d", limits={"max_files": 2, "per_host": 64, "rate_limit": 60_000}, max_connections=1
    )
    assert summary.done == 8
    assert max(live) <= 3


def test_a_file_is_not_late_while_it_is_checked_and_put_away(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time that a file of many may take grows with its bytes; none are awaited any more while it is hashed."""
    from penstock.engine import runner
    from penstock.store.hashing import TrailingHash

    monkeypatch.setattr(runner, "TRICKLE_SECONDS", 0.5)
    advance = TrailingHash.advance

    def slow(self: TrailingHash, stop: int) -> int:
        time.sleep(0.5)  # a slow disk
        return advance(self, stop)

    monkeypatch.setattr(TrailingHash, "advance", slow)
    content = Content(6_000_000)
    summary, _ = batch([fault_server.serve("/a.bin", content)], tmp_path / "d", manifest=tmp_path / "m")
    assert (summary.done, summary.failed, summary.pending) == (1, 0, 0)


def test_F21_a_file_of_many_that_trickles_for_ever_fails_in_words(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from penstock.engine import runner

    monkeypatch.setattr(runner, "TRICKLE_SECONDS", 1.0)
    fault_server.script = trouble(lambda reply: setattr(reply, "rate", 100.0))
    url = fault_server.serve("/a.bin", Content(3_000_000))
    summary, _ = batch([url], tmp_path / "d", manifest=tmp_path / "m", max_connections=1)
    assert (summary.failed, summary.pending) == (1, 0)
    [fact] = Records(tmp_path / "m").rows("failed")
    assert fact.reason == "deadline"
    assert "not done in time" in (fact.message or "")


def test_status_knows_every_row_after_a_run_that_did_not_read_its_list_to_the_end(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = list(serve(fault_server, 6))
    batch(files, tmp_path / "d", manifest=tmp_path / "m")

    def broken_off() -> Iterator[str]:
        yield from files[:2]
        raise KeyboardInterrupt

    with penstock.Downloader() as downloader:
        downloader.submit_many(broken_off(), directory=tmp_path / "d", manifest=tmp_path / "m").exception(20)
    assert states(tmp_path / "m") == {"done": 6}
    batch(files[:2], tmp_path / "d", manifest=tmp_path / "m")
    assert states(tmp_path / "m") == {"done": 2}
