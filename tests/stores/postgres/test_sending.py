"""How often a statement is sent."""

from __future__ import annotations

import functools
import typing as t

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import PostgreSQLServer
from tests.servers import Proxy
from tests.stores.postgres.support import patient_store
from tests.stores.postgres.support import until
from tests.stores.postgres.support import write


class TestNothingIsSentTwice:
    @pytest.fixture
    def proxy(self, postgresql_server: PostgreSQLServer) -> t.Iterator[Proxy]:
        with Proxy(postgresql_server.port) as proxy:
            yield proxy

    @pytest.fixture
    def through(self, store: PostgresStore, proxy: Proxy) -> PostgresStore:
        return patient_store(f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres")

    def test_a_write_whose_answer_is_lost(
        self, proxy: Proxy, store: PostgresStore, through: PostgresStore
    ) -> None:
        key, target, record = new_key(), new_key(), new_record(owner="ann")
        stub, created = successor(record), new_key()
        assert store.swap(key, None, record)
        changes: list[t.Callable[[], object]] = [
            lambda: through.swap(created, None, record),
            lambda: through.swap(key, record, stub),
            lambda: through.move(key, stub, successor(stub), target, record),
            lambda: through.delete(target, record),
        ]
        for change in changes:
            connection = through._connections.fresh()
            for statement in vars(through._sql).values():
                connection.prepare(statement)
            through._connections.give(connection)
            proxy.requests, proxy.lose_answers = 0, True
            with pytest.raises(StoreUnavailable) as caught:
                change()
            assert caught.value.unreachable is True
            assert proxy.requests == 1
            proxy.lose_answers = False
        until(lambda: store.get(target) is None and store.get(created) == record)
        assert store.get(key) == successor(stub)

    def test_a_read_whose_answer_is_lost_is_sent_again_once(
        self, proxy: Proxy, through: PostgresStore
    ) -> None:
        key = write(through)
        proxy.cut()
        made = proxy.connections
        assert through.get(key) is not None
        assert proxy.connections == made + 1
        proxy.lose_answers = True
        with pytest.raises(StoreUnavailable):
            through.get(key)
        assert proxy.connections == made + 2

    def test_one_request_an_operation(self, proxy: Proxy, through: PostgresStore) -> None:
        for _ in range(2):  # the first time they are prepared
            key, target, record = new_key(), new_key(), new_record(owner="ann")
            stub = successor(record, owner=None)
            counts = []
            steps: list[t.Callable[[], object]] = [
                functools.partial(through.swap, key, None, record),
                functools.partial(through.get, key),
                functools.partial(through.move, key, record, stub, target, record),
                functools.partial(through.swap, target, record, successor(record)),
                functools.partial(through.owned_by, "ann", 0.0),
                functools.partial(through.delete, target, successor(record)),
            ]
            for step in steps:
                proxy.requests = 0
                assert step()
                counts.append(proxy.requests)
        assert counts == [1] * 6
