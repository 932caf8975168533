"""What a store is made of: clients and URLs."""

from __future__ import annotations

import pytest
import redis
import redis.asyncio

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.stores import open_store
from sessionkit.stores.redis import RedisStore
from sessionkit.stores.redis_cluster import RedisClusterStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.servers import RedisCluster
from tests.servers import RedisServer
from tests.stores.redis_cluster.support import tell
from tests.stores.wrong_urls import assert_refused_without_its_password


class TestSources:
    def test_clients(self, cluster: RedisCluster) -> None:
        port = cluster.masters[0].port
        for client in (
            redis.RedisCluster(host="127.0.0.1", port=port),
            redis.RedisCluster(host="127.0.0.1", port=port, decode_responses=True, protocol=3),
            redis.RedisCluster.from_url(f"redis://127.0.0.1:{port}", socket_timeout=3),
        ):
            store = RedisClusterStore(client)
            key, record = new_key(), new_record(owner="ann")
            assert store.swap(key, None, record)
            assert store.get(key) == record
            assert store.delete(key, record)
            store.close()
            assert client.ping(), "a client that was lent can still be used"
            client.close()

    def test_the_wrong_class_says_which_is_right(
        self, cluster: RedisCluster, redis_server: RedisServer
    ) -> None:
        with pytest.raises(ConfigurationError, match=r"redis\+cluster://"):
            RedisStore(f"redis://127.0.0.1:{cluster.masters[0].port}").get(new_key())
        with pytest.raises(ConfigurationError, match="no node of a Redis Cluster"):
            RedisClusterStore(f"redis+cluster://127.0.0.1:{redis_server.port}").get(new_key())
        with pytest.raises(ConfigurationError, match="RedisStore"):
            RedisClusterStore(redis.Redis())
        with pytest.raises(ConfigurationError, match="synchronous"):
            RedisClusterStore(redis.asyncio.RedisCluster("127.0.0.1", 1))

    def test_a_url(self) -> None:
        store = open_store(
            "redis+cluster://user:secret@one:1,two,[::1]:3/0?prefix=shop:&timeout=3&protocol=3"
        )
        assert isinstance(store, RedisClusterStore)
        shown = "redis+cluster://one:1,two:6379,[::1]:3"
        assert repr(store) == f"<RedisClusterStore {shown} prefix='shop:'>"
        assert store._cluster.timeout == 3

    @pytest.mark.parametrize(
        "url",
        [
            "redis+cluster://:secret@host/1",
            "redis+cluster://:secret@host,",
            "redis+cluster://:secret@host:secret",
            "redis+cluster://:sec/ret@host",
            "redis+cluster://:secret@host?unknown=secret",
            "redis+cluster://:secret@host?wait_replicas=secret",
            "redis+cluster://:secret#@host",
            "redis+cluster://:secret@",
            "rediss+cluster://:secret@host?eviction=secret",
        ],
    )
    def test_what_is_wrong_is_said_without_the_password(self, url: str) -> None:
        assert_refused_without_its_password(url)

    def test_passwords_and_users(self) -> None:
        with RedisCluster(requirepass="hunter2", masterauth="hunter2") as cluster:
            for node in cluster.masters:
                tell(node, "ACL SETUSER shop on >pw ~shop:* +@all")
            hosts = cluster.url.partition("//")[2]
            store = RedisClusterStore(f"redis+cluster://shop:pw@{hosts}", prefix="shop:")
            key = new_key()
            assert store.swap(key, None, new_record(owner="ann"))
            assert store.owned_by("ann", 0.0) == [key]
            wrong = RedisClusterStore(f"redis+cluster://shop:hunter3@{hosts}", prefix="shop:")
            with pytest.raises(StoreUnavailable) as caught:
                wrong.get(key)
            assert caught.value.unreachable is False
            assert "hunter" not in f"{caught.value!r} {wrong!r}"
            with pytest.raises(StoreUnavailable, match=r"(?i)permission"):
                RedisClusterStore(f"redis+cluster://shop:pw@{hosts}").get(key)
