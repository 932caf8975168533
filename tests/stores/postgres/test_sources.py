"""What a store is made of: URLs, hosts and databases."""

from __future__ import annotations

import typing as t

import psycopg
import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.stores import open_store
from sessionkit.stores._postgres_connection import Connection
from sessionkit.stores._postgres_connection import check
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import new_key
from tests.servers import PostgreSQLServer
from tests.stores.postgres.support import TABLE
from tests.stores.postgres.support import patient_store
from tests.stores.postgres.support import shown
from tests.stores.postgres.support import write


class TestSources:
    def test_an_address_that_is_a_socket(
        self, postgresql_server: PostgreSQLServer, url: str
    ) -> None:
        place = f"host={postgresql_server.folder}&port={postgresql_server.port}"
        store = open_store(f"postgresql://postgres@/postgres?{place}")
        assert isinstance(store, PostgresStore)
        write(store)

    def test_the_second_of_two_hosts(self, postgresql_server: PostgreSQLServer, url: str) -> None:
        port = postgresql_server.port
        store = open_store(f"postgresql://postgres@127.0.0.1:1,localhost:{port}/postgres")
        assert isinstance(store, PostgresStore)
        write(store)

    def test_parameters(self, url: str, new_table: str) -> None:
        store = open_store(
            f"{url}?table={new_table}&margin=5&max_idle=3&timeout=0.5&connect_timeout=0.7"
            "&prepare=no&application_name=shop%20window"
        )
        assert isinstance(store, PostgresStore)
        assert (store.table, store.margin) == (new_table, 5.0)
        store.create_schema()
        write(store)

    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("margin=-1", "negative"),
            ("max_idle=-1", "negative"),
            ("timeout=0", "more than 0"),
            ("connect_timeout=-1", "more than 0"),
            ("prepare=perhaps", "'prepare'"),
            ("colour=red", "'colour' is no parameter"),
            ("table=a-b", "table name"),
            ("margin=1&margin=2", "'margin' is twice"),
            ("port=54x", "its host and port are none"),
        ],
    )
    def test_what_is_wrong_is_said(self, query: str, text: str) -> None:
        with pytest.raises(ConfigurationError, match=text):
            open_store(f"postgresql://host/database?{query}")

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://user:hunter2/x@host/database",
            "postgresql://user:hunter2?x@host/database",
            "postgresql://user:hunter2#x@host/database",
            "postgresql://user:hunter2@x@host/database",
            "postgresql://user:hunter2%@host/database",
            "postgresql://user:hunter2@[host/database",
        ],
    )
    def test_a_password_that_is_not_encoded_is_not_shown(self, url: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            open_store(url)
        assert "hunter" not in shown(caught.value)

    def test_a_password_is_not_in_the_repr(self) -> None:
        store = PostgresStore("postgresql://user:hunter2@host:5433/shop")
        assert repr(store) == (
            "<PostgresStore postgresql://host:5433/shop table='sessionkit_sessions'>"
        )

    @pytest.mark.parametrize(
        ("url", "address"),
        [
            ("postgres://a.example/shop", "postgresql://a.example:5432/shop"),
            ("postgresql://[::1]:5433/shop", "postgresql://[::1]:5433/shop"),
            ("postgresql://a:1,b:2/shop", "postgresql://a,b:1,2/shop"),
            ("postgresql:///shop?host=/run/pg", "postgresql:///shop?host=/run/pg&port=5432"),
        ],
    )
    def test_addresses(self, url: str, address: str) -> None:
        assert f" {address} " in repr(open_store(url))

    def test_a_plus_in_the_url_is_a_plus(self, postgresql_server: PostgreSQLServer) -> None:
        store = open_store(f"{postgresql_server.url}?application_name=a+b%20c")
        assert isinstance(store, PostgresStore)
        connection = store._connections.fresh()
        assert connection.pgconn.parameter_status(b"application_name") == b"a+b c"
        connection.close()

    @pytest.mark.parametrize("source", [None, 1, b"postgresql://", object(), {}, psycopg])
    def test_something_else(self, source: object) -> None:
        with pytest.raises(ConfigurationError, match="ConnectionPool"):
            PostgresStore(source)

    @pytest.mark.parametrize(
        ("version", "encoding", "text"),
        [(120022, b"UTF8", "version 12"), (130000, b"LATIN1", "encoding LATIN1")],
    )
    def test_a_server_that_will_not_do(self, version: int, encoding: bytes, text: str) -> None:
        class Stub:
            server_version = version

            def parameter_status(self, name: bytes) -> bytes:
                return encoding

        with pytest.raises(ConfigurationError, match=text):
            check(t.cast(t.Any, Stub()))

    def test_a_database_with_another_encoding(self, postgresql_server: PostgreSQLServer) -> None:
        with postgresql_server.client() as client:
            client.execute("DROP DATABASE IF EXISTS old")
            client.execute("CREATE DATABASE old ENCODING 'LATIN1' TEMPLATE template0")
        store = PostgresStore(postgresql_server.url_as("postgres", database="old"))
        with pytest.raises(ConfigurationError, match="UTF8"):
            store.get(new_key())

    def test_several_stores_on_connections_that_somebody_shares_out(
        self, url: str, new_table: str
    ) -> None:
        first, second, third = (
            patient_store(url, table=table) for table in (TABLE, new_table, TABLE)
        )
        second.create_schema()
        key = write(first)
        connection = first._connections.idle()
        assert connection is not None
        for store in (second, third):  # as PgBouncer would, without telling them
            store._connections.give(Connection(connection.pgconn, timeout=20.0, prepare=True))
        assert second.get(key) is None
        write(second)
        with pytest.raises(StoreUnavailable, match=r"already exists; .* prepare=False"):
            third.get(key)
        assert connection.execute(first._sql.get, [bytes.fromhex(key)]).ntuples == 1
