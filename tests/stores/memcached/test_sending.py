"""How often a command is sent."""

from __future__ import annotations

import time
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit.store import Record
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import Proxy
from tests.servers.memcached import MemcachedServer
from tests.stores.memcached.support import fill_free_list
from tests.stores.memcached.support import read
from tests.stores.memcached.support import unavailable
from tests.stores.memcached.support import write


class TestNothingIsSentTwice:
    @pytest.fixture
    def proxy(self, server: MemcachedServer) -> t.Iterator[Proxy]:
        with Proxy(server.port) as proxy:
            yield proxy

    @pytest.fixture
    def through(self, proxy: Proxy) -> MemcachedStore:
        return MemcachedStore(f"memcached://127.0.0.1:{proxy.port}")

    def test_a_write_whose_answer_is_lost(
        self, proxy: Proxy, through: MemcachedStore, store: MemcachedStore
    ) -> None:
        key, gone, created, record = new_key(), write(store), new_key(), new_record()
        assert through.swap(key, None, record)
        steps: list[t.Callable[[Record, Record], object]] = [
            lambda _, __: through.swap(created, None, record),
            lambda found, _: through.swap(key, found, successor(record)),
            lambda _, found: through.delete(gone, found),
        ]
        for step in steps:
            found, doomed = read(through, key), read(through, gone)
            fill_free_list(through, 1)
            found, doomed = read(through, key), read(through, gone)
            proxy.requests, proxy.lose_answers = 0, True
            with unavailable("closed|reset", unreachable=True):
                step(found, doomed)
            assert proxy.requests == 1
            proxy.lose_answers = False
        assert store.get(key) == successor(record), "it was carried out"
        assert store.get(created) == record
        assert store.get(gone) is None

    def test_a_read_whose_answer_is_lost_is_sent_again_once(
        self, proxy: Proxy, through: MemcachedStore
    ) -> None:
        key = write(through)
        proxy.cut()
        made = proxy.connections
        assert through.get(key) is not None
        assert proxy.connections == made + 1
        proxy.lose_answers = True
        with unavailable("closed|reset", unreachable=True):
            through.get(key)
        assert proxy.connections == made + 2

    def test_a_write_on_a_connection_that_died_while_idle(
        self, proxy: Proxy, through: MemcachedStore
    ) -> None:
        for _ in range(3):
            write(through)
            fill_free_list(through, 3)
            proxy.cut()
            time.sleep(0.01)  # until the news is here

    def test_requests_of_a_session(self, proxy: Proxy, through: MemcachedStore) -> None:
        manager = SessionManager(through)
        write(through)

        def requests(change: t.Callable[[t.Any], object], cookie: str = "") -> tuple[int, str]:
            proxy.requests = 0
            session = manager.open(cookie)
            change(session)
            instruction: t.Any = manager.commit(session)
            return proxy.requests, getattr(instruction, "value", cookie)

        created, value = requests(lambda session: session.update(cart=1))
        cookie = f"{manager.cookie.name}={value}"
        assert created == 1
        assert requests(lambda session: session.get("cart"), cookie)[0] == 1
        assert requests(lambda session: session.update(cart=2), cookie)[0] == 2
        assert requests(lambda session: session.renew(), cookie)[0] == 3
