"""What every store must do, on a Redis Cluster."""

from __future__ import annotations

import functools
import typing as t

import pytest

from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Owned
from sessionkit.store import Partitioned
from sessionkit.store import Store
from sessionkit.stores.redis_cluster import RedisClusterStore
from tests.servers import RedisCluster
from tests.stores.few_processes import FewProcesses


class TestRedisClusterStore(FewProcesses):
    capabilities: t.ClassVar = frozenset({Owned, Enumerable, Partitioned, Closeable})
    rounds = 10

    @pytest.fixture
    def store(self, cluster: RedisCluster) -> Store:
        self.url = cluster.url
        return RedisClusterStore(cluster.url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(RedisClusterStore, self.url)

    def neighbour(self, store: Store) -> Store:
        return RedisClusterStore(self.url, prefix="sessionkit:2:")
