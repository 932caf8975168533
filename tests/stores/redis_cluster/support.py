"""What the tests of the Redis Cluster store share."""

from __future__ import annotations

import typing as t

from sessionkit.stores._redis_slots import slot_of
from sessionkit.testing import new_key
from tests.servers import RedisCluster
from tests.servers.redis_cluster import ClusterNode


def name_of(key: str) -> str:
    return f"sessionkit:{key}"


def key_at(cluster: RedisCluster, number: int) -> str:
    """Return a key whose record is on this master."""
    slots = cluster.masters[number].slots
    assert slots is not None
    while True:
        key = new_key()
        if slots[0] <= slot_of(name_of(key)) <= slots[1]:
            return key


def tell(node: ClusterNode, command: str, *arguments: t.Any) -> t.Any:
    with node.client() as client:
        return client.execute_command(*command.split(), *arguments)
