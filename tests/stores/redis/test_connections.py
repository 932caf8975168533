"""How many connections there are, and whose."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref

import pytest
import redis
import redis.asyncio

from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from tests.servers import Proxy
from tests.servers import RedisServer
from tests.stores.redis.support import fill_free_list
from tests.stores.redis.support import write


class TestConnections:
    def test_nothing_is_connected_to_by_the_constructor(self, redis_server: RedisServer) -> None:
        with Proxy(redis_server.port) as proxy:
            store = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
            RedisStore(redis.Redis(port=proxy.port))
            repr(store)
            time.sleep(0.02)
            assert proxy.connections == 0

    def test_one_is_enough_for_any_number_of_threads_one_after_the_other(
        self, redis_server: RedisServer
    ) -> None:
        with Proxy(redis_server.port) as proxy:
            store = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
            for _ in range(20):
                thread = threading.Thread(target=write, args=(store,))
                thread.start()
                thread.join()
            assert proxy.connections == 1

    def test_idle_ones_are_bounded(self, redis_url: str, client: redis.Redis) -> None:
        store = RedisStore(redis_url, max_idle=2)
        gc.collect()
        time.sleep(0.02)
        before = client.info("clients")["connected_clients"]
        barrier = threading.Barrier(6)
        threads = [threading.Thread(target=fill_free_list, args=(store, barrier)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(0.02)
        assert client.info("clients")["connected_clients"] == before + 2

    def test_one_that_was_interrupted_is_not_used_again(
        self, store: RedisStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = [write(store) for _ in range(2)]

        def interrupted(connection: redis.Connection, *arguments: object, **more: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(redis.Connection, "read_response", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.get(keys[0])
        record = store.get(keys[1])
        assert record is not None
        assert record.owner == "ann"
        assert store.get(new_key()) is None, "no answer to the question before"

    def test_a_store_that_is_forgotten_closes_its_own(
        self, redis_url: str, client: redis.Redis
    ) -> None:
        gc.collect()
        time.sleep(0.02)
        before = client.info("clients")["connected_clients"]
        store = RedisStore(redis_url)
        write(store)
        gone = weakref.ref(store)
        del store
        gc.collect()
        assert gone() is None
        time.sleep(0.02)
        assert client.info("clients")["connected_clients"] == before

    def test_a_child_uses_none_of_its_parents(self, store: RedisStore) -> None:
        key = write(store)
        pid = os.fork()
        if pid == 0:
            os._exit(0 if store._connections.idle() is None else 1)
        assert os.waitpid(pid, 0)[1] == 0
        connection = store._connections.idle()
        assert connection is not None, "the parent's own is still good"
        store._connections.give(connection)
        assert store.get(key) is not None
