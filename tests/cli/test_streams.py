"""Output whose reader may go away."""

from __future__ import annotations

import io
import os
import sys

import pytest

from penstock.cli.streams import SturdyStream


class Dead(io.StringIO):
    """A stream whose terminal was closed."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_broken_stream_falls_silent_and_raises_nothing() -> None:
    stream = SturdyStream(Dead())
    stream.line("a")
    stream.line("b")
    assert stream.broken


def test_a_closed_stream_falls_silent() -> None:
    closed = io.StringIO()
    closed.close()
    stream = SturdyStream(closed)
    stream.line("a")
    stream.flush()
    assert stream.broken
    assert not stream.isatty()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGPIPE semantics")
def test_F49_a_pipe_without_reader_leaves_nothing_for_the_interpreter_to_trip_over() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    file = os.fdopen(writer, "w")
    stream = SturdyStream(file)
    stream.line("a")
    assert stream.broken
    file.close()  # flushes what is buffered: raises unless the descriptor leads elsewhere now


def test_what_the_encoding_lacks_is_written_as_an_escape() -> None:
    buffer = io.BytesIO()
    stream = SturdyStream(io.TextIOWrapper(buffer, encoding="ascii", errors="strict"))
    stream.line("größe")
    assert buffer.getvalue().strip() == rb"gr\xf6\xdfe"
    assert not stream.broken
