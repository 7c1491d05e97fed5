"""What can go wrong, sorted by what the caller may do next. Imports nothing of ours.

Every error is a `DownloadError`, and also the built-in that fits (`ValueError` for bad input, `OSError` for the
world), so that callers who know nothing of us still catch it. A message is one line: what, where, what to do.
"""

from __future__ import annotations

import enum
import errno
from typing import Any, Final

#: What an error says when the system gives no more memory.
OUT_OF_MEMORY: Final = "out of memory; ask for fewer files or connections at once"


class Reason(enum.Enum):
    """Why a download failed; stable names for programs."""

    #: The request itself is wrong.
    INVALID_REQUEST = "invalid-request"
    #: The host's name cannot be resolved.
    NAME_RESOLUTION = "name-resolution"
    #: No connection, or it broke again and again.
    CONNECTION = "connection"
    #: No secure connection; the certificate is not to be trusted.
    TLS = "tls"
    #: The proxy cannot be reached or refuses.
    PROXY = "proxy"
    #: Nothing came for too long.
    TIMEOUT = "timeout"
    #: It took longer than was allowed.
    DEADLINE = "deadline"
    #: The server answered with a status such as 404.
    HTTP_STATUS = "http-status"
    #: A redirect that must not be followed, or too many.
    REDIRECT = "redirect"
    #: The server broke HTTP.
    PROTOCOL = "protocol"
    #: The file keeps changing on the server.
    CHANGED = "changed"
    #: The bytes do not have the expected digest.
    CHECKSUM = "checksum"
    #: It is larger than was allowed.
    TOO_LARGE = "too-large"
    #: It has not the size that was expected.
    SIZE = "size"
    #: It is none of the files asked for (by media type or size).
    UNWANTED = "unwanted"
    #: Only public addresses may be connected to, and its own is none.
    PRIVATE = "private"
    #: The target is there already.
    TARGET_EXISTS = "target-exists"
    #: Another process is downloading to it.
    LOCKED = "locked"
    #: What is on the disk can neither be gone on with nor dropped unasked.
    CANNOT_RESUME = "cannot-resume"
    #: The disk said no.
    STORAGE = "storage"
    #: Too few threads, open files, or too little memory.
    RESOURCES = "resources"
    #: The `Downloader` was closed.
    CLOSED = "closed"
    #: A fault of Penstock's.
    INTERNAL = "internal"


class DownloadError(Exception):
    """A download that did not end in a file.

    `url` is the source without credentials, `reason` says why as an enum, `resumable` whether the same call made
    again goes on from the bytes already on disk.
    """

    reason: Reason = Reason.INTERNAL

    def __init__(self, message: str, *, url: str = "", reason: Reason | None = None, resumable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.url = url
        if reason is not None:
            self.reason = reason
        self.resumable = resumable

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by attributes, so that errors cross processes whole."""
        return _rebuild, (type(self), self.message, dict(self.__dict__))


def _rebuild(kind: type[DownloadError], message: str, state: dict[str, Any]) -> DownloadError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class InvalidRequest(DownloadError, ValueError):
    """The request itself is wrong: a bad URL, header, checksum or option. Mend it; trying again does not help."""

    reason = Reason.INVALID_REQUEST


class NetworkError(DownloadError, OSError):
    """The network or the server's connection failed, and retries did not heal it. Try again later."""

    reason = Reason.CONNECTION


class ServerRefused(DownloadError, OSError):
    """The server answered, and the answer was no. `status` is the HTTP status; `retry_after` seconds, if it said."""

    reason = Reason.HTTP_STATUS

    def __init__(
        self,
        message: str,
        *,
        url: str = "",
        reason: Reason | None = None,
        resumable: bool = False,
        status: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, url=url, reason=reason, resumable=resumable)
        self.status = status
        self.retry_after = retry_after


class ProtocolError(DownloadError, OSError):
    """The server broke HTTP in a way that makes its bytes unusable."""

    reason = Reason.PROTOCOL


class RepresentationChanged(DownloadError, OSError):
    """The file on the server keeps changing while we fetch it."""

    reason = Reason.CHANGED


class DigestMismatch(DownloadError, ValueError):
    """The finished bytes do not have the expected digest; they were kept aside as `.corrupt`."""

    reason = Reason.CHECKSUM


class CannotResume(DownloadError, OSError):
    """What lies on disk cannot be continued and must not be overwritten unasked."""

    reason = Reason.CANNOT_RESUME


#: What a system says that can put no other file anywhere either.
_FOR_ALL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}


class StorageError(DownloadError, OSError):
    """The disk said no: full, read-only, not a directory. Bytes already written are kept."""

    reason = Reason.STORAGE

    @property
    def is_for_all(self) -> bool:
        """True when other files would meet the same: the disk is full or broken."""
        return self.errno in _FOR_ALL


class OutOfResources(DownloadError, OSError):
    """The system gives no more threads, memory or open files. Raise its limits, or ask for less at once."""

    reason = Reason.RESOURCES


class TargetExists(DownloadError, FileExistsError):
    """The target is already there and the policy says not to touch it."""

    reason = Reason.TARGET_EXISTS


class TargetLocked(DownloadError, BlockingIOError):
    """Another process is downloading to the same target."""

    reason = Reason.LOCKED


class DownloaderClosed(DownloadError, RuntimeError):
    """The downloader was closed, or belongs to the parent of this forked process."""

    reason = Reason.CLOSED
