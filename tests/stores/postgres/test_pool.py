"""A store on the connections of somebody else."""

from __future__ import annotations

import functools
import os
import threading
import typing as t
import warnings

import psycopg_pool
import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Store
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import StoreConformance
from sessionkit.testing import new_key
from sessionkit.testing import successor
from tests.servers import PostgreSQLServer
from tests.stores.postgres.support import CAPABILITIES
from tests.stores.postgres.support import patient_store
from tests.stores.postgres.support import terminate
from tests.stores.postgres.support import write


@pytest.mark.attack
class TestPostgresStoreThroughAPool(StoreConformance):
    capabilities: t.ClassVar = CAPABILITIES
    rounds = 10

    @pytest.fixture
    def store(self, url: str) -> t.Iterator[Store]:
        self.url = url
        with psycopg_pool.ConnectionPool(url, min_size=1, max_size=8) as pool:
            yield patient_store(pool)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(pooled, self.url)

    def test_fork(self, store: Store) -> None:
        assert isinstance(store, PostgresStore)
        write(store)
        assert in_a_child(lambda: refused(store))
        write(store)

    def test_fork_while_threads_write(self, store: Store) -> None:
        pool_store = t.cast(PostgresStore, store)
        writers = [threading.Thread(target=write_often, args=(pool_store,)) for _ in range(2)]
        for writer in writers:
            writer.start()
        for _ in range(3):
            assert in_a_child(lambda: refused(pool_store))
        for writer in writers:
            writer.join()


def write_often(store: PostgresStore) -> None:
    for _ in range(50):
        write(store)


def pooled(url: str) -> PostgresStore:
    pool = psycopg_pool.ConnectionPool(url, min_size=1, max_size=2, open=True)
    return patient_store(pool)


class TestPools:
    def test_a_pool_stays_as_it_was(self, url: str) -> None:
        with psycopg_pool.ConnectionPool(url, min_size=1, max_size=1) as pool:
            store = patient_store(pool)
            key = write(store)
            record = store.get(key)
            assert record is not None
            assert store.swap(key, record, successor(record))
            assert store.count(0.0) == 1
            store.close()
            with pool.connection() as connection:
                assert connection.execute("SELECT 1 FROM pg_prepared_statements").fetchall() == []
                found = connection.execute("SHOW statement_timeout").fetchone()
                assert found == ("0",)

    def test_an_open_transaction_of_the_application_is_left_alone(self, url: str) -> None:
        with psycopg_pool.ConnectionPool(url, min_size=2, max_size=2) as pool:
            store = patient_store(pool)
            with pool.connection() as connection:
                connection.execute("CREATE TABLE undone (x int)")
                write(store)
                connection.rollback()
            assert store.count(0.0) == 1
            with pool.connection() as connection:
                assert connection.execute("SELECT to_regclass('undone')").fetchone() == (None,)

    def test_a_pool_that_has_none_left(self, url: str) -> None:
        with psycopg_pool.ConnectionPool(url, min_size=1, max_size=1) as pool:
            store = PostgresStore(pool, connect_timeout=0.1)
            with pool.connection():
                with pytest.raises(StoreUnavailable, match="connection") as caught:
                    store.get(new_key())
                assert caught.value.unreachable is True
            write(store)

    def test_a_pool_that_is_not_open(self, url: str) -> None:
        pool = psycopg_pool.ConnectionPool(url, open=False)
        store = patient_store(pool)
        with pytest.raises(StoreUnavailable, match="not open"):
            store.get(new_key())
        with pool:
            write(store)

    def test_connections_that_died_in_a_pool(
        self, postgresql_server: PostgreSQLServer, url: str
    ) -> None:
        with psycopg_pool.ConnectionPool(url, min_size=3, max_size=3) as pool:
            pool.wait()
            store = patient_store(pool)
            for operation in (write, lambda store: store.get(new_key())):
                terminate(postgresql_server)
                operation(store)


def refused(store: PostgresStore) -> bool:
    try:
        store.get(new_key())
    except ConfigurationError:
        return True
    return False


def in_a_child(function: t.Callable[[], bool]) -> bool:
    """Whether *function* returns true in a process that was forked."""
    with warnings.catch_warnings():  # 3.12 warns where there are threads; that is what is tested
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if function() else 1
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1] == 0
