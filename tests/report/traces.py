"""Traces as a run would have written them, made by a few calls. Times in seconds, sizes in bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.report.facts import Story
from penstock.report.judged import Judged, judge
from penstock.report.story import tell

MB = 1_000_000
ORIGIN = "http://127.0.0.1:8080"


class Trace:
    """Collects records; all of them are events of one run."""

    def __init__(self, **settings: object) -> None:
        self.records: list[dict[str, Any]] = []
        self.event("M", 0, "process_name", args={"name": "penstock"})
        run = {"format": 1, "version": "0.1.0", "unix": 1_790_000_000, "max_connections": 16, **settings}
        self.event("i", 0, "run", "run", args=run, s="g")

    def event(self, ph: str, at: float, name: str, cat: str = "", *, tid: int = 0, **rest: object) -> None:
        """Any event."""
        self.records.append({"ph": ph, "ts": round(at * 1e6), "name": name, "cat": cat, "pid": 1, "tid": tid, **rest})

    def span(self, begin: float, end: float, name: str, cat: str, tid: int, /, **args: object) -> None:
        """A complete event."""
        self.event("X", begin, name, cat, tid=tid, dur=round((end - begin) * 1e6), args=args)

    def transfer(
        self, row: int, begin: float, end: float, size: int, *, origin: str = ORIGIN, wait: float = 0.0,
        connect: float = 0.0, filled: tuple[int, int] | None = None, ending: str = "whole", **args: object,
    ) -> None:  # fmt: skip
        """One request on the place `row`, from 0."""
        if filled is not None:
            args |= {"start": filled[0], "stop": filled[1], "segment": filled[0] // MB}
        args = {"download": 1, "status": 206, "bytes": size, "connection": row + 1, "end": ending, **args}
        waits = {"wait": wait, "connect": connect}
        args |= {name: round(seconds * 1e6) for name, seconds in waits.items() if seconds}
        self.span(begin, end, origin, "transfer", row + 10, **args)

    def begin(self, number: int, at: float, url: str = f"{ORIGIN}/big.iso") -> None:
        """A download begins."""
        self.event("b", at, "download", "download", id=str(number), args={"url": url})

    def note(self, number: int, at: float, name: str, **args: object) -> None:
        """``probed``, ``resumed`` or ``restarted``."""
        self.event("n", at, name, "download", id=str(number), args=args)

    def state(self, number: int, name: str, begin: float, end: float) -> None:
        """A state of it, whole."""
        self.event("b", begin, name, "download", id=str(number))
        self.event("e", end, name, "download", id=str(number))

    def finish(self, number: int, at: float, state: str = "done", **args: object) -> None:
        """It ends."""
        self.event("e", at, "download", "download", id=str(number), args={"state": state, **args})

    def sample(
        self, at: float, rates: Mapping[int, float], *, allowed: int | None = None, most: int = 16,
        network: float = 0.2, writing: float = 0.02, process: float | None = None, download: int = 1,
    ) -> None:  # fmt: skip
        """Counters of one moment; `rates` are bytes per second by place, from 0."""
        self.event("C", at, f"throughput {download}", args={str(row + 10): round(rate) for row, rate in rates.items()})
        flowing = sum(rate > 0 for rate in rates.values())
        earned = flowing if allowed is None else allowed
        self.event("C", at, f"connections {download}",
                   args={"flowing": flowing, "opening": 0, "allowed": earned, "most": most})  # fmt: skip
        used = network if process is None else process
        self.event("C", at, "machine", args={"network": network, "process": used, "writing": writing})

    def pause(self, begin: float, end: float, name: str = "rate limit") -> None:
        """Everything was held back."""
        tid, cat = {"rate limit": (1, "pause"), "disk": (2, "pause"), "write": (3, "disk")}[name]
        self.span(begin, end, name, cat, tid)

    def wait(self, begin: float, end: float, name: str, *, origin: str = ORIGIN, number: int = 1) -> None:
        """A download waited before it asked."""
        args = {"download": number, "origin": origin}
        self.event("b", begin, name, "pause", id=str(number), args=args)
        self.event("e", end, name, "pause", id=str(number))

    def decide(self, at: float, kind: str, row: int = 0, **args: object) -> None:
        """A steal, race, retry, warning or refusal."""
        self.event("i", at, kind, "decision", tid=row + 10, s="t", args={"download": 1, **args})

    def end(self, at: float, **args: object) -> None:
        """The run ends."""
        cost = {"wall": round(at * 1e6), "user": 400_000, "system": 200_000, "peak_memory": 40 << 20, "dropped": 0}
        self.event("i", at, "end", "run", s="g", args={**cost, **args})

    # What came of it

    def lines(self) -> list[str]:
        """The file, line by line."""
        events = [json.dumps(record) for record in self.records]
        return ["[", *(f"{event}," for event in events[:-1]), events[-1], "]"]

    def write(self, path: Path) -> Path:
        """The file."""
        path.write_text("\n".join(self.lines()) + "\n", encoding="utf-8")
        return path

    def story(self) -> Story:
        """The facts of it."""
        return tell(self.records)

    def judged(self) -> Judged:
        """The facts and what follows from them."""
        return judge(self.records)


def one_file(
    seconds: float,
    levels: Iterable[tuple[float, int, float]],
    *,
    noise: float = 0.05,
    allowed: int | None = None,
    most: int = 16,
    network: float = 0.2,
    writing: float = 0.02,
    process: float | None = None,
    pauses: Iterable[tuple[float, float, str]] = (),
    tail: float = 0.0,
    ranges: bool = True,
    **settings: object,
) -> Trace:
    """One file over `seconds`: `levels` are (from, connections, bytes per second of each).

    Samples are taken ten times a second, each rate a little off by `noise`. `tail` seconds after the last byte go
    into verifying.
    """
    chance = random.Random(7)
    steps = list(levels)
    trace = Trace(max_connections=most, **settings)
    trace.begin(1, 0.0)
    trace.event("b", 0.0, "probing", "download", id="1")
    trace.note(1, 0.1, "probed", url=f"{ORIGIN}/big.iso", length=1000 * MB, ranges=ranges)
    trace.event("e", 0.1, "probing", "download", id="1")
    trace.event("b", 0.1, "fetching", "download", id="1")
    flowing_end = seconds - tail
    sums: dict[int, float] = {}
    for tick in range(2, round(flowing_end * 10) + 1):
        at = tick / 10
        _, connections, each = max(step for step in steps if step[0] <= at - 0.05)
        rates = {row: each * chance.uniform(1 - noise, 1 + noise) for row in range(connections)}
        for row, rate in rates.items():
            sums[row] = sums.get(row, 0.0) + rate / 10
        trace.sample(at, rates, allowed=allowed, most=most, network=network, writing=writing, process=process)
    for begin, end, name in pauses:
        trace.pause(begin, end, name)
    start = 0
    for row, size in sums.items():
        begin = 0.0 if row == 0 else next(step[0] for step in steps if step[1] > row)
        whole = round(size)
        trace.transfer(row, begin, flowing_end, whole, wait=0.08, connect=0.02, filled=(start, start + whole), new=1)
        start += whole
    trace.event("e", flowing_end, "fetching", "download", id="1")
    if tail:
        trace.state(1, "verifying", flowing_end, seconds)
    trace.finish(1, seconds, name="big.iso", size=start, fetched=start, resumed=0, connections=len(sums))
    trace.end(seconds)
    return trace


def batch(
    count: int,
    *,
    at_once: int = 16,
    wait: float = 0.04,
    body: float = 0.01,
    size: int = 16_384,
    hosts: int = 1,
    failing: int = 0,
    network: float = 0.3,
    **settings: object,
) -> Trace:
    """`count` small files of `hosts` origins; each `failing`-th answers 404."""
    chance = random.Random(3)
    trace = Trace(max_files=at_once, **settings)
    free = [0.0] * at_once
    ends: list[float] = []
    for number in range(count):
        row = min(range(at_once), key=lambda row: free[row])
        begin, seconds = free[row], (wait + body) * chance.lognormvariate(0, 0.3)
        fails = bool(failing) and number % failing == failing - 1
        origin = f"http://h{number % hosts}.test:80"
        url = f"{origin}/f{number}"
        trace.transfer(
            row,
            begin,
            begin + seconds,
            0 if fails else size,
            origin=origin,
            wait=seconds * wait / (wait + body),
            ending="",
            download=0,
            url=url,
            status=404 if fails else 200,
        )
        if fails:  # handed over to a download of its own, which finds nothing better
            trace.begin(number + 1, begin + seconds, url)
            trace.finish(number + 1, begin + seconds, "failed", reason="http-status", message=f"{url}: HTTP 404")
        free[row] = begin + seconds
        ends.append(begin + seconds)
    ends.sort()
    done, tick = 0, 0.1
    while tick < ends[-1] + 0.1:
        while done < count and ends[done] <= tick:
            done += 1
        counts = {"done": done, "failed": 0, "active": at_once, "size": done * size, "total": count}
        trace.event("C", tick, "files", args=counts)
        trace.event("C", tick, "machine", args={"network": network, "process": network, "writing": 0.05})
        tick = max(tick + 0.1, tick * 301 / 300)
    trace.records.sort(key=lambda record: record["ts"] + record.get("dur", 0))  # as they end
    trace.end(ends[-1] + 0.02)
    return trace


def eventful() -> Trace:
    """One file with everything: uneven connections, a stall, steals, races, a retry, pauses, kept bytes."""
    length = 64 * MB
    trace = Trace(max_connections=8)
    trace.begin(1, 0.0, f"{ORIGIN}/ubuntu-24.04.iso")
    trace.state(1, "preparing", 0.0, 0.01)
    trace.event("b", 0.01, "probing", "download", id="1")
    trace.note(1, 0.06, "probed", url=f"{ORIGIN}/ubuntu-24.04.iso", length=length, ranges=True)
    trace.note(1, 0.06, "resumed", kept=4 * MB)
    trace.event("e", 0.06, "probing", "download", id="1")
    trace.event("b", 0.06, "fetching", "download", id="1")
    rates = {0: 4.0, 1: 4.0, 2: 4.0, 3: 0.2, 4: 4.0, 5: 3.6, 6: 0.0}
    start, chance = 4 * MB, random.Random(1)
    for tick in range(1, 41):
        at = tick / 10
        flow = {row: rate * MB * chance.uniform(0.9, 1.1) for row, rate in rates.items()
                if rate and at > (0.1 if row < 4 else 0.8) and not (row == 3 and at > 1.2)}  # fmt: skip
        if at > 3.6:
            flow.pop(1, None)
        trace.sample(at, flow, allowed=8 if at > 0.8 else 4, most=8)
    for row, (begin, end, size, ending) in enumerate([
        (0.01, 4.0, 15.4, "whole"), (0.07, 3.6, 13.8, "whole"), (0.07, 4.0, 15.2, "cut"), (0.07, 1.2, 0.22, "slow"),
        (0.7, 4.0, 11.6, "whole"), (0.7, 4.0, 10.5, "lost"), (0.7, 1.4, 0.0, "silent")]):  # fmt: skip
        stop = min(length, start + round(size * MB * 0.75))
        trace.transfer(row, begin, end, round(size * MB), wait=0.04, connect=0.012, tls=9000,
                       filled=(start, stop) if size else None, ending=ending, new=1)  # fmt: skip
        start = stop
    trace.transfer(3, 1.25, 4.0, round(10.4 * MB), wait=0.05, filled=(start, length), new=1, connection=8)
    trace.decide(1.2, "steal", 3, victim=4, thief=8, start=40 * MB, stop=46 * MB)
    trace.decide(3.6, "race", 1, segment=9, start=62 * MB, stop=63 * MB)
    trace.decide(1.4, "retry", 6, why="nothing came for 0.6 s", wait=200_000, attempt=1)
    trace.pause(2.0, 2.15, "disk")
    trace.event("e", 4.0, "fetching", "download", id="1")
    trace.state(1, "verifying", 4.0, 4.1)
    trace.finish(1, 4.2, name="ubuntu-24.04.iso", size=length, fetched=60 * MB, resumed=4 * MB, connections=8)
    trace.end(4.2)
    return trace
