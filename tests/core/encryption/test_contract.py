"""What every store must do, encrypted."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import pytest

from sessionkit import keys
from sessionkit.encryption import EncryptedStore
from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores.memory import MemoryStore
from sessionkit.stores.redis import RedisStore
from sessionkit.stores.sqlite import SQLiteStore
from sessionkit.testing import StoreConformance

SECRET = keys.new_key()


def encrypted_sqlite(path: Path, secret: str) -> EncryptedStore:
    return EncryptedStore(SQLiteStore(path), [secret])


def encrypted_redis(url: str, secret: str) -> EncryptedStore:
    return EncryptedStore(RedisStore(url), [secret])


class TestEncryptedMemoryStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Sweepable, Enumerable})

    @pytest.fixture
    def store(self) -> Store:
        return EncryptedStore(MemoryStore(), [SECRET])

    def neighbour(self, store: Store) -> Store | None:
        return EncryptedStore(MemoryStore(), [SECRET])


class TestEncryptedSQLiteStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Sweepable, Enumerable, Closeable})
    rounds = 5

    @pytest.fixture
    def store(self, tmp_path: Path) -> t.Iterator[Store]:
        self.path = tmp_path / "sessions.sqlite3"
        store: t.Any = encrypted_sqlite(self.path, SECRET)
        yield store
        store.close()

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(encrypted_sqlite, self.path, SECRET)


@pytest.mark.attack
class TestEncryptedRedisStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Enumerable, Closeable})
    rounds = 10

    @pytest.fixture
    def store(self, redis_url: str) -> Store:
        self.url = redis_url
        return encrypted_redis(redis_url, SECRET)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(encrypted_redis, self.url, SECRET)
