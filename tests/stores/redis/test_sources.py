"""What a store is made of: clients, pools and URLs."""

from __future__ import annotations

import time
import typing as t

import pytest
import redis
import redis.asyncio

from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store
from sessionkit.stores import redis as module
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import RedisServer
from tests.stores.redis.support import Pool
from tests.stores.redis.support import write
from tests.stores.wrong_urls import assert_refused_without_its_password


class TestSources:
    def test_clients_and_pools(self, redis_server: RedisServer, redis_url: str) -> None:
        port, path = redis_server.port, str(redis_server.socket)
        sources: list[t.Any] = [
            redis.Redis(port=port),
            redis.Redis(port=port, decode_responses=True),
            redis.Redis(port=port, protocol=2),
            redis.Redis(port=port, protocol=3, single_connection_client=True),
            redis.StrictRedis.from_url(redis_url),
            redis.Redis(unix_socket_path=path),
            redis.ConnectionPool.from_url(redis_url, decode_responses=True),
            redis.BlockingConnectionPool.from_url(redis_url, max_connections=1),
            Pool.from_url(redis_url),
            Pool.from_url(redis_url, decode_responses=True, protocol=2),
            f"unix://{path}?db=3",
            f"redis://127.0.0.1:{port}",
            f"redis://127.0.0.1:{port}/?db=3&protocol=2&client_name=shop",
        ]
        for source in sources:
            store = RedisStore(source)
            key = write(store)
            record = store.get(key)
            assert record is not None
            assert record.owner == "ann"
            assert store.owned_by("ann", time.time())
            assert key in list(store.keys())
            assert store.count(time.time())
            assert store.delete(key, record)
            store.close()
            if isinstance(source, redis.Redis):
                assert source.ping(), "a client that was lent can still be used"
                source.close()

    def test_the_pure_python_parser(self, redis_url: str) -> None:
        from redis._parsers import _RESP2Parser
        from redis.connection import PythonRespSerializer

        pool = redis.ConnectionPool.from_url(
            redis_url,
            protocol=2,
            parser_class=_RESP2Parser,
            command_packer=PythonRespSerializer(
                6000, lambda v: str(v).encode() if not isinstance(v, bytes) else v
            ),
        )
        store = RedisStore(pool)
        key, record = new_key(), new_record(bytes(range(256)) * 1000, owner="ann")
        assert store.swap(key, None, record)
        assert store.swap(key, record, successor(record, record.payload))
        assert store.get(key) == successor(record, record.payload)
        assert store.count(time.time()) == 1

    def test_a_store_does_not_keep_a_pool_of_one_busy(self, redis_url: str) -> None:
        client = redis.Redis(
            connection_pool=redis.BlockingConnectionPool.from_url(
                redis_url, max_connections=1, timeout=1
            )
        )
        store = RedisStore(client)
        write(store)
        assert client.ping()
        client.close()

    @pytest.mark.parametrize("source", [None, 1, b"redis://", object(), {}, redis])
    def test_something_else(self, source: object) -> None:
        with pytest.raises(ConfigurationError, match="a client or a connection pool of redis-py"):
            RedisStore(source)

    def test_asynchronous_clients(self) -> None:
        with pytest.raises(ConfigurationError, match="synchronous"):
            RedisStore(redis.asyncio.Redis())

    def test_clusters(self) -> None:
        cluster = redis.RedisCluster.__new__(redis.RedisCluster)
        with pytest.raises(ConfigurationError, match="RedisClusterStore"):
            RedisStore(cluster)

    @pytest.mark.parametrize("protocol", [2, 3])
    def test_the_version_is_looked_at(
        self, redis_url: str, monkeypatch: pytest.MonkeyPatch, protocol: int
    ) -> None:
        monkeypatch.setattr("sessionkit.stores._redis_server.MINIMUM", 1000)
        with pytest.raises(ConfigurationError, match=r"Redis 7\.0"):
            RedisStore(f"{redis_url}?protocol={protocol}").get(new_key())

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ({"margin": -1.0}, "negative"),
            ({"max_idle": -1}, "negative"),
            ({"timeout": 0.0}, "timeout"),
            ({"connect_timeout": -1.0}, "connect_timeout"),
            ({"prefix": "my-owner:"}, "owner"),
        ],
    )
    def test_arguments(self, arguments: dict[str, t.Any], text: str) -> None:
        with pytest.raises(ConfigurationError, match=text):
            RedisStore("redis://", **arguments)

    def test_time_outs(self) -> None:
        def timeouts(store: RedisStore) -> tuple[object, object]:
            arguments = t.cast(t.Any, store._connections)._arguments
            return arguments["socket_connect_timeout"], arguments["socket_timeout"]

        assert timeouts(RedisStore("redis://")) == (1.0, 1.0)
        assert timeouts(RedisStore("redis://?socket_timeout=3")) == (1.0, 3.0)
        assert timeouts(RedisStore("redis://", timeout=0.5)) == (1.0, 0.5)
        client = redis.Redis(socket_timeout=None, socket_connect_timeout=4)
        assert timeouts(RedisStore(client)) == (4, 1.0)
        assert timeouts(RedisStore(client, connect_timeout=2, timeout=3)) == (2, 3)


class TestURL:
    def test_parameters(self) -> None:
        store = open_store(
            "redis://host:1234/5?prefix=shop%3A&margin=60&timeout=2&connect_timeout=3&max_idle=4"
            "&client_name=x"
        )
        assert isinstance(store, RedisStore)
        assert (store.prefix, store.margin) == ("shop:", 60.0)
        assert repr(store) == "<RedisStore redis://host:1234/5 prefix='shop:'>"

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("redis://user:secret@host", "redis://host:6379/0"),
            ("rediss://:secret@host:1", "rediss://host:1/0"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock?db=0"),
            ("redis://[::1]:1/2", "redis://[::1]:1/2"),
            ("unix://user@/run/redis.sock?db=2&password=secret", "unix:///run/redis.sock?db=2"),
        ],
    )
    def test_the_password_is_not_shown(self, url: str, shown: str) -> None:
        store = open_store(url)
        assert repr(store) == f"<RedisStore {shown} prefix='sessionkit:'>"

    @pytest.mark.parametrize(
        "url",
        [
            "redis://:secret@host/0?unknown=secret",
            "redis://:secret@host/zero",
            "redis://:secret@host/0/1",
            "redis://:secret@host/0?margin=secret",
            "redis://:secret@host/0?db=secret",
            "redis://:sec/ret@host/0",
            "redis://:secret@host:secret/0",
            "redis://:secret#@host/0",
            "redis://:secret@host/0?max_connections=3",
            "redis://:secret@host/0?prefix=a&prefix=b",
        ],
    )
    def test_what_is_wrong_is_said_without_the_password(self, url: str) -> None:
        assert_refused_without_its_password(url)

    def test_the_class_takes_a_url_of_redis_py(self) -> None:
        with pytest.raises(ConfigurationError, match="'prefix' is no parameter"):
            RedisStore("redis://host?prefix=x")


def test_a_client_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, module.__name__)
    monkeypatch.delitem(sys.modules, "sessionkit.stores._redis_connections")
    with pytest.raises(ConfigurationError, match=r'pip install "wsgi-sessionkit\[redis\]"'):
        open_store("redis://")
