"""Bytes and seconds in words for people. Units are powers of 1024, as in the options."""

from __future__ import annotations

import math

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SHORT_UNITS = ("", "K", "M", "G", "T", "P")
_DAY = 86_400
#: What is said when nothing comes.
STALLED = "stalled"


def size(count: float) -> str:
    """``512 B``, ``12.3 MiB``."""
    number, unit = _scaled(count, 1023.95)
    return f"{count:.0f} B" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


def short_size(count: float) -> str:
    """At most 4 characters: ``512``, ``1.2K``, ``12M``, ``999M``, ``1.0G``."""
    number, unit = _scaled(count, 999.5)
    if unit == 0:
        return f"{count:.0f}"
    return f"{number:.1f}{_SHORT_UNITS[unit]}" if number < 9.95 else f"{number:.0f}{_SHORT_UNITS[unit]}"


def amounts(done: int, length: int | None) -> str:
    """``1.5/12.0 MiB`` in the unit of the whole; only what is there while the whole is unknown."""
    if length is None:
        return size(done)
    _, unit = _scaled(length, 1023.95)
    if unit == 0:
        return f"{done}/{length} B"
    return f"{done / 1024**unit:.1f}/{length / 1024**unit:.1f} {_UNITS[unit]}"


def short_amounts(done: int, length: int | None) -> str:
    """At most 9 characters: ``1.5M/12M``."""
    return short_size(done) if length is None else f"{short_size(done)}/{short_size(length)}"


def speed(rate: float) -> str:
    """``4.5 MiB/s`` from bytes per second."""
    return f"{size(rate)}/s"


def clock(seconds: float) -> str:
    """At most 7 characters: ``0:07``, ``12:34``, ``3:04:05``, ``2d 03h``, ``>99d``."""
    if seconds > 100 * _DAY - 1:
        return ">99d"
    whole = math.ceil(seconds)
    if whole >= _DAY:
        return f"{whole // _DAY}d {whole % _DAY // 3600:02}h"
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def duration(seconds: float) -> str:
    """``0.02 s``, ``0.3 s``, ``12 s``, then as `clock` says it: how long something took."""
    if seconds < 0.095:
        return f"{seconds:.2f} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 59.5 else clock(seconds)


def short_duration(seconds: float) -> str:
    """``0.4 ms``, ``52 ms``, ``0.34 s``, then as `duration` says it: for waits that are mostly short."""
    if seconds < 0.00095:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 0.0995:
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 0.995 else duration(seconds)


def count(number: int, noun: str) -> str:
    """``1 connection``, ``2 connections``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(done: int, length: int) -> int:
    """Whole percents, rounded down, so that 100 means all of it."""
    return 100 if length == 0 else min(100, done * 100 // length)


def share(part: float, whole: float) -> str:
    """``12 %``, ``0.3 %``, ``<0.1 %``, ``0 %``."""
    percents = 100 * part / whole if whole > 0 else 0.0
    if percents <= 0:
        return "0 %"
    if percents < 0.05:
        return "<0.1 %"
    return f"{percents:.0f} %" if percents >= 9.95 else f"{percents:.1f} %"


def _scaled(count: float, limit: float) -> tuple[float, int]:
    """`count` in the greatest unit that keeps it under `limit`, and that unit's number."""
    unit = 0
    while count >= limit and unit < len(_UNITS) - 1:
        count /= 1024
        unit += 1
    return count, unit
