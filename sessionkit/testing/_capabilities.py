"""Moving, Owned, Sweepable and Enumerable: what they do, one after the other."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import time
import typing as t

from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Partitioned
from sessionkit.store import Record
from sessionkit.store import Store
from sessionkit.store import Sweepable

from ._contract import ODD_OWNERS
from ._support import able
from ._support import fields
from .records import new_key
from .records import new_record
from .records import successor

ALL = (Moving, Owned, Sweepable, Enumerable, Partitioned, Closeable)


def assert_owned(store: Store, owner: str, *keys: str) -> None:
    """Check that exactly these are the owner's, as the core does: a listing may name too much."""
    if isinstance(store, Owned):
        named = store.owned_by(owner, time.time())
        records = {key: store.get(key) for key in named}
        live = {
            key for key, record in records.items() if record is not None and record.owner == owner
        }
        assert live == set(keys)
        assert len(named) == len(set(named)), "a key is named twice"


class CapabilityTests:
    """What a store may be able to do; what it cannot is skipped."""

    margin: float = EXPIRY_MARGIN

    #: The capabilities that the store has, if the tests shall check that it has exactly these.
    capabilities: t.ClassVar[frozenset[type] | None] = None

    def neighbour(self, store: Store) -> Store | None:
        """Return another store in the same engine, such as one with another prefix or table."""
        return None

    def test_capabilities(self, store: Store) -> None:
        if self.capabilities is not None:
            found: t.Any = store
            assert {one for one in ALL if isinstance(found, one)} == self.capabilities

    def test_move(self, store: Store) -> None:
        moving = able(store, Moving)
        for before, owner in ((None, None), (None, "ann"), ("ann", "ann"), ("ann", "bob")):
            old_key, new_key_, expected = new_key(), new_key(), new_record(owner=before)
            stub, record = successor(expected, b"stub", owner=None), new_record(owner=owner)
            assert store.swap(old_key, None, expected)
            assert moving.move(old_key, expected, stub, new_key_, record) is True
            assert fields(store.get(old_key)) == fields(stub)
            assert fields(store.get(new_key_)) == fields(record)
            if owner:
                assert_owned(store, owner, new_key_)
                assert store.delete(new_key_, record)
            if before:
                assert_owned(store, before)

    def test_move_keeps_the_owner_of_a_stub_that_has_one(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, new_key_, expected = new_key(), new_key(), new_record(owner="ann")
        stub, record = successor(expected, owner="ann"), new_record(owner="bob")
        assert store.swap(old_key, None, expected)
        assert moving.move(old_key, expected, stub, new_key_, record)
        assert_owned(store, "ann", old_key)
        assert_owned(store, "bob", new_key_)

    def test_move_of_what_was_replaced(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, new_key_, stale = new_key(), new_key(), new_record(owner="ann")
        current = successor(stale)
        assert store.swap(old_key, None, stale)
        assert store.swap(old_key, stale, current)
        stub, record = successor(stale, owner=None), new_record(owner="ann")
        assert moving.move(old_key, stale, stub, new_key_, record) is False
        assert fields(store.get(old_key)) == fields(current)
        assert store.get(new_key_) is None
        assert_owned(store, "ann", old_key)

    def test_move_of_what_is_gone(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, new_key_, expected = new_key(), new_key(), new_record()
        stub, record = successor(expected), new_record(owner="ann")
        assert moving.move(old_key, expected, stub, new_key_, record) is False
        assert store.swap(old_key, None, expected)
        assert store.delete(old_key, expected)
        assert moving.move(old_key, expected, stub, new_key_, record) is False
        assert store.get(old_key) is None
        assert store.get(new_key_) is None
        assert_owned(store, "ann")

    def test_move_to_where_something_is(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, taken, expected, other = (
            new_key(),
            new_key(),
            new_record(owner="ann"),
            new_record(),
        )
        assert store.swap(old_key, None, expected)
        assert store.swap(taken, None, other)
        stub, record = successor(expected, owner=None), new_record(owner="bob")
        assert moving.move(old_key, expected, stub, taken, record) is False
        assert moving.move(old_key, expected, stub, old_key, record) is False
        assert fields(store.get(old_key)) == fields(expected)
        assert fields(store.get(taken)) == fields(other)
        assert_owned(store, "ann", old_key)
        assert_owned(store, "bob")

    def test_move_large(self, store: Store) -> None:
        moving = able(store, Moving)
        old_key, new_key_, expected = new_key(), new_key(), new_record(bytes(2**20))
        stub, record = successor(expected, b""), new_record(bytes(range(256)) * 4096)
        assert store.swap(old_key, None, expected)
        assert moving.move(old_key, expected, stub, new_key_, record)
        assert fields(store.get(old_key)) == fields(stub)
        assert fields(store.get(new_key_)) == fields(record)

    def test_move_composed_of_two_swaps(self, store: Store) -> None:
        old_key, new_key_, expected = new_key(), new_key(), new_record(owner="ann")
        stub, record = successor(expected, owner=None), new_record(owner="ann")
        assert store.swap(old_key, None, expected)
        assert store.swap(new_key_, None, record)
        assert_owned(store, "ann", old_key, new_key_)
        assert store.swap(old_key, expected, stub)
        assert fields(store.get(old_key)) == fields(stub)
        assert fields(store.get(new_key_)) == fields(record)
        assert_owned(store, "ann", new_key_)

    def test_move_composed_and_withdrawn(self, store: Store) -> None:
        old_key, new_key_, expected = new_key(), new_key(), new_record(owner="ann")
        stub, record = successor(expected, owner=None), new_record(owner="ann")
        assert store.swap(old_key, None, expected)
        assert store.swap(new_key_, None, record)
        assert store.delete(old_key, expected), "somebody logs out in between"
        assert store.swap(old_key, expected, stub) is False
        assert store.delete(new_key_, record)
        assert store.get(old_key) is None
        assert store.get(new_key_) is None
        assert_owned(store, "ann")

    def test_owners_are_told_apart(self, store: Store) -> None:
        able(store, Owned)
        keys = {owner: new_key() for owner in ODD_OWNERS}
        for owner, key in keys.items():
            assert store.swap(key, None, new_record(owner=owner))
        for owner, key in keys.items():
            assert_owned(store, owner, key)

    def test_an_owner_without_sessions(self, store: Store) -> None:
        owned = able(store, Owned)
        assert list(owned.owned_by("nobody", time.time())) == []

    def test_an_owner_with_many_sessions(self, store: Store) -> None:
        able(store, Owned)
        records: dict[str, Record] = {new_key(): new_record(owner="ann") for _ in range(500)}
        for key, record in records.items():
            assert store.swap(key, None, record)
        assert_owned(store, "ann", *records)
        for key in list(records)[::2]:
            assert store.delete(key, records.pop(key))
        assert_owned(store, "ann", *records)

    def test_the_index_follows_the_owner(self, store: Store) -> None:
        able(store, Owned)
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        for owner in ("ann", "ann", "bob", None, "ann", None, None, "bob"):
            record, before = successor(record, owner=owner), record
            assert store.swap(key, before, record)
            for name in ("ann", "bob"):
                assert_owned(store, name, *([key] if name == owner else []))
        assert store.delete(key, record)
        assert_owned(store, "bob")

    def test_the_index_does_not_follow_what_failed(self, store: Store) -> None:
        able(store, Owned)
        key, stale = new_key(), new_record(owner="ann")
        current = successor(stale)
        assert store.swap(key, None, stale)
        assert store.swap(key, stale, current)
        assert not store.swap(key, stale, successor(stale, owner="bob"))
        assert not store.swap(key, None, new_record(owner="bob"))
        assert not store.delete(key, stale)
        assert_owned(store, "ann", key)
        assert_owned(store, "bob")

    def test_the_index_outlives_short_sessions(self, store: Store) -> None:
        able(store, Owned)
        now = time.time()
        lives = (86400.0, 1.0, -self.margin - 5, 60.0)
        keys = [new_key() for _ in lives]
        for key, seconds in zip(keys, lives, strict=True):
            store.swap(key, None, new_record(expires_at=now + seconds, owner="ann"))
        owned = able(store, Owned)
        named = set(owned.owned_by("ann", now))
        assert {keys[0], keys[3]} <= named

    def test_the_index_lives_as_long_as_a_session_that_was_prolonged(self, store: Store) -> None:
        able(store, Owned)
        key, record = new_key(), new_record(expires_at=time.time() - self.margin + 1, owner="ann")
        assert store.swap(key, None, record)
        longer = successor(record, expires_at=time.time() + 3600)
        if store.swap(key, record, longer):
            assert_owned(store, "ann", key)

    def test_sweep(self, store: Store) -> None:
        sweepable = able(store, Sweepable)
        now = time.time()
        dead = [now - self.margin - 1, now - self.margin - 86400, 0.0] * 400
        alive = [now - self.margin + 5, now, now + 1, now + 86400]
        gone, kept = {}, {}
        for expires_at in dead:
            gone[new_key()] = new_record(expires_at=expires_at, owner="ann")
        for expires_at in alive:
            kept[new_key()] = new_record(expires_at=expires_at, owner="bob")
        for key, record in (gone | kept).items():
            assert store.swap(key, None, record)
        assert sweepable.sweep(now) == len(gone)
        assert sweepable.sweep(now) == 0
        for key in gone:
            assert store.get(key) is None
        for key, record in kept.items():
            assert fields(store.get(key)) == fields(record)
        assert_owned(store, "bob", *kept)
        if isinstance(store, Owned):
            assert list(store.owned_by("ann", now)) == [], "what was swept is still in the index"

    def test_sweep_a_little(self, store: Store) -> None:
        sweepable = able(store, Sweepable)
        now = time.time()
        for _ in range(12):
            assert store.swap(new_key(), None, new_record(expires_at=now - self.margin - 60))
        assert sweepable.sweep(now, limit=5) == 5
        assert sweepable.sweep(now, limit=0) == 0
        assert sweepable.sweep(now, limit=7) == 7
        assert sweepable.sweep(now, limit=5) == 0

    def test_sweep_goes_by_the_time_that_a_record_has_now(self, store: Store) -> None:
        sweepable = able(store, Sweepable)
        now = time.time()
        longer, shorter = new_key(), new_key()
        first = new_record(expires_at=now - self.margin - 60)
        second = new_record(expires_at=now + 60)
        assert store.swap(longer, None, first)
        assert store.swap(shorter, None, second)
        assert store.swap(longer, first, successor(first, expires_at=now + 60))
        assert store.swap(shorter, second, successor(second, expires_at=now - self.margin - 60))
        assert sweepable.sweep(now) == 1
        assert store.get(longer) is not None
        assert store.get(shorter) is None

    def test_what_was_swept_stays_gone(self, store: Store) -> None:
        sweepable = able(store, Sweepable)
        key, record = new_key(), new_record(expires_at=time.time() - self.margin - 60)
        assert store.swap(key, None, record)
        assert sweepable.sweep(time.time()) == 1
        assert store.swap(key, record, successor(record)) is False

    def test_enumerate(self, store: Store) -> None:
        enumerable = able(store, Enumerable)
        now = time.time()
        assert list(enumerable.keys()) == []
        assert enumerable.count(now) == 0
        live = {new_key(): new_record(owner=owner) for owner in (None, "ann", "bob") * 200}
        for key, record in live.items():
            assert store.swap(key, None, record)
        expired = new_key()
        assert store.swap(expired, None, new_record(expires_at=now - 1))
        keys = list(enumerable.keys())
        assert set(keys) - {expired} == set(live)
        assert len(keys) == len(set(keys))
        assert enumerable.count(now) == len(live)
        assert enumerable.count(now + 86400) == 0

    def test_enumerate_while_it_changes(self, store: Store) -> None:
        enumerable = able(store, Enumerable)
        records = {new_key(): new_record() for _ in range(50)}
        for key, record in records.items():
            assert store.swap(key, None, record)
        seen = set()
        for key in enumerable.keys():  # noqa: SIM118 - no mapping
            seen.add(key)
            assert store.delete(key, records[key])
        assert seen == set(records)
        assert list(enumerable.keys()) == []

    def test_clear(self, store: Store) -> None:
        enumerable = able(store, Enumerable)
        records = {new_key(): new_record(owner=owner) for owner in (None, "ann", "bob") * 200}
        for key, record in records.items():
            assert store.swap(key, None, record)
        assert enumerable.clear() == len(records)
        assert enumerable.clear() == 0
        assert list(enumerable.keys()) == []
        assert enumerable.count(time.time()) == 0
        assert_owned(store, "ann")
        key = next(iter(records))
        assert store.get(key) is None
        assert store.swap(key, records[key], successor(records[key])) is False
        assert store.swap(key, None, records[key])

    def test_a_neighbour_is_left_alone(self, store: Store) -> None:
        other = self.neighbour(store)
        if other is None:
            return
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
