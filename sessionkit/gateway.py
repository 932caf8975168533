"""The way to the store: every call passes here, guarded by the breaker; ``move`` for everybody."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from . import signals
from .breaker import Breaker
from .breaker import Operation
from .errors import StoreUnavailable
from .policy import NEVER
from .store import Moving
from .store import Partitioned
from .store import Record
from .store import Store
from .store import offers

_NUMBERS = (float, int)
_LAST_VERSION = 2**63 - 1

R = t.TypeVar("R")

if t.TYPE_CHECKING:
    from typing_extensions import TypeVarTuple
    from typing_extensions import Unpack

    Arguments = TypeVarTuple("Arguments")


class Gateway:
    """Calls the store for a manager.

    :param sender: who sends the signals ``store_down`` and ``store_up``.
    """

    def __init__(self, store: Store, breaker: Breaker, sender: object) -> None:
        self.store = store
        self._breaker = breaker
        self._sender = sender
        self._node_of = (
            t.cast(Partitioned, store).node_of if offers(store, Partitioned) else _one_node
        )
        self._move = t.cast(Moving, store).move if offers(store, Moving) else None

    def in_transaction(self) -> bool:
        """Say whether what is written now may be undone, with what the application does beside."""
        in_transaction = getattr(self.store, "in_transaction", None)
        return in_transaction is not None and bool(in_transaction())

    def get(self, key: str) -> Record | None:
        record = self._call(key, "get", self.store.get, key)
        return record if record is None or _is_sound(record) else None

    def swap(self, key: str, expected: Record | None, record: Record) -> bool:
        operation: Operation = "create" if expected is None else "replace"
        return self._call(key, operation, self.store.swap, key, expected, record)

    def delete(self, key: str, expected: Record) -> bool:
        return self._call(key, "delete", self.store.delete, key, expected)

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record
    ) -> bool:
        """Put *stub* in place of *expected* and *record* under the new key; False: neither."""
        if self._move is not None:
            return self._call(
                old_key, "create", self._move, old_key, expected, stub, new_key, record
            )

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
        operation: Operation,
        method: cabc.Callable[[Unpack[Arguments]], R],
        *args: Unpack[Arguments],
    ) -> R:
        breaker = self._breaker

        if breaker.troubled:
            breaker.check(self._node_of(key), operation)

        try:
            result = method(*args)
        except StoreUnavailable as error:
            node = self._node_of(key)

            if breaker.failed(node, operation, error):
                signals.emit(signals.store_down, self._sender, node=node)

            raise

        if breaker.troubled:
            node = self._node_of(key)

            if breaker.answered(node, operation):
                signals.emit(signals.store_up, self._sender, node=node)

        return result


def _is_sound(record: Record) -> bool:
    """Say whether this can be a record of ours: engines keep what anybody puts there."""
    version, expires_at, owner = record.version, record.expires_at, record.owner
    return (
        type(version) is int
        and 0 <= version < _LAST_VERSION
        and type(expires_at) in _NUMBERS
        and expires_at <= NEVER  # NaN is not
        and (owner is None or type(owner) is str)
    )


def _one_node(key: str) -> str:
    return ""
