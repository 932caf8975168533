"""How often a statement is sent."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit.stores import _sqlalchemy_connections
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import MariaDBServer
from tests.servers import Proxy
from tests.stores.sqlalchemy.support import fails
from tests.stores.sqlalchemy.support import write


class TestNothingIsSentTwice:
    @pytest.fixture
    def proxy(self, mariadb_server: MariaDBServer) -> cabc.Iterator[Proxy]:
        with Proxy(mariadb_server.port) as proxy:
            yield proxy

    def through(self, proxy: Proxy) -> SQLAlchemyStore:
        return SQLAlchemyStore(f"mysql+pymysql://root@127.0.0.1:{proxy.port}/sessions")

    def test_a_write_whose_answer_is_lost(self, proxy: Proxy, store: SQLAlchemyStore) -> None:
        through = self.through(proxy)
        key, record = new_key(), new_record(owner="ann")
        second = successor(record)
        for operation in (
            lambda: through.swap(key, None, record),
            lambda: through.swap(key, record, second),
            lambda: through.delete(key, second),
        ):
            assert through.get(new_key()) is None
            proxy.requests, proxy.lose_answers = 0, True
            fails(operation, unreachable=True)
            assert proxy.requests == 1
            proxy.lose_answers = False
        assert store.get(key) is None, "all of it was carried out"
        assert store.swap(key, None, record)

    def test_a_move_of_which_an_answer_is_lost_is_done_or_not(
        self, proxy: Proxy, store: SQLAlchemyStore
    ) -> None:
        through = self.through(proxy)
        key, record = write(store)
        assert through.get(key) == record
        target = new_key()
        proxy.lose_answers = True
        fails(
            lambda: through.move(key, record, successor(record), target, record), unreachable=True
        )
        proxy.lose_answers = False
        assert store.get(key) == record
        assert store.get(target) is None
        assert through.move(key, record, successor(record), target, record)

    def test_a_read_is_sent_again_once(self, proxy: Proxy, store: SQLAlchemyStore) -> None:
        through = self.through(proxy)
        key, record = write(store)
        assert through.get(key) == record
        proxy.cut()
        made = proxy.connections
        assert through.get(key) == record
        assert proxy.connections == made + 1

    def test_a_write_on_a_connection_that_died_while_idle(
        self, proxy: Proxy, store: SQLAlchemyStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        through = self.through(proxy)
        for trusted in (0.0, 3600.0):
            monkeypatch.setattr(_sqlalchemy_connections, "TRUSTED", trusted)
            write(through)
            proxy.cut()
            if trusted:
                fails(lambda: write(through), unreachable=True)
            write(through)

    def test_one_request_a_call(self, proxy: Proxy, store: SQLAlchemyStore) -> None:
        through = self.through(proxy)
        key, target, record = new_key(), new_key(), new_record(owner="ann")
        assert through.get(key) is None
        counts = []
        for operation in (
            lambda: through.swap(key, None, record),
            lambda: through.get(key),
            lambda: through.swap(key, record, successor(record)),
            lambda: through.owned_by("ann", 0.0),
            lambda: through.move(
                key, successor(record), successor(successor(record)), target, record
            ),
            lambda: through.delete(target, record),
        ):
            proxy.requests = 0
            assert operation()
            counts.append(proxy.requests)
        assert counts == [1, 1, 1, 1, 4, 1]
        assert proxy.connections == 1
