"""A cluster, and a store on it."""

from __future__ import annotations

import pytest

from sessionkit.stores.redis_cluster import RedisClusterStore
from tests.servers import RedisCluster


@pytest.fixture
def cluster(redis_cluster: RedisCluster) -> RedisCluster:
    """Three masters, empty."""
    redis_cluster.flush()
    return redis_cluster


@pytest.fixture
def store(cluster: RedisCluster) -> RedisClusterStore:
    return RedisClusterStore(cluster.url)
