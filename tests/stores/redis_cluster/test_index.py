"""The index of an owner's sessions, beside the records on other nodes."""

from __future__ import annotations

import time
import typing as t

import pytest

from sessionkit.stores import redis_cluster as module
from sessionkit.stores._redis_scripts import FORGET
from sessionkit.stores._redis_slots import slot_of
from sessionkit.stores.redis_cluster import RedisClusterStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import RedisCluster


class TestIndex:
    def test_a_member_without_a_record_is_kept_for_ten_minutes(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        kept, young, old = new_key(), new_key(), new_key()
        assert store.swap(kept, None, new_record(owner="ann"))
        index = store._names.index("ann")
        node = store._cluster._wire(store._cluster._map.slots[slot_of(index)].address)
        now = time.time()
        node.write("ZADD", index, int(now - 9000), kept, int(now - 590), young, int(now - 610), old)
        assert set(store.owned_by("ann", now + 1e6)) == {kept, young}
        assert node.read("ZCARD", index) == 2

    def test_a_member_whose_record_has_no_owner_is_as_good_as_without(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        ended, young, kept = new_key(), new_key(), new_key()
        for key in (ended, young, kept):
            record = new_record(owner="ann")
            assert store.swap(key, None, record)
            if key != kept:
                assert store.swap(key, record, successor(record, owner=None))
        index = store._names.index("ann")
        node = store._cluster._wire(store._cluster._map.slots[slot_of(index)].address)
        old = int(time.time() - 610)
        node.write("ZADD", index, old, ended, old, kept)
        assert set(store.owned_by("ann", 0.0)) == {young, kept}
        assert node.read("ZCARD", index) == 2

    def test_one_that_was_entered_again_is_not_removed(self, store: RedisClusterStore) -> None:
        key = new_key()
        assert store.swap(key, None, new_record(owner="ann"))
        index = store._names.index("ann")
        store._cluster.run(FORGET, index, (key, b"1"))
        assert store.owned_by("ann", 0.0) == [key]

    def test_what_is_no_key_is_not_listed(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        key = new_key()
        assert store.swap(key, None, new_record(owner="ann"))
        index = store._names.index("ann")
        with cluster.holder(slot_of(index)).client() as client:
            client.zadd(index, {b"\xff\xfe": 1, b"old": 1, b"new": time.time()})
        assert store.owned_by("ann", 0.0) == [key]

    def test_it_lives_as_long_as_the_longest_record(self, store: RedisClusterStore) -> None:
        now, index = time.time(), store._names.index("ann")
        key, record = new_key(), new_record(expires_at=now + 100, owner="ann")
        assert store.swap(key, None, record)
        for seconds in (50, 4000, 200, 4100, 40_000):
            record, before = successor(record, expires_at=now + seconds), record
            assert store.swap(key, before, record)
            until = store._cluster.read(index, "EXPIRETIME", index)
            assert until >= now + seconds + 600

    def test_a_write_that_prolongs_little_leaves_it_alone(
        self, cluster: RedisCluster, store: RedisClusterStore
    ) -> None:
        hour = 3600.0
        began = (time.time() // hour + 5) * hour
        key, record = new_key(), new_record(expires_at=began + 100, owner="ann")
        assert store.swap(key, None, record)
        index = store._names.index("ann")
        store._cluster.write(index, "UNLINK", index)
        longer = successor(record, expires_at=began + 200)
        assert store.swap(key, record, longer)
        assert store.owned_by("ann", 0.0) == []
        assert store.swap(key, longer, successor(longer, expires_at=began + hour))
        assert store.owned_by("ann", 0.0) == [key]

    def test_a_writer_that_took_long_writes_the_member_again(
        self, store: RedisClusterStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        index, swap = store._names.index("ann"), store._swap

        def slow(*arguments: t.Any) -> bool:
            # Somebody has listed meanwhile.
            store._cluster.write(index, "UNLINK", index)
            monkeypatch.setattr(module, "_now", lambda: time.monotonic() + 1e6)
            return swap(*arguments)

        monkeypatch.setattr(module, "_now", time.monotonic)
        monkeypatch.setattr(store, "_swap", slow)
        key = new_key()
        assert store.swap(key, None, new_record(owner="ann"))
        assert store.owned_by("ann", 0.0) == [key]

    def test_what_ended_is_removed_by_what_begins(self, store: RedisClusterStore) -> None:
        index, old = store._names.index("ann"), int(time.time()) - 700
        store._cluster.write(
            index, "ZADD", index, *[x for _ in range(31) for x in (old, new_key())]
        )
        key = new_key()
        assert store.swap(key, None, new_record(owner="ann"))
        assert store._cluster.read(index, "ZCARD", index) == 1
