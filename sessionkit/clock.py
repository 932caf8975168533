"""The time, for whoever is not told it."""

from __future__ import annotations

import time


def now() -> float:
    """Return POSIX seconds.

    Looked up at each call, so that libraries which freeze the time freeze sessions too.
    """
    return time.time()
