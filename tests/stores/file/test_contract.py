"""What every store must do, on files."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import pytest

from sessionkit.store import Enumerable
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores.file import FileStore
from sessionkit.testing import StoreConformance


class TestFileStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Owned, Sweepable, Enumerable})

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return FileStore(tmp_path / "sessions")

    def opener(self, store: Store) -> t.Callable[[], Store]:
        assert isinstance(store, FileStore)
        return functools.partial(FileStore, store.path)

    def neighbour(self, store: Store) -> Store:
        assert isinstance(store, FileStore)
        return FileStore(f"{store.path}.others")
