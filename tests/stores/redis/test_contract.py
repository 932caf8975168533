"""What every store must do, on one Redis."""

from __future__ import annotations

import functools
import typing as t

import pytest
import redis
import redis.asyncio

from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import StoreConformance
from tests.stores.few_processes import FewProcesses
from tests.stores.redis.support import Pool


class TestRedisStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Enumerable, Closeable})

    @pytest.fixture
    def store(self, redis_url: str) -> Store:
        self.url = redis_url
        return RedisStore(redis_url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(RedisStore, self.url)

    def neighbour(self, store: Store) -> Store:
        return RedisStore(self.url, prefix="sessionkit:2:")


class TestRedisStoreThroughAPoolOfItsOwnKind(FewProcesses):
    """A pool that does more than to hold connections is borrowed from, as Sentinel's."""

    capabilities: t.ClassVar = frozenset({Moving, Owned, Enumerable, Closeable})
    rounds = 10

    @pytest.fixture
    def store(self, redis_url: str) -> Store:
        self.url = redis_url
        return pooled(redis_url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(pooled, self.url)

    def test_fork_while_threads_write(self, store: Store) -> None:
        pytest.skip("redis-py's own pool hands a child the lock that a thread of its parent held")


def pooled(url: str) -> RedisStore:
    return RedisStore(redis.Redis(connection_pool=Pool.from_url(url, decode_responses=True)))
