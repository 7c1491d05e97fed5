"""A missing password is asked for on the terminal, and not shown."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import pytest

from penstock.cli.get import with_password
from tests.cli.command import environment


def test_a_password_that_is_there_is_not_asked_for() -> None:
    assert with_password("me:secret") == "me:secret"
    assert with_password("me:") == "me:"
    assert with_password(None) is None


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.timeout(30)
def test_a_missing_password_is_asked_for_and_not_echoed() -> None:
    keyboard, terminal = os.openpty()
    script = "from penstock.cli.get import with_password; print(with_password('me'), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment(),
        stdin=terminal,
        stderr=terminal,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        shown = b""
        while b"Password for me: " not in shown:
            shown += os.read(keyboard, 1024)
        os.write(keyboard, b"secret\n")
        out, _ = process.communicate(timeout=60)
    os.set_blocking(keyboard, False)
    with contextlib.suppress(BlockingIOError):
        shown += os.read(keyboard, 1024)
    os.close(terminal)
    os.close(keyboard)
    assert out == "me:secret\n"
    assert b"secret" not in shown
