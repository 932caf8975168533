"""What a server that keeps what it has acknowledged still has after a kill."""

from __future__ import annotations

import typing as t

from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor


def assert_survives(store: Store, restart: t.Callable[[], object]) -> None:
    """Check sessions, an end and the index across *restart*, which kills the server first."""
    records = {new_key(): new_record(owner="ann") for _ in range(50)}
    for key, record in records.items():
        assert store.swap(key, None, record)
    gone = next(iter(records))
    record = records.pop(gone)
    assert store.delete(gone, record)
    restart()
    assert {key: store.get(key) for key in records} == records
    assert store.swap(gone, record, successor(record)) is False
    assert isinstance(store, Owned)
    assert set(store.owned_by("ann", 0.0)) == set(records)
