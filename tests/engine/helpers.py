"""What the fault tests share: one download with its events, and scripts in a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import penstock
from penstock.events import AnyEvent
from tests.conftest import sha256
from tests.servers.content import Content
from tests.servers.fault import Reply, Request

MB = 1_000_000
E = TypeVar("E", bound=AnyEvent)


@dataclass
class Story:
    """How a download went: its result or error, and every event."""

    result: penstock.Result | None = None
    error: penstock.DownloadError | None = None
    events: list[AnyEvent] = field(default_factory=list)

    def all(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def done(self) -> penstock.Result:
        """The result; the test fails with the error when there is none."""
        assert self.result is not None, f"it failed: {self.error!r}"
        return self.result

    def failed(self, kind: type[penstock.DownloadError]) -> penstock.DownloadError:
        """The error, which must be of this kind."""
        assert isinstance(self.error, kind), f"expected {kind.__name__}: {self.error or self.result!r}"
        return self.error


def fetch(url: str, directory: Path, **options: Any) -> Story:
    """Download with little patience over up to 4 connections, and keep everything that was said."""
    options = {"max_connections": 4, "stall_timeout": 1.0, **options}
    story = Story()
    try:
        story.result = penstock.download(url, directory=directory, on_event=story.events.append, **options)
    except penstock.DownloadError as error:
        story.error = error
    return story


def assert_whole(story: Story, content: Content) -> penstock.Result:
    """Byte for byte right, and nothing else left in its directory."""
    result = story.done()
    assert sha256(result.path) == content.sha256
    assert [path.name for path in result.path.parent.iterdir()] == [result.path.name]
    return result


def become(reply: Reply, status: int, **headers: str) -> None:
    """Answer with this status and these headers (underscores for hyphens), and no body."""
    reply.status = status
    reply.body = b""
    reply.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def at_rate(rate: float) -> Callable[[Request, Reply], None]:
    """A script that sends at `rate` bytes per second and is right otherwise."""

    def script(_request: Request, reply: Reply) -> None:
        reply.rate = rate

    return script


def soundly(_request: Request, _reply: Reply) -> None:
    """A script without faults."""
