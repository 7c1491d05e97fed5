"""Downloads made of a batch's rows: where each file belongs, and what of the user's options goes along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from penstock.core.secrets import has_secrets, without_secrets
from penstock.engine.runner import End, Run
from penstock.engine.swift import Errand
from penstock.model import IfExists, Options, Origin, Request, Source
from penstock.store.entries import Job

#: Folders whose paths are remembered.
_KNOWN_FOLDERS: Final = 1024


class RowRun(Run):
    """The download of a row."""

    job: Job
    #: The number of its origin in the manifest.
    track: int
    #: When it was taken from the manifest, Unix seconds.
    began: float


class RowRuns:
    """Makes them. `on_end` is called with each, once, when it ended; `with_digest`: the SHA-256 is wanted of all."""

    def __init__(
        self,
        directory: Path,
        options: Options,
        *,
        with_digest: bool,
        on_end: Callable[[Any, End, BaseException | None], None],
    ) -> None:
        #: What the user gave for all rows goes to the origin of the list's first row: whoever wrote the list might add
        #: a row that leads to a server of theirs (S05).
        self.home: Origin | None = None
        self._directory = directory
        self._options = options
        self._elsewhere = without_secrets(options)
        self._has_secrets = has_secrets(options)
        self._may_bet = options.if_exists in {IfExists.ERROR, IfExists.SKIP}
        self._with_digest = with_digest
        self._on_end = on_end
        self._folders: dict[str, str] = {}

    def withholds(self, source: Origin) -> bool:
        """True, once, when a first row leads where what the user gave does not go: that is to be said."""
        withheld = self._has_secrets and source != self.home
        if withheld:
            self._has_secrets = False
        return withheld

    def make(self, job: Job, number: int, source: Origin, now: float) -> RowRun:
        """The download of a row that was taken from the manifest at `now`; its origin is `source`, with a number."""
        options = self._options if source == self.home else self._elsewhere
        if job.headers:
            options = replace(options, headers=(*options.headers, *job.headers))
        url, errand = job.urls[0], None
        if job.is_vacant and self._may_bet and len(job.urls) == 1 and "@" not in url:
            folder, _, name = job.target.rpartition("/")
            errand = Errand(url, self._folder(folder), name, job.size, job.expected, self._with_digest)
        run = RowRun(
            source,
            url,
            options,
            self._request,
            self._on_end,
            is_one_of_many=True,
            vacant=job.is_vacant,
            errand=errand,
        )
        run.job = job
        run.track = number
        run.began = now
        return run

    def _folder(self, folder: str) -> str:
        path = self._folders.get(folder)
        if path is None:
            if len(self._folders) >= _KNOWN_FOLDERS:
                self._folders.clear()
            path = self._folders[folder] = str(self._directory / folder)
        return path

    def _request(self, run: RowRun) -> Request:
        job = run.job
        folder, _, name = job.target.rpartition("/")
        return Request(
            sources=tuple(map(Source, job.urls)),
            directory=Path(self._folder(folder)),
            output=Path(name),
            checksum=job.expected,
            size=job.size,
            sha256=self._with_digest,
            options=run.options,
        )
