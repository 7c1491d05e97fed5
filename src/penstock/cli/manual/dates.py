"""The date that pages carry."""

from __future__ import annotations

import os
import time


def today() -> str:
    """As in 2026-01-31: SOURCE_DATE_EPOCH's for those who build the same thing twice, else that of now."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    return time.strftime("%Y-%m-%d", time.gmtime(int(seconds) if seconds.isdigit() else time.time()))
