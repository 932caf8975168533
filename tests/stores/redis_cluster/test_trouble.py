"""A node that is away, and one that takes its place."""

from __future__ import annotations

import time
import typing as t

import pytest
import redis
import redis.asyncio

from sessionkit.errors import StoreUnavailable
from sessionkit.store import Store
from sessionkit.stores._redis_slots import slot_of
from sessionkit.stores.redis_cluster import RedisClusterStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import Proxy
from tests.servers import RedisCluster
from tests.stores.redis_cluster.support import key_at

Start = t.Callable[..., t.Any]


def owner_at(cluster: RedisCluster, number: int, store: RedisClusterStore) -> str:
    """Return an owner whose index is on this master."""
    slots = cluster.masters[number].slots
    assert slots is not None
    numbers = range(1000)
    return next(
        f"owner {n}"
        for n in numbers
        if slots[0] <= slot_of(store._names.index(f"owner {n}")) <= slots[1]
    )


@pytest.fixture(scope="module")
def own(start_server: Start) -> RedisCluster:
    """A cluster that a test may maltreat, and leaves as it was."""
    cluster: RedisCluster = start_server(RedisCluster)
    return cluster


class TestANodeInTrouble:
    def test_only_its_own_keys_are_unavailable(self, own: RedisCluster) -> None:
        store = RedisClusterStore(own.url, timeout=0.2, connect_timeout=0.2)
        keys = [key_at(own, number) for number in range(3)]
        records = [new_record() for _ in keys]
        for key, record in zip(keys, records, strict=True):
            assert store.swap(key, None, record)
        names = [store.node_of(key) for key in keys]
        assert len(set(names)) == 3
        for end, again in (("kill", "start"), ("pause", "resume")):
            getattr(own.masters[0], end)()
            for operation in (
                lambda: store.get(keys[0]),
                lambda: store.swap(keys[0], None, records[0]),
                lambda: store.delete(keys[0], records[0]),
                lambda: store.count(0.0),
                lambda: list(store.keys()),
            ):
                started = time.monotonic()
                with pytest.raises(StoreUnavailable) as caught:
                    operation()
                assert caught.value.unreachable is True
                assert time.monotonic() - started < 1.0
            for key, record in zip(keys[1:], records[1:], strict=True):
                assert store.get(key) == record
            assert [store.node_of(key) for key in keys] == names
            getattr(own.masters[0], again)()
            own.wait()
            store.swap(keys[0], None, records[0])  # it had no disk
            assert store.get(keys[0]) == records[0]

    def test_the_node_of_an_index_is_not_taken_for_that_of_the_record(
        self, own: RedisCluster
    ) -> None:
        store = RedisClusterStore(own.url, timeout=0.2, connect_timeout=0.2)
        owner, key, same = owner_at(own, 0, store), key_at(own, 1), key_at(own, 0)
        record = new_record(owner=owner)
        assert store.swap(key, None, record)
        own.masters[0].pause()
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="index") as caught:
                store.swap(key_at(own, 1), None, new_record(owner=owner))
            assert caught.value.unreachable is False
            with pytest.raises(StoreUnavailable) as caught:
                store.swap(same, None, new_record(owner=owner))
            assert caught.value.unreachable is True
        started = time.monotonic()
        for _ in range(20):
            with pytest.raises(StoreUnavailable):
                store.swap(key_at(own, 1), None, new_record(owner=owner))
        assert time.monotonic() - started < 0.4, "a node that hangs costs one time-out a second"
        assert store.get(key) == record
        assert store.swap(key, record, successor(record, owner=owner)), "the index knows it already"
        own.masters[0].resume()
        time.sleep(1.0)
        assert store.swap(new_key(), None, new_record(owner=owner))

    @pytest.mark.attack
    def test_a_cluster_that_serves_all_or_nothing(self) -> None:
        with RedisCluster(cluster_require_full_coverage="yes", cluster_node_timeout="200") as own:
            store = RedisClusterStore(own.url)
            key = key_at(own, 1)
            assert store.get(key) is None
            own.masters[0].kill()
            give_up = time.monotonic() + 10
            with pytest.raises(StoreUnavailable, match=r"(?i)cluster is down") as caught:
                get_until(store, key, give_up)
            assert caught.value.unreachable is False
            own.masters[0].start()
            own.wait()
            assert store.get(key) is None

    def test_nobody_is_there(self) -> None:
        store = RedisClusterStore("redis+cluster://127.0.0.1:1,127.0.0.1:2")
        for operation in (
            lambda: store.get(new_key()),
            lambda: store.swap(new_key(), None, new_record(owner="ann")),
            lambda: store.owned_by("ann", 0.0),
            store.clear,
        ):
            with pytest.raises(StoreUnavailable, match=r"refused|does not serve") as caught:
                operation()
            assert caught.value.unreachable is True
        assert store.node_of(new_key()) == "127.0.0.1:1"


def get_until(store: Store, key: str, give_up: float) -> None:
    while time.monotonic() < give_up:
        store.get(key)


class TestNothingIsSentTwice:
    def test_a_write_whose_answer_is_lost(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        with Proxy(cluster.masters[0].port) as proxy:
            client = through(cluster, proxy)
            apart = RedisClusterStore(client)
            key, record = key_at(cluster, 0), new_record(b"0")
            assert apart.swap(key, None, record)
            assert apart.swap(key, record, successor(record))
            record = successor(record)
            proxy.requests, proxy.lose_answers = 0, True
            with pytest.raises(StoreUnavailable) as caught:
                apart.swap(key, record, successor(record))
            assert caught.value.unreachable is True
            assert proxy.requests == 1
            proxy.lose_answers = False
            assert store.get(key) == successor(record), "it was carried out"
            client.close()


def through(cluster: RedisCluster, proxy: Proxy) -> redis.RedisCluster:
    """Return a client that reaches the first master through the proxy."""
    first = cluster.masters[0]

    def remap(address: tuple[str, int]) -> tuple[str, int]:
        return ("127.0.0.1", proxy.port) if address == (first.host, first.port) else address

    return redis.RedisCluster(host=first.host, port=cluster.masters[1].port, address_remap=remap)


@pytest.mark.attack
class TestReplicas:
    def test_a_replica_takes_over(self) -> None:
        with RedisCluster(replicas=1, cluster_node_timeout="500") as cluster:
            store = RedisClusterStore(cluster.url, wait_replicas=1, wait_timeout=0.9)
            key, record = key_at(cluster, 0), new_record(owner="ann")
            assert store.swap(key, None, record)
            name = store.node_of(key)
            cluster.masters[0].kill()
            give_up = time.monotonic() + 15
            while True:
                try:
                    assert store.get(key) == record, "it was confirmed by the replica"
                    break
                except StoreUnavailable:
                    assert time.monotonic() < give_up
                    time.sleep(0.05)
            with pytest.raises(StoreUnavailable, match="confirmed by 0 of 1"):
                store.swap(key, record, successor(record, owner=None))
            assert store.get(key) == successor(record, owner=None), "the master has it"
            assert store.node_of(key) == name, "who heard of the trouble hears of its end"
