"""The programs that are measured, ours first."""

from __future__ import annotations

from bench.peers.libraries import Library
from bench.peers.model import Answer, Cannot, Command, File, Files, Peer, shown
from bench.peers.programs import Aria2, Axel, Curl, Penstock, Rclone, Wget2

__all__ = ["PEERS", "Answer", "Cannot", "Command", "File", "Files", "Peer", "shown"]

PEERS: tuple[Peer, ...] = (
    Penstock(),
    Aria2(),
    Curl(),
    Axel(),
    Wget2(),
    Rclone(),
    *(Library(name) for name in ("pypdl", "parfive", "aiohttp", "requests")),
)
