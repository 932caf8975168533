"""The way to the store: every call passes here, guarded by the breaker; ``move`` for everybody."""

from __future__ import annotations

import collections.abc as cabc
import logging
import typing as t

from . import signals
from .breaker import Breaker
from .errors import StoreUnavailable
from .store import Moving
from .store import Partitioned
from .store import Record
from .store import Store

_logger = logging.getLogger("sessionkit")

R = t.TypeVar("R")
P = t.ParamSpec("P")


class Gateway:
    """Calls the store for a manager.

    :param sender: who sends the signals ``store_down`` and ``store_up``.
    """

    def __init__(self, store: Store, breaker: Breaker, sender: object) -> None:
        self.store = store
        self._breaker = breaker
        self._sender = sender
        self._node_of = store.node_of if isinstance(store, Partitioned) else _one_node
        self._move = store.move if isinstance(store, Moving) else None
        #: Nodes that answer but refuse to write (or read), such as a full or a read-only server.
        self._refusing: set[tuple[str, bool]] = set()

    def get(self, key: str) -> Record | None:
        return self._call(key, False, self.store.get, key)

    def swap(self, key: str, expected: Record | None, record: Record) -> bool:
        return self._call(key, True, self.store.swap, key, expected, record)

    def delete(self, key: str, expected: Record) -> bool:
        return self._call(key, True, self.store.delete, key, expected)

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record
    ) -> bool:
        """Put *stub* in place of *expected* and *record* under the new key; False: neither."""
        if self._move is not None:
            return self._call(old_key, True, self._move, old_key, expected, stub, new_key, record)

        # The new record first: nobody knows its id, and the data is never absent.
        if not self.swap(new_key, None, record):
            return False

        if self.swap(old_key, expected, stub):
            return True

        self.delete(new_key, record)
        return False

    def _call(
        self,
        key: str,
        writes: bool,
        method: cabc.Callable[P, R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        breaker = self._breaker

        if breaker.troubled:
            breaker.check(self._node_of(key))

        try:
            result = method(*args, **kwargs)
        except StoreUnavailable as error:
            self._failed(self._node_of(key), writes, error)
            raise

        if breaker.troubled or self._refusing:
            self._answered(self._node_of(key), writes)

        return result

    def _failed(self, node: str, writes: bool, error: StoreUnavailable) -> None:
        if error.unreachable:
            first = self._breaker.failed(node, error)
        else:
            self._answered_something(node)
            first = (node, writes) not in self._refusing
            self._refusing.add((node, writes))

            if first:
                kind = "writing" if writes else "reading"
                _logger.error("the session store refuses %s: %s", kind, error)

        if first:
            signals.emit(signals.store_down, self._sender, node=node)

    def _answered(self, node: str, writes: bool) -> None:
        self._answered_something(node)

        if (node, writes) in self._refusing:
            self._refusing.discard((node, writes))
            _logger.warning("the session store serves %s again", "writing" if writes else "reading")
            signals.emit(signals.store_up, self._sender, node=node)

    def _answered_something(self, node: str) -> None:
        if self._breaker.troubled and self._breaker.answered(node):
            signals.emit(signals.store_up, self._sender, node=node)


def _one_node(key: str) -> str:
    return ""
