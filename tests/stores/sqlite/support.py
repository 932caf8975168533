"""What the tests of the SQLite store share."""

from __future__ import annotations

import time

from sessionkit.stores.sqlite import SQLiteStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record


def write(store: SQLiteStore) -> str:
    key = new_key()
    assert store.swap(key, None, new_record(owner="ann"))
    assert store.get(key) is not None
    return key


def assert_works(store: SQLiteStore, *lost: str) -> None:
    for key in lost:
        assert store.get(key) is None
    write(store)
    for key in lost:
        assert store.swap(key, new_record(), new_record()) is False
    assert set(store.owned_by("ann", time.time())) == set(store.keys())
