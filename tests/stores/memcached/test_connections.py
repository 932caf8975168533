"""How many connections there are, and whose."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
import typing as t
import weakref

import pytest

from sessionkit.stores._memcached_connection import Connection
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.servers import Proxy
from tests.servers.memcached import MemcachedServer
from tests.stores.memcached.support import fill_free_list
from tests.stores.memcached.support import read
from tests.stores.memcached.support import write


class TestConnections:
    def test_nothing_is_connected_to_by_the_constructor(self, server: MemcachedServer) -> None:
        with Proxy(server.port) as proxy:
            store = MemcachedStore(f"memcached://127.0.0.1:{proxy.port}")
            repr(store)
            store.node_of(new_key())
            time.sleep(0.02)
            assert proxy.connections == 0

    def test_one_is_enough_for_any_number_of_threads_one_after_the_other(
        self, server: MemcachedServer
    ) -> None:
        with Proxy(server.port) as proxy:
            store = MemcachedStore(f"memcached://127.0.0.1:{proxy.port}")
            for _ in range(20):
                thread = threading.Thread(target=write, args=(store,))
                thread.start()
                thread.join()
            assert proxy.connections == 1

    def connections(self, client: t.Any) -> int:
        time.sleep(0.02)
        return t.cast(int, client.stats()[b"curr_connections"])

    def test_idle_ones_are_bounded(self, own_server: MemcachedServer) -> None:
        with contextlib.closing(own_server.client()) as client:
            before = self.connections(client)
            store = MemcachedStore(own_server.url, max_idle=2)
            fill_free_list(store, 6)
            assert self.connections(client) == before + 2
            store.close()
            assert self.connections(client) == before

    def test_a_store_that_is_forgotten_closes_its_own(self, own_server: MemcachedServer) -> None:
        with contextlib.closing(own_server.client()) as client:
            before = self.connections(client)
            store = MemcachedStore(own_server.url)
            write(store)
            gone = weakref.ref(store)
            del store
            gc.collect()
            assert gone() is None
            assert self.connections(client) == before

    def test_one_that_was_interrupted_is_not_used_again(
        self, store: MemcachedStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = [write(store, b"%d" % number) for number in range(2)]

        def interrupted(connection: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Connection, "_receive", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.get(keys[0])
            with pytest.raises(KeyboardInterrupt):
                store.swap(new_key(), None, new_record())
        assert read(store, keys[1]).payload == b"1", "no answer to the question before"
        assert store.get(new_key()) is None

    def test_a_child_uses_none_of_its_parents(self, store: MemcachedStore) -> None:
        key = write(store)
        (server,) = store._servers.all
        pid = os.fork()
        if pid == 0:
            os._exit(0 if server._list.idle() is None else 1)
        assert os.waitpid(pid, 0)[1] == 0
        connection = server._list.idle()
        assert connection is not None, "the parent's own is still good"
        server.give(connection)
        assert store.get(key) is not None
