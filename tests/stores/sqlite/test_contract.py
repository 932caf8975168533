"""What every store must do, on SQLite."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import pytest

from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores.sqlite import SQLiteStore
from sessionkit.testing import StoreConformance


class TestSQLiteStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Sweepable, Enumerable, Closeable})

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return SQLiteStore(tmp_path / "sessions.sqlite3")

    def opener(self, store: Store) -> t.Callable[[], Store]:
        assert isinstance(store, SQLiteStore)
        return functools.partial(SQLiteStore, store.path)

    def neighbour(self, store: Store) -> Store:
        assert isinstance(store, SQLiteStore)
        return SQLiteStore(store.path, table="others")
