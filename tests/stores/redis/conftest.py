"""A server, and a store on it."""

from __future__ import annotations

import typing as t

import pytest
import redis
import redis.asyncio

from sessionkit.stores.redis import RedisStore
from tests.servers import RedisServer


@pytest.fixture
def store(redis_url: str) -> RedisStore:
    return RedisStore(redis_url)


@pytest.fixture
def client(redis_server: RedisServer) -> t.Iterator[redis.Redis]:
    with redis_server.client() as client:
        yield client


@pytest.fixture(autouse=True)
def _needs_redis(redis_server: RedisServer) -> None:
    """Nothing here is of use without a server."""
