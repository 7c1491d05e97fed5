"""Threads where memory is short: they start, or the caller hears at once that they do not."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from penstock.thread_start import start_thread

#: Starts a thread at address-space limits that leave a little less and a little more than it needs, each in a process
#: of its own; prints how many started and how many were refused.
_SWEEP = """
import os, resource, signal, threading
from penstock.thread_start import start_thread
ends = []
for spare in range(0, 12 << 20, 16 << 10):
    child = os.fork()
    if not child:
        signal.alarm(20)
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + spare, size + spare))
        try:
            start_thread(threading.Thread(target=int, daemon=True))
        except RuntimeError:
            os._exit(1)
        os._exit(0)
    ends.append(os.waitstatus_to_exitcode(os.wait()[1]))
assert set(ends) <= {0, 1}, ends
print(ends.count(0), ends.count(1))
"""


def test_without_a_limit_a_thread_is_started() -> None:
    ran = threading.Event()
    thread = threading.Thread(target=ran.set)
    start_thread(thread)
    thread.join()
    assert ran.is_set()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_at_no_limit_of_memory_does_it_wait_for_a_thread_that_never_runs() -> None:
    done = subprocess.run([sys.executable, "-c", _SWEEP], capture_output=True, text=True, timeout=60, check=True)
    started, refused = map(int, done.stdout.split())
    assert started
    assert refused
