"""Sweepable: what is removed, and what is left."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import time

from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable

from ._margin import WithMargin
from ._owners import assert_owned
from ._support import able
from ._support import fields
from .records import new_key
from .records import new_record
from .records import successor


class SweepTests(WithMargin):
    """Only what nobody can use any more is swept."""

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
