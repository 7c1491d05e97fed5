"""One JSON object a line."""

from __future__ import annotations

import dataclasses
import io
import json
import time
import typing
from pathlib import Path
from typing import Any

import pytest

from penstock import events
from penstock.cli import jsonlines
from penstock.cli.get import get
from penstock.cli.jsonlines import JsonLines
from penstock.cli.streams import SturdyStream
from penstock.errors import DownloadError, Reason, ServerRefused, StorageError
from penstock.events import AnyEvent, Failed, Finished, Verified
from penstock.model import Digest, Summary, Validator
from tests.cli.stories import URL, probed, progressed, result, started


def written(*told: AnyEvent) -> list[dict[str, Any]]:
    stream = io.StringIO()
    lines = JsonLines(SturdyStream(stream))
    for event in told:
        lines.show(event)
    text = stream.getvalue()
    assert text.isascii()
    return [json.loads(line) for line in text.splitlines()]


def test_an_event_is_its_name_its_time_its_download_and_its_fields() -> None:
    [line] = written(progressed(5, 10, download=3))
    del line["time"]
    assert line == {
        "event": "progressed", "download": 3, "done": 5, "length": 10, "speed": 10 * 1024 * 1024, "connections": 4,
    }  # fmt: skip


def test_time_is_seconds_of_the_unix_clock() -> None:
    [line] = written(started(at=time.monotonic()))
    assert abs(line["time"] - time.time()) < 5


def test_a_validator_is_an_object_and_a_digest_a_string() -> None:
    first, second = written(probed(), Verified(download=1, at=0, digest=Digest("md5", b"\1"), source="request"))
    assert first["validator"] == {"kind": "etag", "value": '"1"'}
    assert second["digest"] == "md5:01"


def test_a_result_lies_flat_in_finished() -> None:
    end = dataclasses.replace(result(), digest=Digest("sha256", b"\1"), validator=Validator("etag", '"1"'))
    [line] = written(Finished(download=1, at=0, result=end))
    assert line["path"] == str(Path("somewhere/big.iso"))
    assert (line["size"], line["url"], line["digest"]) == (end.size, URL, "sha256:01")
    assert {field.name for field in dataclasses.fields(end)} < set(line)


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (
            ServerRefused("no", url=URL, status=503, retry_after=7.0, resumable=True),
            {
                "reason": "http-status",
                "message": "no",
                "url": URL,
                "resumable": True,
                "exit_code": 1,
                "status": 503,
                "retry_after": 7.0,
            },
        ),
        (StorageError("full"), {"reason": "storage", "message": "full", "url": "", "resumable": False, "exit_code": 3}),
        (
            DownloadError("late", reason=Reason.DEADLINE),
            {"reason": "deadline", "message": "late", "url": "", "resumable": False, "exit_code": 1},
        ),
    ],
)
def test_an_error_lies_flat_in_failed_with_its_exit_code(error: DownloadError, fields: dict[str, Any]) -> None:
    [line] = written(Failed(download=1, at=0, error=error))
    del line["time"]
    assert line == {"event": "failed", "download": 1, **fields}


def test_a_name_that_is_not_unicode_is_still_json() -> None:
    [line] = written(probed("a\udcff\x1b"))
    assert line["path"].endswith("a\udcff\x1b")


@pytest.mark.parametrize("kind", typing.get_args(events.AnyEvent))
def test_every_event_is_documented_where_users_and_readers_look(kind: type) -> None:
    name = kind.__name__.lower()
    fields = {field.name for field in dataclasses.fields(kind)} - {"download", "at", "result", "error"}
    documented = jsonlines.__doc__ or ""
    paragraph = documented.partition(f"\n    {name}")[2].partition("\n\n")[0]
    assert paragraph
    assert all(field in paragraph for field in fields)
    assert f"{name} " in (get.epilog or "")


def test_progress_of_a_list_that_tells_nothing_new_is_left_out() -> None:
    first = events.BatchProgressed(
        download=0, at=1.0, total=9, listed=True, done=1, skipped=0, failed=0, active=1, size=5, speed=0.0, pace=0.0
    )
    later, last = dataclasses.replace(first, at=2.0), dataclasses.replace(first, at=3.0, done=2)
    assert [line["done"] for line in written(first, later, later, last)] == [1, 2]


def test_the_summary_of_a_list_lies_flat_and_has_its_exit_code() -> None:
    stream = io.StringIO()
    JsonLines(SturdyStream(stream)).end(Summary(total=3, done=2, failed=1, failures=(("http://e.org", "x", 1),)), 1)
    line = json.loads(stream.getvalue())
    assert abs(line.pop("time") - time.time()) < 5
    assert line == {
        "event": "summary", "download": 0, "total": 3, "done": 2, "skipped": 0, "failed": 1, "pending": 0,
        "rejected": 0, "size": 0, "elapsed": 0.0, "failures": [["http://e.org", "x", 1]], "exit_code": 1,
    }  # fmt: skip
    documented = (jsonlines.__doc__ or "").partition("\n    summary")[2].partition("\n\n")[0]
    assert all(name in documented and name in (get.epilog or "") for name in line if name not in {"event", "download"})
