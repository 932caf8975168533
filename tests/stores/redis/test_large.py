"""Large records, which are set beside their key and then put into their place."""

from __future__ import annotations

import time

import pytest
import redis

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import RedisServer

LARGE = bytes(range(256)) * 400


def names(client: redis.Redis) -> set[bytes]:
    return set(client.scan_iter("*"))


@pytest.mark.parametrize("owner", [None, "ann"])
def test_each_change(store: RedisStore, client: redis.Redis, owner: str | None) -> None:
    now = time.time()
    first, second = new_key(), new_key()
    small = new_record(owner=owner)
    assert store.swap(first, None, small)
    large = successor(small, LARGE, expires_at=now + 100)
    assert store.swap(first, small, large)
    assert store.get(first) == large
    assert now + 700 <= client.pexpiretime(f"sessionkit:{first}") / 1000 < now + 700.002

    renewed = new_record(LARGE[1:], owner=owner, expires_at=now + 200)
    stub = successor(large, b"stub")
    assert store.move(first, large, stub, second, renewed)
    assert (store.get(first), store.get(second)) == (stub, renewed)
    assert now + 800 <= client.pexpiretime(f"sessionkit:{second}") / 1000 < now + 800.002

    third, another = new_key(), new_record(LARGE, owner=owner)
    assert store.swap(third, None, another)
    assert store.get(third) == another
    if owner is not None:
        assert {second, third} <= set(store.owned_by(owner, now))


def test_nothing_is_left_of_one_that_came_too_late(store: RedisStore, client: redis.Redis) -> None:
    key, other = new_key(), new_key()
    before = new_record()
    assert store.swap(key, None, before)
    now_there = successor(before)
    assert store.swap(key, before, now_there)
    assert store.swap(other, None, new_record())
    found = names(client)

    for owner in (None, "ann"):
        assert not store.swap(key, before, successor(before, LARGE, owner=owner))
        assert not store.swap(other, None, new_record(LARGE, owner="ann"))
        late = new_record(LARGE, owner=owner)
        assert not store.move(key, before, successor(before), new_key(), late)
        assert not store.move(key, now_there, successor(now_there), other, late)

    assert store.get(key) == now_there
    assert names(client) == found
    assert set(store.keys()) >= {key, other}


def test_a_server_that_has_forgotten_the_script(store: RedisStore, client: redis.Redis) -> None:
    key, record = new_key(), new_record()
    assert store.swap(key, None, record)
    client.script_flush()
    assert store.swap(key, record, successor(record, LARGE))
    assert store.get(key) == successor(record, LARGE)


def test_what_lies_beside_does_not_stay(store: RedisStore, client: redis.Redis) -> None:
    """The connection may be lost between the two."""
    left = store._wire.write_beside("sessionkit:beside", LARGE, "PTTL", "sessionkit:beside")
    assert 0 < left <= 10_000
    assert not client.exists("sessionkit:beside")


def test_a_server_that_is_full(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        store = RedisStore(redis_server.url, prefix="full:")
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        client.config_set("maxmemory", 1)
        try:
            with pytest.raises(StoreUnavailable, match="maxmemory"):
                store.swap(key, record, successor(record, LARGE))
        finally:
            client.config_set("maxmemory", 0)
        assert store.get(key) == record
        assert set(store.owned_by("ann", time.time())) == {key}
