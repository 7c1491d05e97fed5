"""An address that swallows connections: nothing answers, nothing refuses, as behind a firewall that drops.

A listener that accepts nobody, with its queue full: Linux drops what else knocks (listen(2)), and the one who knocks
hears nothing. Other systems may refuse instead; `is_black` says what this one does.
"""

from __future__ import annotations

import socket
from typing import Final

#: Connections that fill a queue of length zero, and some to spare.
_ENOUGH: Final = 4
_PATIENCE_SECONDS: Final = 0.2


class BlackHole:
    """Swallows connections to `host` and `port` until it is closed; a context manager. Raises OSError."""

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._sockets = [socket.socket(family)]
        self._sockets[0].bind((host, port))
        self._sockets[0].listen(0)
        for _ in range(_ENOUGH):
            knocking = socket.socket(family)
            knocking.setblocking(False)
            knocking.connect_ex((host, port))
            self._sockets.append(knocking)
        with socket.socket(family) as trial:
            trial.settimeout(_PATIENCE_SECONDS)
            try:
                trial.connect((host, port))
            except TimeoutError:
                self.is_black = True
            except OSError:
                self.is_black = False
            else:
                self.is_black = False

    def close(self) -> None:
        """Let go of everything."""
        for each in self._sockets:
            each.close()

    def __enter__(self) -> BlackHole:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
