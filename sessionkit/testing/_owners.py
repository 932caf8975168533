"""Owned: what its index names, one call after the other."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import time

from sessionkit.store import Owned
from sessionkit.store import Record
from sessionkit.store import Store

from ._contract import ODD_OWNERS
from ._margin import WithMargin
from ._support import able
from .records import new_key
from .records import new_record
from .records import successor


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


class OwnedTests(WithMargin):
    """A listing names every live session of its owner."""

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
