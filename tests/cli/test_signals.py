"""Signals reach the main thread while it waits; a second one ends the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import Future

import pytest

from penstock.cli.signals import Interrupted, Signals
from tests.cli.command import environment

CODES = [(name, code) for name, code in (("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)) if hasattr(signal, name)]


@pytest.mark.parametrize(("name", "code"), CODES)
def test_F48_a_signal_ends_the_wait_with_its_exit_code(name: str, code: int) -> None:
    signals = Signals()
    with signals.caught():
        signal.raise_signal(getattr(signal, name))
        with pytest.raises(Interrupted) as caught:
            signals.wait(Future[int]())
    assert caught.value.code == code


def test_without_a_signal_the_wait_ends_with_the_future() -> None:
    good, bad = Future[int](), Future[int]()
    good.set_result(7)
    bad.set_exception(ValueError("x"))
    signals = Signals()
    with signals.caught():
        assert signals.wait(good) == 7
        with pytest.raises(ValueError, match="x"):
            signals.wait(bad)


def test_a_signal_between_two_downloads_stops_the_next() -> None:
    done = Future[int]()
    done.set_result(7)
    signals = Signals()
    with signals.caught():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Interrupted):
            signals.wait(done)


@pytest.mark.skipif(sys.platform == "win32", reason="no nohup")
def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals().caught():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(not hasattr(signal, "SIGTSTP"), reason="no Ctrl-Z")
def test_ctrl_z_stops_the_process_with_the_terminal_left_to_the_shell() -> None:
    script = """
import contextlib, signal
from penstock.cli.signals import Signals
@contextlib.contextmanager
def aside():
    print("aside", flush=True)
    yield
    print("back", flush=True)
with Signals(aside).caught():
    signal.raise_signal(signal.SIGTSTP)
    signal.raise_signal(signal.SIGTSTP)
assert signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL
"""
    # in a group of its own with a parent that waits, as a shell's job: an orphan would not be stopped at all
    words = [sys.executable, "-c", script]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True, process_group=0) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == "aside\n"
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            process.send_signal(signal.SIGCONT)
            assert process.stdout.readline() == "back\n"
    assert process.returncode == 0


def test_afterwards_the_handlers_are_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Signals().caught():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_signal_leaves_at_once() -> None:
    script = """
import signal
from concurrent.futures import Future
from penstock.cli.signals import Interrupted, Signals
signals = Signals()
with signals.caught():
    signal.raise_signal(signal.SIGINT)
    try:
        signals.wait(Future())
    except Interrupted:
        print("checkpoint", flush=True)
        signal.raise_signal(signal.SIGINT)
        print("not reached", flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "checkpoint\n", "")
