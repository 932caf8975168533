"""What the tests of the Redis store share."""

from __future__ import annotations

import threading
import typing as t

import redis
import redis.asyncio

from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record


class Pool(redis.ConnectionPool):
    pass


def operations(*functions: t.Callable[[], object]) -> tuple[t.Callable[[], object], ...]:
    return functions


def write(store: RedisStore, owner: str | None = "ann") -> str:
    key = new_key()
    assert store.swap(key, None, new_record(owner=owner))
    assert store.get(key) is not None
    return key


def fill_free_list(store: RedisStore, barrier: threading.Barrier) -> None:
    connection = store._connections.idle() or store._connections.fresh()
    barrier.wait()
    store._connections.give(connection)
