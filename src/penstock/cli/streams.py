"""Write to a stream that may be gone: a closed pipe or terminal ends the output, not the download."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


class SturdyStream:
    """A text stream whose failures silence it. Enough of a file for rich to draw on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        #: True once a write failed; everything after is dropped.
        self.broken = False

    @property
    def encoding(self) -> str:
        """The stream's encoding; ASCII when it does not say."""
        return getattr(self._stream, "encoding", None) or "ascii"

    def isatty(self) -> bool:
        """True on a terminal."""
        try:
            return self._stream.isatty()
        except (OSError, ValueError):
            return False

    def fileno(self) -> int:
        """The descriptor; raises OSError (io.UnsupportedOperation) when there is none."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write, or drop what can no longer be written."""
        if self.broken:
            return len(text)
        try:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                self._stream.write(text.encode("ascii", "backslashreplace").decode("ascii"))
        except (OSError, ValueError):
            self._silence()
        return len(text)

    def flush(self) -> None:
        """Flush, or note that nobody reads any more."""
        if self.broken:
            return
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._silence()

    def line(self, text: str) -> None:
        """Write one line at once."""
        self.write(text + "\n")
        self.flush()

    def _silence(self) -> None:
        """What is still in the buffer goes to the null device, or the interpreter would complain at its exit."""
        self.broken = True
        try:
            descriptor = self._stream.fileno()
        except (OSError, ValueError):
            return
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)


def standard_output() -> TextIO:
    """The process's stdout, or a sink when it was started without one."""
    return sys.stdout or io.StringIO()


def standard_error() -> TextIO:
    """The process's stderr, or a sink when it was started without one."""
    return sys.stderr or io.StringIO()
