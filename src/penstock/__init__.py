"""Penstock: a concurrent download engine. One file over many connections, and nothing lost.

import penstock
result = penstock.download("https://example.org/big.iso")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from penstock._version import __version__

if TYPE_CHECKING:
    from penstock.api import Downloader, download
    from penstock.core.rows import BadRow, Row
    from penstock.errors import (
        CannotResume,
        DigestMismatch,
        DownloaderClosed,
        DownloadError,
        InvalidRequest,
        NetworkError,
        OutOfResources,
        ProtocolError,
        Reason,
        RepresentationChanged,
        ServerRefused,
        StorageError,
        TargetExists,
        TargetLocked,
    )
    from penstock.model import Digest, IfExists, Options, Preview, Request, Result, Source, Summary
    from penstock.progress import tqdm_progress

_HOMES = {
    "penstock.api": ("Downloader", "download"),
    "penstock.core.rows": ("BadRow", "Row"),
    "penstock.errors": (
        "CannotResume", "DigestMismatch", "DownloadError", "DownloaderClosed", "InvalidRequest", "NetworkError",
        "OutOfResources", "ProtocolError", "Reason", "RepresentationChanged", "ServerRefused", "StorageError",
        "TargetExists", "TargetLocked",
    ),
    "penstock.model": ("Digest", "IfExists", "Options", "Preview", "Request", "Result", "Source", "Summary"),
    "penstock.progress": ("tqdm_progress",),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "BadRow", "CannotResume", "Digest", "DigestMismatch", "DownloadError", "Downloader", "DownloaderClosed",
    "IfExists", "InvalidRequest", "NetworkError", "Options", "OutOfResources", "Preview", "ProtocolError", "Reason",
    "RepresentationChanged", "Request", "Result", "Row", "ServerRefused", "Source", "StorageError",
    "Summary", "TargetExists", "TargetLocked", "__version__", "download", "tqdm_progress",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import what is heavy only when it is used."""
    if name not in _HOME:
        raise AttributeError(f"module 'penstock' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
