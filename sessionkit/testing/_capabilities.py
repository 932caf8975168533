"""What a store may be able to do beyond the contract, one call after the other."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import time
import typing as t

from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Partitioned
from sessionkit.store import Store
from sessionkit.store import Sweepable

from ._enumeration import EnumerationTests
from ._moves import MoveTests
from ._owners import OwnedTests
from ._owners import assert_owned
from ._support import able
from ._support import fields
from ._support import skip
from ._sweeps import SweepTests
from .records import new_key
from .records import new_record

ALL = (Moving, Owned, Sweepable, Enumerable, Partitioned, Closeable)


class CapabilityTests(MoveTests, OwnedTests, SweepTests, EnumerationTests):
    """What a store may be able to do; what it cannot is skipped."""

    #: The capabilities that the store has, if the tests shall check that it has exactly these.
    capabilities: t.ClassVar[frozenset[type] | None] = None

    def neighbour(self, store: Store) -> Store | None:
        """Return another store in the same engine, such as one with another prefix or table."""
        return None

    def test_capabilities(self, store: Store) -> None:
        if self.capabilities is not None:
            found: t.Any = store
            assert {one for one in ALL if isinstance(found, one)} == self.capabilities

    def test_a_neighbour_is_left_alone(self, store: Store) -> None:
        other = self.neighbour(store)
        if other is None:
            skip("it has no neighbour")
        key, mine, theirs = new_key(), new_record(b"mine", owner="ann"), new_record(b"theirs")
        theirs = theirs._replace(owner="ann", expires_at=time.time() - self.margin + 5)
        assert store.swap(key, None, mine)
        assert other.swap(key, None, theirs)
        if isinstance(store, Sweepable):
            store.sweep(time.time())
        if isinstance(store, Enumerable):
            assert list(store.keys()) == [key]
            assert store.clear() == 1
        else:
            assert store.delete(key, mine)
        assert fields(other.get(key)) == fields(theirs)
        assert_owned(other, "ann", key)
        assert_owned(store, "ann")

    def test_closed_and_used_again(self, store: Store) -> None:
        closeable = able(store, Closeable)
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        closeable.close()
        closeable.close()
        assert fields(store.get(key)) == fields(record)
