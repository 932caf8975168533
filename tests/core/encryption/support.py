"""What the tests of encryption share."""

from __future__ import annotations

from sessionkit import keys
from sessionkit.store import Record
from sessionkit.store import Store
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record

OLD = keys.new_key()
NEW = keys.new_key()


def put(store: Store, payload: bytes = b"payload", owner: str | None = "ann") -> tuple[str, Record]:
    key, record = new_key(), new_record(payload, owner=owner)
    assert store.swap(key, None, record)
    return key, record


def plant(engine: MemoryStore, key: str, record: Record) -> None:
    """Write to the engine behind the back of everybody, as somebody with its password can."""
    found = engine.get(key)
    assert found is None or engine.delete(key, found)
    assert engine.swap(key, None, record)
