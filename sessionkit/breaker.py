"""A breaker for each node of a store: a dead one costs milliseconds, not a time-out a request."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import logging
import threading

from .errors import StoreUnavailable

_logger = logging.getLogger("sessionkit")


@dataclasses.dataclass
class _Trouble:
    failures: int = 0
    open_until: float = 0.0


class Breaker:
    """Counts connections that failed in a row, and stops asking for a while.

    Each time the pause is over one request tries again. The first failure and the recovery are one
    line in the log each.

    :param failures: after how many it opens.
    :param pause: seconds for which it stays open.
    :param clock: returns POSIX seconds.
    """

    def __init__(self, failures: int, pause: float, clock: cabc.Callable[[], float]) -> None:
        self._failures = failures
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        #: Nodes in trouble; empty as long as everything works.
        self.troubled: dict[str, _Trouble] = {}

    def check(self, node: str) -> None:
        """Let the call pass, or raise ``StoreUnavailable`` without making it."""
        with self._lock:
            trouble = self.troubled.get(node)

            if trouble is None or trouble.failures < self._failures:
                return

            now = self._clock()

            # A clock that was set back must not keep it open for longer than the pause.
            if trouble.open_until - self._pause <= now < trouble.open_until:
                raise StoreUnavailable("the session store does not answer; it is tried again soon")

            trouble.open_until = now + self._pause

    def failed(self, node: str, error: StoreUnavailable) -> bool:
        """Count a connection that failed; return whether it was the first."""
        with self._lock:
            first = node not in self.troubled
            trouble = self.troubled.setdefault(node, _Trouble())
            trouble.failures += 1
            trouble.open_until = self._clock() + self._pause

        if first:
            _logger.error("the session store%s does not answer: %s", _name(node), error)

        return first

    def answered(self, node: str) -> bool:
        """Close the breaker; return whether there had been trouble."""
        with self._lock:
            recovered = self.troubled.pop(node, None) is not None

        if recovered:
            _logger.warning("the session store%s answers again", _name(node))

        return recovered


def _name(node: str) -> str:
    return f" {node}" if node else ""
