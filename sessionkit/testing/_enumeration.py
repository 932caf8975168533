"""Enumerable: every key, how many there are, and the end of all."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import time

from sessionkit.store import Enumerable
from sessionkit.store import Store

from ._owners import assert_owned
from ._support import able
from .records import new_key
from .records import new_record
from .records import successor


class EnumerationTests:
    """What operators see, and how they start anew."""

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
