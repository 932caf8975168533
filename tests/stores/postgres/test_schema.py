"""The table: who makes it, what it is called, and what becomes of another one."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time

import psycopg
import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import PostgreSQLServer
from tests.stores.postgres.support import TABLE
from tests.stores.postgres.support import operations
from tests.stores.postgres.support import patient_store
from tests.stores.postgres.support import write


class TestSchema:
    def test_without_a_table_it_is_said_what_to_do(self, url: str, new_table: str) -> None:
        store = patient_store(url, table=new_table)
        for operation in operations(store):
            with pytest.raises(StoreUnavailable, match=r"create_schema\(\)") as caught:
                operation()
            assert caught.value.unreachable is False
            assert new_table in str(caught.value)
        store.create_schema()
        write(store)

    def test_it_can_be_created_again(self, store: PostgresStore) -> None:
        key = write(store)
        store.create_schema()
        assert store.get(key) is not None

    def test_everybody_may_create_it_at_once(self, url: str) -> None:
        for _ in range(5):
            table = f"t_{secrets.token_hex(8)}"
            stores = [patient_store(url, table=table) for _ in range(8)]
            barrier = threading.Barrier(len(stores))
            errors: list[BaseException] = []

            def create(
                store: PostgresStore,
                barrier: threading.Barrier = barrier,
                errors: list[BaseException] = errors,
            ) -> None:
                barrier.wait()
                try:
                    store.create_schema()
                except BaseException as error:  # noqa: BLE001 - compared below
                    errors.append(error)

            threads = [threading.Thread(target=create, args=(store,)) for store in stores]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert errors == []
            write(stores[0])

    def test_the_printed_sql_is_what_is_needed(
        self, postgresql_server: PostgreSQLServer, url: str, new_table: str
    ) -> None:
        with postgresql_server.client() as client:
            client.execute(PostgresStore.schema(new_table).encode())
        store = patient_store(url, table=new_table)
        key = write(store)
        store.create_schema()
        assert store.owned_by("ann", 0.0) == [key]

    def test_a_missing_index_is_added(
        self, postgresql_server: PostgreSQLServer, url: str, new_table: str
    ) -> None:
        store = patient_store(url, table=new_table)
        store.create_schema()
        postgresql_server.execute(f"DROP INDEX {new_table}_owner")
        store.create_schema()
        assert postgresql_server.execute("SELECT to_regclass(%s)", f"{new_table}_owner") != [
            (None,)
        ]

    def test_a_table_without_times_to_sweep_at_is_brought_up_to_date(
        self, postgresql_server: PostgreSQLServer, url: str, new_table: str
    ) -> None:
        store = patient_store(url, table=new_table)
        store.create_schema()
        key = write(store)
        postgresql_server.execute(f"ALTER TABLE {new_table} DROP COLUMN sweep_at")
        with pytest.raises(StoreUnavailable, match=r"create_schema\(\) brings one of an earlier"):
            store.swap(new_key(), None, new_record())
        store.create_schema()
        record = store.get(key)
        assert record is not None
        assert store.swap(key, record, successor(record))
        assert store.sweep(record.expires_at - 1) == 0
        assert store.sweep(time.time() + 1e9) == 1

    def test_a_table_in_a_schema(self, postgresql_server: PostgreSQLServer, url: str) -> None:
        postgresql_server.execute('CREATE SCHEMA IF NOT EXISTS "Shop"')
        store = patient_store(url, table="Shop.Sessions")
        store.create_schema()
        store.create_schema()
        key = write(store)
        found = postgresql_server.execute('SELECT encode(key, \'hex\') FROM "Shop"."Sessions"')
        assert (key,) in found

    def test_a_user_who_may_not_create_needs_nothing_more(
        self, postgresql_server: PostgreSQLServer, url: str
    ) -> None:
        with contextlib.suppress(psycopg.errors.DuplicateObject):
            postgresql_server.execute("CREATE ROLE shop LOGIN")
        postgresql_server.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        postgresql_server.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO shop")
        shop = postgresql_server.url_as("shop")
        store = patient_store(shop)
        store.create_schema()
        key = write(store)
        record = store.get(key)
        assert record is not None
        assert store.move(key, record, successor(record), new_key(), new_record())
        assert store.sweep(time.time() + 1e6) == 2
        with pytest.raises(StoreUnavailable, match="permission denied") as caught:
            PostgresStore(shop, table="not_there").create_schema()
        assert caught.value.unreachable is False

    def test_another_applications_table(
        self, postgresql_server: PostgreSQLServer, url: str, new_table: str
    ) -> None:
        postgresql_server.execute(f"CREATE TABLE {new_table} (key text, value text)")
        store = patient_store(url, table=new_table)
        for operation in operations(store):
            with pytest.raises(StoreUnavailable, match="is not a table of") as caught:
                operation()
            assert caught.value.unreachable is False

    def test_no_record_is_damaged_by_hand(
        self, postgresql_server: PostgreSQLServer, store: PostgresStore
    ) -> None:
        write(store)
        for change in ("version = -1", "payload = NULL", "expires_at = NULL", "version = NULL"):
            with pytest.raises(psycopg.IntegrityError):
                postgresql_server.execute(f"UPDATE {TABLE} SET {change}")

    def test_a_table_that_was_made_anew(
        self, postgresql_server: PostgreSQLServer, store: PostgresStore
    ) -> None:
        key = write(store)
        record = store.get(key)
        assert record is not None
        postgresql_server.execute(f"DROP TABLE {TABLE}")
        store.create_schema()
        assert store.get(key) is None
        assert store.swap(key, record, successor(record)) is False
        assert store.delete(key, record) is False
        write(store)

    @pytest.mark.parametrize("table", ["", "a-b", "1a", "a.b.c", 'a"', "a b", ".a", "x" * 57])
    def test_names(self, table: str) -> None:
        with pytest.raises(ConfigurationError, match="table name"):
            PostgresStore("postgresql:///", table=table)
        with pytest.raises(ConfigurationError, match="table name"):
            PostgresStore.schema(table)
