"""What the tests of the file store share."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from sessionkit.store import Record
from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor

#: In one slot of the smallest file, and in larger ones.
SIZES = (0, 10, 1900, 2100, 40_000, 600_000)


def write(store: FileStore, payload: bytes = b"payload", owner: str | None = "ann") -> str:
    key = new_key()
    assert store.swap(key, None, new_record(payload, owner=owner))
    assert store.get(key) is not None
    return key


def replace(store: FileStore, key: str, payload: bytes = b"changed") -> Record:
    record = store.get(key)
    assert record is not None
    second = successor(record, payload)
    assert store.swap(key, record, second)
    assert store.get(key) == second
    return second


def assert_works(store: FileStore, *lost: str) -> None:
    for key in lost:
        assert store.get(key) is None
        assert store.swap(key, new_record(), new_record()) is False
        assert store.delete(key, new_record()) is False
    key = write(store)
    replace(store, key)
    assert set(store.owned_by("ann", time.time())) >= set(store.keys()) >= {key}


def file_of(store: FileStore, key: str) -> Path:
    return Path(store.path, key[:2], key)


def files(store: FileStore) -> list[str]:
    """Everything that is no folder."""
    return [file.name for file in Path(store.path).rglob("*") if not file.is_dir()]


def every_operation(store: FileStore, key: str) -> list[t.Callable[[], object]]:
    record = new_record(bytes(5000), owner="bob")
    return [
        lambda: store.get(key),
        lambda: store.swap(key, None, record),
        lambda: store.swap(key, record, record),
        lambda: store.delete(key, record),
        lambda: store.owned_by("ann", 0.0),
        lambda: store.sweep(time.time()),
        lambda: store.sweep(time.time(), 5),
        lambda: list(store.keys()),
        lambda: store.count(0.0),
        store.clear,
    ]
