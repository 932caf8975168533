"""The index of an owner's sessions in Redis."""

from __future__ import annotations

import time
import typing as t

import redis
import redis.asyncio

from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.stores.redis.support import write


class TestIndex:
    def test_it_lives_as_long_as_the_longest_record(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        now = time.time()
        index = store._index("ann")
        lives = (100, 50, 300, 200)
        for turn, seconds in enumerate(lives):
            assert store.swap(new_key(), None, new_record(expires_at=now + seconds, owner="ann"))
            assert client.expiretime(index) >= now + max(lives[: turn + 1]) + 599

    def test_it_grows_with_a_record(self, store: RedisStore, client: redis.Redis) -> None:
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        before = client.pexpiretime(store._index("ann"))
        longer = successor(record, expires_at=record.expires_at + 100)
        assert store.swap(key, record, longer)
        assert client.pexpiretime(store._index("ann")) >= before + 99_000

    def test_an_empty_index_is_gone(self, store: RedisStore, client: redis.Redis) -> None:
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        assert store.delete(key, record)
        assert client.keys("*") == []

    def test_a_member_without_a_record_is_kept_for_ten_minutes(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        kept, young, old = write(store), new_key(), new_key()
        index = store._index("ann")
        now = time.time()
        client.zadd(index, {kept: now - 10_000, young: now - 590, old: now - 610})
        assert set(store.owned_by("ann", now + 1e6)) == {kept, young}
        members: t.Any = client.zrange(index, 0, -1)
        assert members == [young.encode(), kept.encode()] or len(members) == 2

    def test_what_has_expired_is_removed_by_what_begins(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        index, kept = store._index("ann"), write(store)
        client.zadd(index, {kept: 1, **{new_key(): time.time() - 700 for _ in range(30)}})
        key = write(store)
        members: t.Any = client.zrange(index, 0, -1)
        assert set(members) == {kept.encode(), key.encode()}

    def test_a_write_mends_an_index_that_was_lost(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        client.delete(store._index("ann"))
        assert store.swap(key, record, successor(record))
        assert store.owned_by("ann", time.time()) == [key]
