"""A breaker for each node of a store: a dead one costs milliseconds, not a time-out a request."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import logging
import threading
import typing as t

from .errors import StoreUnavailable

_logger = logging.getLogger("sessionkit")

#: What a store is asked for. They fail apart: a full one still reads and deletes.
Operation = t.Literal["get", "create", "replace", "delete"]


@dataclasses.dataclass
class _Circuit:
    #: Connections that failed in a row.
    failures: int = 0
    open_until: float = 0.0


@dataclasses.dataclass
class _Trouble:
    reading: _Circuit = dataclasses.field(default_factory=_Circuit)
    writing: _Circuit = dataclasses.field(default_factory=_Circuit)
    #: What has failed. If one of these succeeds, the trouble may be over.
    failed: set[Operation] = dataclasses.field(default_factory=set)
    failed_at: float = 0.0
    #: Whether an error that is in the log was one of those that do not even answer.
    told: set[bool] = dataclasses.field(default_factory=set)


class Breaker:
    """Counts connections that failed in a row, and stops asking for a while.

    Each time the pause is over one request tries again. Where only writes get no answer (during a
    failover, or while another process holds a lock) reads go on. Trouble is one line in the log,
    however many requests meet it, and so is its end. It has ended when nothing has failed for as
    long as the pause: on a full disk small writes may succeed between large ones that fail.

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

    def check(self, node: str, operation: Operation) -> None:
        """Let the call pass, or raise ``StoreUnavailable`` without making it."""
        with self._lock:
            trouble = self.troubled.get(node)

            if trouble is None:
                return

            # Where nothing can be read, nothing can be written.
            concerned = (
                [trouble.reading] if operation == "get" else [trouble.reading, trouble.writing]
            )
            opened = [circuit for circuit in concerned if circuit.failures >= self._failures]
            now = self._clock()

            # A clock that was set back must not keep it open for longer than the pause.
            if any(one.open_until - self._pause <= now < one.open_until for one in opened):
                raise StoreUnavailable("the session store does not answer; it is tried again soon")

            for circuit in opened:
                circuit.open_until = now + self._pause

    def failed(self, node: str, operation: Operation, error: StoreUnavailable) -> bool:
        """Take note of a call that failed; return whether the trouble begins with it."""
        with self._lock:
            begins = node not in self.troubled
            trouble = self.troubled.setdefault(node, _Trouble())
            circuit = trouble.reading if operation == "get" else trouble.writing
            trouble.failed_at = now = self._clock()

            if error.unreachable:
                circuit.failures += 1
                circuit.open_until = now + self._pause
            else:
                circuit.failures = trouble.reading.failures = 0

            is_news = error.unreachable not in trouble.told
            trouble.failed.add(operation)
            trouble.told.add(error.unreachable)

        if is_news:
            what = "does not answer" if error.unreachable else f"refuses {_kind(operation)}"
            # As text: a handler that keeps its records would keep this request with the error.
            _logger.error("the session store%s %s: %s", _name(node), what, str(error))

        return begins

    def answered(self, node: str, operation: Operation) -> bool:
        """Take note of a call that succeeded; return whether there was trouble that is over."""
        with self._lock:
            trouble = self.troubled.get(node)

            if trouble is None:
                return False

            trouble.reading.failures = 0

            if operation not in trouble.failed:
                return False

            trouble.writing.failures = 0

            if 0 <= self._clock() - trouble.failed_at < self._pause:
                return False

            del self.troubled[node]

        what = "answers" if True in trouble.told else f"serves {_kind(operation)}"
        _logger.warning("the session store%s %s again", _name(node), what)
        return True


def _kind(operation: Operation) -> str:
    return "reading" if operation == "get" else "writing"


def _name(node: str) -> str:
    return f" {node}" if node else ""
