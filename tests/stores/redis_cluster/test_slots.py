"""Which node has a key, also while its slot moves."""

from __future__ import annotations

import threading
import time

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.stores._redis_slots import SLOTS
from sessionkit.stores._redis_slots import SlotMap
from sessionkit.stores._redis_slots import slot_of
from sessionkit.stores.redis_cluster import RedisClusterStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import RedisCluster
from tests.stores.redis_cluster.support import key_at
from tests.stores.redis_cluster.support import name_of
from tests.stores.redis_cluster.support import tell


class MovingSlot:
    """A slot on its way from one master to another one, step by step."""

    def __init__(self, cluster: RedisCluster, slot: int) -> None:
        self.slot = slot
        self.nodes = cluster.masters
        self.source = next(n for n in self.nodes if n.slots and n.slots[0] <= slot <= n.slots[1])
        self.target = next(n for n in self.nodes if n is not self.source)

    def begin(self) -> None:
        tell(self.target, "CLUSTER SETSLOT", self.slot, "IMPORTING", self.source.id)
        tell(self.source, "CLUSTER SETSLOT", self.slot, "MIGRATING", self.target.id)

    def carry(self) -> None:
        while names := tell(self.source, "CLUSTER GETKEYSINSLOT", self.slot, 10):
            place = self.target.host, self.target.port
            tell(self.source, "MIGRATE", *place, "", 0, 5000, "KEYS", *names)

    def end(self) -> None:
        for node in (self.target, *self.nodes):
            tell(node, "CLUSTER SETSLOT", self.slot, "NODE", self.target.id)

    def back(self) -> None:
        self.source, self.target = self.target, self.source
        self.begin()
        self.carry()
        self.end()
        self.source, self.target = self.target, self.source


class TestSlots:
    def test_as_the_server_counts_them(self, cluster: RedisCluster) -> None:
        for name in ("a", "", "{a}b", "x{a}b", "{}a", "{a", "a}{b}{c}", "sessionkit:é"):
            assert slot_of(name) == tell(cluster.masters[0], "CLUSTER KEYSLOT", name)

    def test_a_replica_takes_over_the_name_with_the_slots(self) -> None:
        one, two, three, new = (("h", port) for port in (1, 2, 3, 4))
        known = SlotMap.unknown(("front", 9)).followed_by(
            [(0, 99, one), (100, 199, two), (200, SLOTS - 1, three)], []
        )
        names = ["front:9", "h:2", "h:3"]
        assert [known.slots[slot].name for slot in (0, 100, 200)] == names
        after = known.followed_by([(0, 99, one), (100, 199, new), (200, SLOTS - 1, three)], [])
        assert [after.slots[slot].name for slot in (0, 100, 200)] == names
        assert after.slots[100].address == new
        assert after.moved(0, new)
        assert after.slots[0].name == "h:2"
        assert not after.moved(0, ("elsewhere", 1))


class TestRedirections:
    def test_a_slot_that_moves_while_it_is_used(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        moving = MovingSlot(cluster, slot_of(name_of(key)))
        for step in (moving.begin, moving.carry, moving.end, moving.back):
            step()
            for _ in range(2):
                assert store.get(key) == record
                assert store.swap(key, record, successor(record))
                assert store.swap(key, record, successor(record)) is False
                record = successor(record)
                assert store.owned_by("ann", 0.0) == [key]
        assert store.delete(key, record)

    def test_a_key_that_is_made_while_its_slot_moves(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key, record = new_key(), new_record()
        moving = MovingSlot(cluster, slot_of(name_of(key)))
        assert store.get(key) is None
        moving.begin()
        assert store.swap(key, None, record)
        assert store.swap(key, None, record) is False
        assert store.get(key) == record
        assert list(store.keys()) == [key]
        assert store.count(time.time()) == 1
        moving.carry()
        moving.end()
        assert store.get(key) == record
        assert store.clear() == 1
        moving.back()

    def test_the_index_moves(self, cluster: RedisCluster, store: RedisClusterStore) -> None:
        moving = MovingSlot(cluster, slot_of(store._names.index("ann")))
        keys = set()
        for step in (moving.begin, moving.carry, moving.end, moving.back):
            step()
            key = new_key()
            keys.add(key)
            assert store.swap(key, None, new_record(owner="ann"))
            assert set(store.owned_by("ann", 0.0)) == keys

    def test_no_write_is_lost_or_counted_twice(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key, record = new_key(), new_record(b"0")
        assert store.swap(key, None, record)
        moving, done = MovingSlot(cluster, slot_of(name_of(key))), threading.Event()
        counted = [0, 0]

        def count(number: int) -> None:
            while not done.is_set():
                found = store.get(key)
                assert found is not None
                payload = b"%d" % (int(found.payload) + 1)
                counted[number] += store.swap(key, found, successor(found, payload))

        threads = [threading.Thread(target=count, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            for step in (moving.begin, moving.carry, moving.end, moving.back):
                step()
        done.set()
        for thread in threads:
            thread.join()
        last = store.get(key)
        assert last is not None
        assert int(last.payload) == sum(counted) > 0

    def test_nodes_that_disagree_for_ever(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key = key_at(cluster, 0)
        slot = slot_of(name_of(key))
        first, second, _ = cluster.masters
        assert store.get(key) is None
        tell(first, "CLUSTER SETSLOT", slot, "NODE", second.id)
        try:
            with pytest.raises(StoreUnavailable, match="circles") as caught:
                store.get(key)
            assert caught.value.unreachable is False
        finally:
            tell(first, "CLUSTER SETSLOT", slot, "NODE", first.id)
        assert store.get(key) is None
