"""Politeness goes to the origin that is really asked: where redirects and alternatives lead, even in circles."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.core.rows import Row
from penstock.engine import intake, probe
from penstock.events import AnyEvent, Finished
from tests.engine.test_batch import assert_all, batch, serve
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request


@pytest.fixture(name="other")
def another_origin() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server
    if server.errors:
        raise server.errors[0]


@pytest.fixture(name="crowd")
def six_origins() -> Iterator[list[FaultServer]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(FaultServer()) for _ in range(6)]


@contextlib.contextmanager
def silent_origins(count: int) -> Iterator[list[str]]:
    """Origins whose connections come about and that say nothing."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64)) for _ in range(count)]
        yield [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]


class Arrivals:
    """Hears of files that are there."""

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)

    def __call__(self, event: AnyEvent) -> None:
        """An event."""
        if isinstance(event, Finished):
            self._arrived.release()

    def wait_for(self, count: int) -> None:
        """Return once so many more are there."""
        for _ in range(count):
            assert self._arrived.acquire(timeout=30)


def fetch_past(stuck: list[str], files: dict[str, Content], directory: Path, **options: Any) -> None:
    """Fetch a list that begins with what never comes, until all files behind it are there; then stop."""
    arrivals = Arrivals()
    with penstock.Downloader(on_event=arrivals, **options) as downloader:
        future = downloader.submit_many([*stuck, *files], directory=directory)
        arrivals.wait_for(len(files))
        downloader.close(cancel=True)
        assert future.result().pending == len(stuck)
    assert_all(directory, files)


def leading_to(target: FaultServer) -> Callable[[Request, Reply], None]:
    """A script that redirects everything there."""
    return lambda request, reply: reply.redirect(target.url(request.path))


def counting(server: FaultServer, delay: float = 0.03) -> list[int]:
    """Connections to the server at each request; answers take so long that those who may come at once do."""
    live: list[int] = []

    def script(_request: Request, reply: Reply) -> None:
        live.append(server.live)
        reply.delay = delay

    server.script = script
    return live


def lead(crowd: list[FaultServer], target: FaultServer, count: int) -> list[str]:
    """URLs of `count` files, all of them redirected to the target by one of the crowd."""
    for server in crowd:
        server.script = leading_to(target)
    return [crowd[number % len(crowd)].url(f"/f{number}.bin") for number in range(count)]


def test_F52_the_origin_that_redirects_lead_to_has_no_more_connections_than_allowed(
    fault_server: FaultServer, crowd: list[FaultServer], tmp_path: Path
) -> None:
    files = serve(fault_server, 60)
    live = counting(fault_server)
    summary, _ = batch(lead(crowd, fault_server, 60), tmp_path / "d", limits={"per_host": 2})
    assert summary.done == 60
    assert_all(tmp_path / "d", files)
    assert max(live) <= 2
    assert sum(len(server.log) for server in crowd) == len(fault_server.log) == 60


def test_files_that_redirects_lead_to_one_origin_share_its_connections(
    fault_server: FaultServer, crowd: list[FaultServer], tmp_path: Path
) -> None:
    files = serve(fault_server, 60)
    summary, _ = batch(lead(crowd, fault_server, 60), tmp_path / "d", limits={"per_host": 3}, http_version="2")
    assert summary.done == 60
    assert_all(tmp_path / "d", files)
    assert fault_server.connections <= 6  # one is made anew where the server closes first


def test_F52_many_connections_of_a_redirected_file_count_where_they_are(
    fault_server: FaultServer, crowd: list[FaultServer], tmp_path: Path
) -> None:
    files = serve(fault_server, 6, size=3_000_000)
    live: list[int] = []

    def script(_request: Request, reply: Reply) -> None:
        live.append(fault_server.live)
        reply.rate = 4e6

    fault_server.script = script
    summary, _ = batch(lead(crowd, fault_server, 6), tmp_path / "d", limits={"per_host": 2}, max_connections=8)
    assert summary.done == 6
    assert_all(tmp_path / "d", files)
    assert max(live) <= 3  # the server may not have seen yet that one was closed


def test_F52_an_alternative_s_origin_has_no_more_connections_than_allowed(
    fault_server: FaultServer, crowd: list[FaultServer], tmp_path: Path
) -> None:
    files = serve(fault_server, 40)
    live = counting(fault_server)
    rows = [
        Row((crowd[number % len(crowd)].url("/missing"), url), output=f"f{number}.bin")
        for number, url in enumerate(files)
    ]
    summary, _ = batch(rows, tmp_path / "d", limits={"per_host": 2})
    assert summary.done == 40
    assert_all(tmp_path / "d", files)
    assert max(live) <= 2


def test_F22_retry_after_of_a_redirect_s_target_holds_back_all_that_are_led_there(
    fault_server: FaultServer, crowd: list[FaultServer], tmp_path: Path
) -> None:
    files = serve(fault_server, 16)

    def script(request: Request, reply: Reply) -> None:
        reply.delay = 0.2
        if request.number == 1:
            reply.become(429, {"Retry-After": "2"})

    fault_server.script = script
    summary, _ = batch(lead(crowd, fault_server, 16), tmp_path / "d", limits={"per_host": 2})
    assert summary.done == 16
    assert_all(tmp_path / "d", files)
    refused = fault_server.log[0].at
    early = [request for request in fault_server.log[1:] if request.at < refused + 1.9]
    assert len(early) <= 2, "what was on its way with the refused one, and what its end let in before the answer came"


def test_F26_origins_that_lead_to_each_other_do_not_wait_for_each_other_for_ever(
    fault_server: FaultServer, other: FaultServer, tmp_path: Path
) -> None:
    """One place at each, and every file needs both: from the one by way of the other, back and forth."""
    files = serve(fault_server, 20) | serve(other, 20)

    def there_and_back(here: FaultServer, there: FaultServer) -> Callable[[Request, Reply], None]:
        def script(request: Request, reply: Reply) -> None:
            path, _, hops = request.path.partition("?")
            if int(hops or 0):
                reply.redirect(there.url(f"{path}?{int(hops) - 1}"))

        return script

    fault_server.script = there_and_back(fault_server, other)
    other.script = there_and_back(other, fault_server)
    rows = [Row((f"{url}?3",), output=f"{number}/{url.rpartition('/')[2]}") for number, url in enumerate([*files])]
    # the same files are on both servers: wherever the way ends, it is that of the name
    summary, _ = batch(rows, tmp_path / "d", limits={"per_host": 1, "max_files": 8})
    assert (summary.done, summary.failed) == (40, 0)


def test_F52_a_silent_origin_that_redirects_lead_to_holds_up_no_file_that_does_not_need_it(
    fault_server: FaultServer, other: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 40)
    other.script = lambda _request, reply: setattr(reply, "silent", True)

    def script(request: Request, reply: Reply) -> None:
        if request.path.startswith("/away"):
            reply.redirect(other.url(request.path))

    fault_server.script = script
    away = [fault_server.url(f"/away{number}") for number in range(40)]
    arrivals = Arrivals()
    with penstock.Downloader(on_event=arrivals, per_host=4, stall_timeout=60.0) as downloader:
        future = downloader.submit_many([*away, *files], directory=tmp_path / "d")
        arrivals.wait_for(len(files))
        assert len(other.log) <= 4
        downloader.close(cancel=True)
        assert future.result().pending == 40
    assert_all(tmp_path / "d", files)


def test_the_rest_of_a_redirect_s_body_counts_as_a_connection_until_it_has_come(
    fault_server: FaultServer, other: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_DRAIN_SECONDS", 0.3)
    files = serve(fault_server, 6)
    live: list[int] = []

    def script(request: Request, reply: Reply) -> None:
        live.append(other.live)
        reply.become(302, {"Location": fault_server.url(request.path)}, b"moved" * 1000)
        reply.stall_after = 10

    other.script = script
    rows = [other.url(f"/f{number}.bin") for number in range(6)]
    summary, _ = batch(rows, tmp_path / "d", limits={"per_host": 1})
    assert summary.done == 6
    assert_all(tmp_path / "d", files)
    assert max(live) <= 2  # the server may not have seen yet that one was closed


def test_F28_a_link_that_runs_out_while_its_file_waits_for_a_place_is_asked_for_again(
    fault_server: FaultServer, other: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "LINK_SECONDS", 0.0)
    files = serve(fault_server, 12)
    valid = 0

    def source(request: Request, reply: Reply) -> None:
        reply.redirect(fault_server.url(f"{request.path}?{request.number}"))

    def target(request: Request, reply: Reply) -> None:
        nonlocal valid
        if request.number == 1:
            other.wait_for(lambda: len(other.log) == 12)  # all others have their links, and wait
            valid = 13
        elif int(request.path.partition("?")[2]) < valid:
            reply.become(403)

    other.script, fault_server.script = source, target
    rows = [other.url(f"/f{number}.bin") for number in range(12)]
    summary, _ = batch(rows, tmp_path / "d", limits={"per_host": 1})
    assert (summary.done, summary.failed) == (12, 0)
    assert_all(tmp_path / "d", files)
    assert len(other.log) == 23


def in_trouble(request: Request, reply: Reply) -> None:
    """A file that the server cannot give now; other files it can."""
    if request.path.startswith("/bad"):
        reply.become(500, {"Retry-After": "120"})


def test_F23_files_that_wait_before_a_retry_lend_their_places_to_others_of_their_origin(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 30)
    live: list[int] = []

    def script(request: Request, reply: Reply) -> None:
        live.append(fault_server.live)
        in_trouble(request, reply)

    fault_server.script = script
    bad = [fault_server.url(f"/bad{number}") for number in range(2)]
    fetch_past(bad, files, tmp_path / "d", per_host=2)
    assert max(live) <= 2


def test_F23_an_origin_in_trouble_is_not_asked_for_one_file_after_another(
    fault_server: FaultServer, other: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 40)
    other.script = in_trouble
    bad = [other.url(f"/bad{number}") for number in range(50)]
    with penstock.Downloader(per_host=2) as downloader:
        stuck = downloader.submit_many(bad, directory=tmp_path / "stuck")
        other.wait_for(lambda: len(other.log) == 4)
        downloader.submit_many(files, directory=tmp_path / "d").result(60)
        assert len(other.log) == 4, "as many as may be under way rest besides, and no more"
        downloader.close(cancel=True)
        assert stuck.result().pending == 50


def test_F14_a_file_that_waits_in_its_middle_lends_its_place_and_goes_on(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    """It breaks after half, is told to come back, and another has its place meanwhile."""
    files = serve(fault_server, 8)
    big = Content(3_000_000, seed=99)
    url = fault_server.serve("/big.bin", big)
    times = 0

    def script(request: Request, reply: Reply) -> None:
        nonlocal times
        if request.path != "/big.bin":
            return
        times += 1
        if times == 1:
            reply.close_after = 1_500_000
        elif times == 2:
            reply.become(500, {"Retry-After": "2"})

    fault_server.script = script
    summary, _ = batch([url, *files], tmp_path / "d", limits={"per_host": 1}, max_connections=1)
    assert summary.done == 9
    assert_all(tmp_path / "d", files | {url: big})
    asked = [request.path == "/big.bin" for request in fault_server.log]
    assert asked[:3] == [True, True, False]


def test_F52_many_silent_origins_do_not_hide_one_that_answers(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 30)
    with silent_origins(17) as silent:
        stuck = [f"{origin}/{number}" for origin in silent for number in range(8)]
        fetch_past(stuck, files, tmp_path / "d", stall_timeout=60.0, max_files=8, total_connections=48)


def test_F52_many_origins_that_say_429_do_not_hide_one_that_answers(
    fault_server: FaultServer, crowd: list[FaultServer], tmp_path: Path
) -> None:
    files = serve(fault_server, 30)
    for server in crowd:
        server.script = lambda _request, reply: reply.become(429, {"Retry-After": "120"})
    stuck = [server.url(f"/{number}") for server in crowd for number in range(8)]
    fetch_past(stuck, files, tmp_path / "d", max_files=8, total_connections=4)


def test_F52_the_rows_of_many_silent_origins_leave_memory_to_one_that_answers(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 30)
    with silent_origins(70) as silent:
        stuck = [f"{origin}/{number}" for origin in silent for number in range(65)]
        fetch_past(stuck, files, tmp_path / "d", stall_timeout=60.0)


def test_F52_rows_of_a_silent_origin_at_the_head_of_a_list_do_not_hide_those_behind_them(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "AHEAD_ROWS", 300)
    monkeypatch.setattr(intake, "BUFFER_ROWS", 100)
    files = serve(fault_server, 30)
    with silent_origins(1) as [silent]:
        stuck = [f"{silent}/{number}" for number in range(2000)]
        fetch_past(stuck, files, tmp_path / "d", stall_timeout=60.0)


def test_F57_an_endless_list_of_a_silent_origin_is_read_a_bounded_number_of_rows_ahead(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "AHEAD_ROWS", 30)
    monkeypatch.setattr(intake, "BUFFER_ROWS", 10)
    read = 0
    far = threading.Event()

    def rows() -> Iterator[str]:
        nonlocal read
        with silent_origins(1) as [silent]:
            for read in itertools.count():
                if read == 200:
                    far.set()
                yield f"{silent}/{read}"

    files = serve(fault_server, 30)
    with penstock.Downloader(stall_timeout=60.0) as downloader:
        future = downloader.submit_many(rows(), directory=tmp_path / "d")
        assert far.wait(30)
        downloader.submit_many(files, directory=tmp_path / "e").result(60)
        assert read < 400
        downloader.close(cancel=True)
        assert future.result().done == 0
