"""Show downloads with any tqdm class: notebooks, terminals, logs. tqdm is imported only when this is used."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from penstock.core.urls import escape
from penstock.events import (
    AnyEvent,
    Cancelled,
    Failed,
    Finished,
    Probed,
    Progressed,
    Restarted,
    Resumed,
    Started,
)


def tqdm_progress(bar_class: Callable[..., Any] | None = None, **tqdm_kwargs: Any) -> Callable[[AnyEvent], None]:
    """A listener for `on_event` that keeps one tqdm bar for each download.

    `bar_class` is any class with tqdm's interface; without it, `tqdm.auto.tqdm`, which suits notebooks and
    terminals alike. `tqdm_kwargs` are its arguments, before our own (``unit="B"``, ``unit_scale=True``,
    ``unit_divisor=1024``). Raises ImportError when tqdm is needed and not installed.

        penstock.download(url, on_event=penstock.tqdm_progress(desc="data"))
    """
    if bar_class is None:
        from tqdm.auto import tqdm

        return _Bars(tqdm, tqdm_kwargs)
    return _Bars(bar_class, tqdm_kwargs)


class _Bars:
    """The bars of the downloads under way. Called on one thread."""

    def __init__(self, bar_class: Callable[..., Any], arguments: dict[str, Any]) -> None:
        self._bar_class = bar_class
        self._arguments = {"unit": "B", "unit_scale": True, "unit_divisor": 1024, **arguments}
        self._bars: dict[int, Any] = {}

    def __call__(self, event: AnyEvent) -> None:
        if isinstance(event, Started):
            self._bars[event.download] = self._bar_class(**self._arguments)
            return
        bar = self._bars.get(event.download)
        if bar is None:
            return
        match event:
            case Probed(path=path, length=length):
                bar.reset(total=length)
                if "desc" not in self._arguments:
                    bar.set_description(escape(os.path.basename(path)), refresh=False)
            case Resumed(kept=kept):
                # tqdm leaves `initial` out of its speed
                bar.initial = kept
                _move(bar, kept)
            case Restarted():
                bar.initial = 0
                bar.reset()
            case Progressed(done=done, length=length):
                if length is not None and bar.total != length:
                    bar.total = length
                _move(bar, done)
            case Finished(result=result):
                _move(bar, result.size)
                self._close(event.download)
            case Failed() | Cancelled():
                self._close(event.download)

    def _close(self, download: int) -> None:
        self._bars.pop(download).close()


def _move(bar: Any, done: int) -> None:
    bar.update(done - bar.n)
