"""Which connections a Redis store makes of what it is given."""

from __future__ import annotations

import typing as t

import redis
import redis.sentinel

from sessionkit.errors import ConfigurationError

from ._redis_connections import Check
from ._redis_connections import DirectConnections
from ._redis_connections import Limits
from ._redis_connections import PooledConnections
from ._redis_connections import is_plain
from ._redis_connections import make_direct
from ._redis_connections import parse_redis_url
from ._redis_sentinel import SentinelConnections
from ._redis_sentinel import parse_sentinel_url
from ._redis_sentinel import plain_class
from ._redis_sentinel import sentinels_of

Source = DirectConnections | PooledConnections


def connections_of(source: object, limits: Limits, check: Check) -> Source:
    """Return the connections to what *source* is: a URL, a client or a pool of redis-py."""
    if isinstance(source, str):
        return _of_url(source, limits, check)
    if isinstance(source, redis.RedisCluster):
        raise ConfigurationError(
            "RedisStore keeps a session and its owner's index on one server: for a client of a "
            "cluster there is RedisClusterStore, in sessionkit.stores.redis_cluster"
        )
    pool: t.Any = getattr(source, "connection_pool", source)
    if type(pool).__module__.startswith("redis.asyncio"):
        raise ConfigurationError("RedisStore needs a synchronous client, not one of asyncio")
    if not isinstance(pool, redis.ConnectionPool):
        raise ConfigurationError(
            "RedisStore needs a URL such as redis://host:6379/0, or a client or a connection "
            f"pool of redis-py, not {type(source).__name__}"
        )
    arguments = dict(pool.connection_kwargs)
    if isinstance(pool, redis.sentinel.SentinelConnectionPool):
        sentinels = sentinels_of(pool)
        if sentinels is not None:
            del arguments["connection_pool"]
            connection_class = plain_class(pool.connection_class)
            return make_direct(
                SentinelConnections, connection_class, arguments, sentinels, limits, check
            )
    if not is_plain(pool):
        return PooledConnections(pool, check)
    return make_direct(DirectConnections, pool.connection_class, arguments, limits, check)


def _of_url(url: str, limits: Limits, check: Check) -> DirectConnections:
    scheme = url.partition(":")[0].lower()
    if scheme.endswith("+sentinel"):
        connection_class, arguments, sentinels = parse_sentinel_url(url)
        return make_direct(
            SentinelConnections, connection_class, arguments, sentinels, limits, check
        )
    return make_direct(DirectConnections, *parse_redis_url(url), limits, check)
