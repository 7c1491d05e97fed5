"""Show downloads with any tqdm class: notebooks, terminals, logs. tqdm is imported only when this is used."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from penstock.core.urls import escape
from penstock.events import (
    AnyEvent,
    BatchProgressed,
    Cancelled,
    Failed,
    Finished,
    Probed,
    Progressed,
    Restarted,
    Resumed,
)

_MIB = 1024 * 1024


def tqdm_progress(bar_class: Callable[..., Any] | None = None, **tqdm_kwargs: Any) -> Callable[[AnyEvent], None]:
    """A listener for `on_event` that keeps one tqdm bar for each download, or one of files for a list.

    `bar_class` is any class with tqdm's interface; without it, `tqdm.auto.tqdm`, which suits notebooks and
    terminals alike. `tqdm_kwargs` are its arguments, before our own (``unit="B"``, ``unit_scale=True``,
    ``unit_divisor=1024``; for a list ``unit="file"``). While a list (`submit_many`) is fetched, its files have no bars
    of their own, nor has anything else that begins. Raises ImportError when tqdm is needed and not installed.

        penstock.download(url, on_event=penstock.tqdm_progress(desc="data"))
    """
    if bar_class is None:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError("tqdm is not installed: pip install tqdm, or give a bar class of your own") from error

        return _Bars(tqdm, tqdm_kwargs)
    return _Bars(bar_class, tqdm_kwargs)


class _Bars:
    """The bars of the downloads under way. Called on one thread."""

    def __init__(self, bar_class: Callable[..., Any], arguments: dict[str, Any]) -> None:
        self._bar_class = bar_class
        self._arguments = arguments
        self._bars: dict[int, Any] = {}
        self._has_list = False
        self._list: Any = None
        #: What the last list came to: it may be told more than once.
        self._list_end: tuple[int, ...] = ()

    def __call__(self, event: AnyEvent) -> None:
        if isinstance(event, BatchProgressed):
            self._show_list(event)
        elif isinstance(event, Probed):
            self._begin(event)
        elif (bar := self._bars.get(event.download)) is not None:
            self._move_on(bar, event)

    def _begin(self, event: Probed) -> None:
        """With name and length at hand: what a bar shows first is what a saved notebook shows to who has no widgets."""
        if (bar := self._bars.get(event.download)) is not None:
            bar.reset(total=event.length)
        elif not self._has_list:
            name = escape(os.path.basename(event.path))
            scale = {"unit": "B", "unit_scale": True, "unit_divisor": 1024}
            self._bars[event.download] = self._open(desc=name, total=event.length, **scale)

    def _move_on(self, bar: Any, event: AnyEvent) -> None:
        match event:
            case Resumed(kept=kept):
                # tqdm leaves `initial` out of its mean speed, and what is set instead of added out of that of late
                bar.initial = bar.n = bar.last_print_n = kept
                bar.refresh()
            case Restarted():
                bar.initial = 0
                bar.reset()
            case Progressed(done=done, length=length):
                if length is not None:
                    _set_total(bar, length)
                _move(bar, done)
            case Finished(result=result):
                _move(bar, result.size)
                self._bars.pop(event.download).close()
            case Failed() | Cancelled():
                self._bars.pop(event.download).close()

    def _show_list(self, event: BatchProgressed) -> None:
        ended = event.done + event.failed
        counts = (event.total, event.done, event.failed)
        is_over = event.ended or (event.listed and ended == event.total)
        if not self._has_list and is_over and counts == self._list_end:
            return
        self._has_list = True
        if self._list is None and (event.total or is_over):
            self._list = self._open(total=event.total, unit="file")
        if (bar := self._list) is None:
            return
        _set_total(bar, event.total)
        failed = f", {event.failed:,} failed" if event.failed else ""
        bar.set_postfix_str(f"{event.size / _MIB:,.1f} MiB{failed}", refresh=False)
        _move(bar, ended)
        if is_over:
            bar.close()
            self._has_list, self._list, self._list_end = False, None, counts

    def _open(self, **ours: Any) -> Any:
        return self._bar_class(**{**ours, **self._arguments})


def _set_total(bar: Any, total: int) -> None:
    if bar.total == total:
        return
    bar.total = total
    if (box := getattr(bar, "container", None)) is not None:
        # a notebook: tqdm tells its widget of a total when the bar is made and when it is reset, which would forget the
        # time so far
        widget = box.children[1]
        widget.max, widget.bar_style, widget.layout.width = total, "", None


def _move(bar: Any, done: int) -> None:
    bar.update(done - bar.n)
