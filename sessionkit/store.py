"""The store contract: what every store does, and what it may be able to do.

Stores move bytes. They make no ids, serialize nothing, log nothing, retry nothing, never sleep
and have no clock. ``sessionkit.testing.StoreConformance`` checks all of it.
"""

from __future__ import annotations

import collections.abc as cabc
import typing as t

#: Seconds that an engine which expires by itself keeps a record beyond its ``expires_at``, so that
#: clock skew and slow requests behave alike everywhere. A parameter of the stores.
EXPIRY_MARGIN = 600.0


class Record(t.NamedTuple):
    """What is stored under a key.

    A store may return a subclass that carries its own token (memcached's cas).
    """

    #: Opaque to the store.
    payload: bytes
    #: Increasing, below 2**63. Assigned by the core; the first is drawn at random.
    version: int
    #: POSIX seconds, absolute.
    expires_at: float
    #: Whose session it is; indexed by stores that can. Opaque: 1 to 255 printable characters.
    owner: str | None = None


def is_owner(name: str) -> bool:
    """Say whether *name* can be the owner of a record."""
    return 1 <= len(name) <= 255 and name.isprintable()


class Store(t.Protocol):
    """The three methods that every store has.

    Keys are 64 hexadecimal characters. Methods are thread-safe and fork-safe. Trouble in the
    backend raises :class:`~sessionkit.errors.StoreUnavailable` from the client's error; it is never
    None and never empty. Constructors do no network I/O.
    """

    def get(self, key: str, /) -> Record | None:
        """Return what was last swapped in under *key*, or None if there is nothing.

        May return a record whose time has passed; must not lose one earlier.
        """
        ...

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        """Replace the record under *key* if its version is still that of *expected*.

        Atomic against every other swap, delete and move, across threads, processes and machines.

        :param expected: what ``get`` returned; None means that there must be no record.
        :return: True if replaced. False if nothing was changed.
        """
        ...

    def delete(self, key: str, expected: Record, /) -> bool:
        """Remove the record under *key* if its version is still that of *expected*.

        Removes the key from the owner's index only if it removed the record.

        :return: True for exactly one caller. False if nothing was changed.
        """
        ...


def offers(store: object, capability: type) -> bool:
    """Say whether *store* has all methods of one of the capabilities below.

    Also a wrapper that passes methods on by ``__getattr__``: ``isinstance`` sees those up to Python
    3.11 only.
    """
    names = [name for name in vars(capability) if not name.startswith("_")]
    return all(callable(getattr(store, name, None)) for name in names)


@t.runtime_checkable
class Moving(t.Protocol):
    """A store that can replace one record and create another in one step."""

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        """Put *stub* in the place of *expected*, and *record* under the free *new_key*.

        :return: True if both were done. False if neither was.
        """
        ...


@t.runtime_checkable
class Owned(t.Protocol):
    """A store that can list the sessions of an owner."""

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        """Return the keys whose record has this owner.

        Must name every live one. May name keys that are dead or that are no longer this owner's:
        the caller reads each record and compares.

        :param now: POSIX seconds, for stores that prune their index while they list it.
        """
        ...


@t.runtime_checkable
class Sweepable(t.Protocol):
    """A store whose expired records must be removed by somebody."""

    def sweep(self, now: float, /, limit: int | None = None) -> int:
        """Remove records that expired more than the store's margin before *now*.

        :param limit: how many at most, so that a request can do a little of it; None: all of them,
            in batches that keep no request waiting for long.
        :return: how many were removed. With a *limit* there may be more: a store without an index
            of expiry looks at some records only, and at others the next time.
        """
        ...


@t.runtime_checkable
class Enumerable(t.Protocol):
    """A store that can be gone through as a whole. For operators, never on a request's path."""

    def keys(self) -> cabc.Iterator[str]:
        """Yield the key of every record; those expired may be among them."""
        ...

    def count(self, now: float, /) -> int:
        """Return how many records have not expired at *now*."""
        ...

    def clear(self) -> int:
        """Remove every record of this store and nothing else; return how many."""
        ...


@t.runtime_checkable
class Partitioned(t.Protocol):
    """A store on several nodes, of which one may fail alone."""

    def node_of(self, key: str, /) -> str:
        """Name the node that holds *key*; it is what the breaker opens for."""
        ...


@t.runtime_checkable
class Closeable(t.Protocol):
    """A store that holds connections of its own."""

    def close(self) -> None:
        """Close them. The store opens new ones if it is used again."""
        ...
