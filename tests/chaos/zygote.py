"""Many runs of the command, each in a fresh process that is killed where it is told, at the price of a fork each.

A process that has Penstock imported and no thread waits for orders, one JSON line each, and forks; the child arranges
for its own death, if it is to die at a certain call, and then is the command: ``penstock ARGS``. Deaths are SIGKILLs.

`Tuning` makes the child's steps small, so that a download of a few hundred kilobytes has as many of them as one of
gigabytes: these are constants of the engine, set in the child, not hooks in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from tests.chaos.calls import Call, Watch, intercept
from tests.cli.command import ROOT, environment

#: No run takes this long, seconds.
_LAST_RUN_SECONDS = 60.0


class Death(NamedTuple):
    """SIGKILL at the `number`-th call (from 1) of a `kind` of `calls.KINDS`, or of one call by its name: before it,
    after it, or, for a write, when half of its bytes are there."""

    kind: str
    number: int
    when: str = "before"


@dataclass(frozen=True)
class Tuning:
    """Constants of the engine, by module and name; see `SMALL` and `REAL`."""

    values: dict[str, Any] = field(default_factory=dict)


#: Steps so small that 300 kB make ten checkpoints and more, and that files over 16 KiB go by part and journal.
SMALL = Tuning(
    {
        "penstock.engine.fetch.TICK_SECONDS": 0.004,
        "penstock.engine.checkpoints._BEGIN_BYTES": 16 * 1024,
        "penstock.engine.purse.SMALL_BYTES": 16 * 1024,
        "penstock.engine.batch.RECORD_SECONDS": 0.02,
    }
)
REAL = Tuning()


@dataclass(frozen=True)
class Ended:
    """How a run ended: `code` is negative for a signal. `calls` counts its calls by kind, when it came to its end."""

    code: int
    calls: dict[str, int]
    said: str

    @property
    def was_killed(self) -> bool:
        """It died as it was told."""
        return self.code == -signal.SIGKILL


class Zygote:
    """Runs of the command; a context manager."""

    def __init__(self, folder: Path) -> None:
        """What runs say is kept in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._said = folder / "said"
        self._counted = folder / "counted"
        path = os.pathsep.join([str(ROOT), environment()["PYTHONPATH"]])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(PYTHONPATH=path),
            cwd=ROOT,
        )

    def run(
        self,
        args: list[str],
        cwd: Path,
        *,
        death: Death | None = None,
        seconds: float | None = None,
        trace: Path | None = None,
        tuning: Tuning = SMALL,
        spoil: str | None = None,
    ) -> Ended:
        """``penstock ARGS`` in `cwd` to its end: killed at `death`, or after `seconds`, or by itself. With `trace` its
        calls are recorded there, after those of earlier runs; `spoil` names a function of `tests.chaos.spoilt` that
        breaks the code first."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "args": ["--no-config", "-q", *args],
            "cwd": str(cwd),
            "death": death,
            "seconds": seconds,
            "trace": None if trace is None else str(trace),
            "tuning": asdict(tuning)["values"],
            "spoil": spoil,
            "said": str(self._said),
            "counted": str(self._counted),
        }
        self._counted.unlink(missing_ok=True)
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        calls: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError):  # it was killed before it told them, or while it did
            calls = json.loads(self._counted.read_text())
        return Ended(code, calls, self._said.read_text(errors="replace"))

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


# In the zygote


def _serve() -> None:
    import penstock.api
    import penstock.cli.get
    import penstock.cli.many
    import penstock.cli.run
    import penstock.engine.batch
    import penstock.engine.engine  # noqa: F401

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _be_the_command(order)
        status = _wait(child, order["seconds"])
        print(os.waitstatus_to_exitcode(status), flush=True)


def _wait(child: int, seconds: float | None) -> int:
    if signal.sigtimedwait({signal.SIGCHLD}, _LAST_RUN_SECONDS if seconds is None else seconds) is None:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        signal.sigtimedwait({signal.SIGCHLD}, 0)  # the news of what we know by now
        return status if seconds is not None else signal.SIGALRM
    return os.waitpid(child, 0)[1]


def _be_the_command(order: dict[str, Any]) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.chdir(order["cwd"])
    sys.argv = ["penstock", *order["args"]]
    for name, value in order["tuning"].items():
        module, _, constant = name.rpartition(".")
        assert hasattr(sys.modules[module], constant), name
        setattr(sys.modules[module], constant, value)
    if order["spoil"]:
        import tests.chaos.spoilt as spoilt

        getattr(spoilt, order["spoil"])()
    death = None if order["death"] is None else Death(*order["death"])
    recorder = None
    if order["trace"]:
        from tests.chaos.trace import Recorder

        recorder = Recorder(Path(order["trace"]), Path(order["cwd"]))
    _intercept_counting(death, order["counted"], (lambda _call, go: go()) if recorder is None else recorder.watch)
    from penstock.__main__ import main

    try:
        main()
    finally:
        os._exit(70)  # main does not return


def _intercept_counting(death: Death | None, counted: str, watch_on: Watch) -> None:
    """Count calls, die at one of them, and tell the counts at the end; each is made by way of `watch_on`."""
    counts: Counter[str] = Counter()
    guard = Lock()
    leave = os._exit

    def watch(call: Call, go: Callable[[], Any]) -> Any:
        with guard:
            counts.update((call.kind, call.name) if call.kind != call.name else (call.kind,))
            at = death.kind if death is not None and death.kind in (call.kind, call.name) else None
            is_it = death is not None and at is not None and counts[at] == death.number
        if not is_it:
            return watch_on(call, go)
        assert death is not None
        if death.when == "after":
            watch_on(call, go)
        elif death.when == "half" and call.kind == "write":
            _write_half(call)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("dead")

    def leaving(code: int) -> None:
        with contextlib.suppress(OSError), open(counted, "w") as file:
            json.dump(counts, file)
        leave(code)

    write = os.pwrite, os.write  # as they are before they are watched

    def _write_half(call: Call) -> None:
        descriptor, blocks = call.args[:2]
        whole = b"".join(blocks) if call.name == "pwritev" else bytes(blocks)
        half = whole[: len(whole) // 2]
        if call.name == "write":
            write[1](descriptor, half)
        else:
            write[0](descriptor, half, call.args[2])

    intercept(watch)
    os._exit = leaving  # type: ignore[assignment]


if __name__ == "__main__":
    _serve()
