"""The time, and pauses, for whoever is not told them."""

from __future__ import annotations

import time


def now() -> float:
    """Return POSIX seconds.

    Looked up at each call, so that libraries which freeze the time freeze sessions too.
    """
    return time.time()


def sleep(seconds: float) -> None:
    """Pause.

    Looked up at each call: gevent replaces it, with gunicorn's ``--preload`` after this import.
    """
    time.sleep(seconds)
