"""The command's way in: ``penstock`` and ``python -m penstock``."""

from __future__ import annotations

import contextlib
import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    _occupy_standard_descriptors()
    from penstock.cli.main import run

    code = run()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    # everything is closed and on disk by now; taking the interpreter apart would cost another 30 ms
    os._exit(code)


def _occupy_standard_descriptors() -> None:
    """With descriptors 0 to 2 closed, a socket would get such a number, and a stray message would go to the server."""
    with contextlib.suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            os.set_inheritable(descriptor, True)
        os.close(descriptor)


if __name__ == "__main__":
    main()
