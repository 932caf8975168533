"""A clock that stands still until it is moved."""

from __future__ import annotations

import threading
import time


class FakeClock:
    """A stand-in for ``time.time`` and ``time.sleep``: ``clock=clock, sleep=clock.sleep``.

    :param now: POSIX seconds; the real time if left out. An engine that expires records by itself
        uses the real time, so a clock that is far from it loses every record there.
    :ivar slept: every pause that was asked for, in seconds, in order.
    """

    def __init__(self, now: float | None = None) -> None:
        self._now = time.time() if now is None else float(now)
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self._now

    def set(self, now: float) -> None:
        """Let it be *now*, which may be earlier than before."""
        self._now = float(now)

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass."""
        with self._lock:
            self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass, and remember it in ``slept``."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        with self._lock:
            self._now += seconds
            self.slept.append(seconds)

    def __repr__(self) -> str:
        return f"FakeClock({self._now!r})"
