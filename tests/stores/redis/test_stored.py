"""What stands in Redis, under which name and for how long."""

from __future__ import annotations

import time
import traceback
import typing as t

import pytest
import redis
import redis.asyncio

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import RedisServer
from tests.stores.garbage import GARBAGE
from tests.stores.redis.support import operations
from tests.stores.redis.support import write

Start = t.Callable[..., RedisServer]


def name_of(key: str) -> str:
    return f"sessionkit:{key}"


class TestWhatIsStored:
    def test_where_and_for_how_long(self, store: RedisStore, client: redis.Redis) -> None:
        now = time.time()
        for owner in (None, "ann"):
            key, record = new_key(), new_record(expires_at=now + 100.0001, owner=owner)
            assert store.swap(key, None, record)
            deadline = client.pexpiretime(name_of(key))
            assert deadline / 1000 >= now + 100.0001 + 600
            assert deadline / 1000 < now + 100.0001 + 600.002
            longer = successor(record, expires_at=now + 200)
            assert store.swap(key, record, longer)
            assert client.pexpiretime(name_of(key)) == -(-(now + 800) * 1000 // 1)
            shorter = successor(longer, expires_at=now + 50)
            assert store.swap(key, longer, shorter)
            assert client.expiretime(name_of(key)) <= now + 652

    def test_the_margin(self, redis_url: str, client: redis.Redis) -> None:
        store = RedisStore(redis_url, margin=0.0)
        key = new_key()
        assert store.swap(key, None, new_record(expires_at=time.time() + 0.05))
        assert store.get(key) is not None
        time.sleep(0.07)
        assert store.get(key) is None

    def test_what_never_expires(self, store: RedisStore) -> None:
        for expires_at in (253402300799.0, 1e300, float("inf")):
            for owner in (None, "ann"):
                key, record = new_key(), new_record(expires_at=expires_at, owner=owner)
                assert store.swap(key, None, record)
                assert store.get(key) == record

    @pytest.mark.parametrize("value", GARBAGE)
    def test_what_is_no_record_is_no_session(
        self, store: RedisStore, client: redis.Redis, value: bytes
    ) -> None:
        key = new_key()
        client.set(name_of(key), value)
        assert store.get(key) is None
        assert store.swap(key, None, new_record()) is False
        assert store.swap(key, None, new_record(owner="ann")) is False
        assert store.owned_by("ann", time.time()) == []
        assert client.get(name_of(key)) == value

    def test_what_is_no_string_is_no_session(self, store: RedisStore, client: redis.Redis) -> None:
        key, record = new_key(), new_record()
        client.rpush(name_of(key), "x")
        assert store.get(key) is None
        for owner in (None, "ann"):
            assert store.swap(key, None, new_record(owner=owner)) is False
            assert store.swap(key, record, successor(record, owner=owner)) is False
        assert store.delete(key, record) is False
        assert store.move(key, record, record, new_key(), record) is False
        assert store.count(time.time()) == 0
        assert client.lrange(name_of(key), 0, -1) == [b"x"]

    def test_an_index_that_is_something_else_is_trouble_and_nothing_is_half_done(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        client.set(store._index("ann"), "x")
        for operation in operations(
            lambda: store.swap(new_key(), None, new_record(owner="ann")),
            lambda: store.swap(key, record, successor(record, owner="ann")),
            lambda: store.move(key, record, successor(record), new_key(), new_record(owner="ann")),
        ):
            with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
                operation()
        assert list(store.keys()) == [key]
        assert store.get(key) == record

    def test_the_index_of_a_former_owner_may_be_something_else(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        key, target, record = write(store), new_key(), new_record(owner="ann")
        found = store.get(key)
        assert found is not None
        client.set(store._index("ann"), "x")
        stub = successor(found, owner=None)
        assert store.swap(key, found, stub)
        assert store.get(key) == stub
        client.delete(store._index("ann"))
        assert store.swap(target, None, record)
        client.set(store._index("ann"), "x")
        assert store.move(target, record, successor(record, owner=None), new_key(), stub)
        assert store.delete(key, stub._replace(owner="ann"))
        assert store.get(key) is None

    def test_what_is_no_key_is_not_listed(self, store: RedisStore, client: redis.Redis) -> None:
        key = write(store)
        now = time.time()
        client.zadd(store._index("ann"), {b"\xff\xfe": now, b"a key": now, b"": now})
        assert store.owned_by("ann", now) == [key]

    def test_a_command_that_the_server_does_not_have(self, start_server: Start) -> None:
        server = start_server(RedisServer, rename_command="GET disabled")
        store, key = RedisStore(server.url), new_key()
        with pytest.raises(StoreUnavailable, match="unknown command") as caught:
            store.get(key)
        assert key not in "".join(traceback.format_exception(caught.value))
        assert not caught.value.unreachable

    def test_no_key_and_no_owner_is_to_be_read_in_the_names(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        write(store, owner="ann@example.org")
        assert all(b"ann" not in name for name in client.keys("*"))

    def test_a_prefix_with_special_characters(self, redis_url: str, client: redis.Redis) -> None:
        stores = [RedisStore(redis_url, prefix=prefix) for prefix in ("", "a*", "[ab]?", "é\\:")]
        keys = [write(store) for store in stores]
        for store, key in zip(stores, keys, strict=True):
            assert list(store.keys()) == [key]
        client.set("ab" + "0" * 64, "x")
        client.set("something", "x")
        for store in stores[1:]:
            assert store.clear() == 1
        assert client.exists("ab" + "0" * 64, "something") == 2
        assert stores[0].get(keys[0]) is not None
