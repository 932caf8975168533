from __future__ import annotations

import contextlib
import functools
import os
import secrets
import threading
import time
import typing as t
import warnings

import psycopg
import psycopg_pool
import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores import open_store
from sessionkit.stores._postgres_connection import Connection
from sessionkit.stores._postgres_connection import check
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import StoreConformance
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import PostgreSQLServer

CAPABILITIES = frozenset({Moving, Owned, Sweepable, Enumerable, Closeable})
TABLE = "sessionkit_sessions"

#: For a store for which a busy machine is no outage.
PATIENT: dict[str, t.Any] = {"timeout": 20.0, "connect_timeout": 20.0}


@pytest.fixture
def url(postgresql_server: PostgreSQLServer) -> str:
    """The URL of a database with an empty table."""
    PostgresStore(postgresql_server.url, **PATIENT).create_schema()
    postgresql_server.execute(f"TRUNCATE {TABLE}")
    return postgresql_server.url


@pytest.fixture
def store(url: str) -> PostgresStore:
    return PostgresStore(url, **PATIENT)


@pytest.fixture
def new_table(postgresql_server: PostgreSQLServer) -> t.Iterator[str]:
    """The name of a table that is not there."""
    name = f"t_{secrets.token_hex(8)}"
    yield name
    postgresql_server.execute(f"DROP TABLE IF EXISTS {name}")


def write(store: PostgresStore, owner: str | None = "ann") -> str:
    key = new_key()
    assert store.swap(key, None, new_record(owner=owner))
    assert store.get(key) is not None
    return key


class TestPostgresStore(StoreConformance):
    capabilities: t.ClassVar = CAPABILITIES

    @pytest.fixture
    def store(self, url: str) -> Store:
        self.url = url
        return PostgresStore(url, **PATIENT)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(PostgresStore, self.url, **PATIENT)

    def neighbour(self, store: Store) -> Store:
        neighbour = PostgresStore(self.url, table="neighbours", **PATIENT)
        neighbour.create_schema()
        neighbour.clear()
        return neighbour


@pytest.mark.attack
@pytest.mark.slow
class TestPostgresStoreWithoutPreparingAnythingUnderAnotherIsolation(StoreConformance):
    """As through PgBouncer, to a database whose transactions see only what was when they began."""

    capabilities: t.ClassVar = CAPABILITIES
    rounds = 10

    @pytest.fixture
    def store(self, url: str) -> Store:
        self.url = f"{url}?options=-c%20default_transaction_isolation%3Drepeatable%5C%20read"
        return PostgresStore(self.url, prepare=False, **PATIENT)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(PostgresStore, self.url, prepare=False, **PATIENT)


@pytest.mark.attack
class TestPostgresStoreThroughAPool(StoreConformance):
    capabilities: t.ClassVar = CAPABILITIES
    rounds = 10

    @pytest.fixture
    def store(self, url: str) -> t.Iterator[Store]:
        self.url = url
        with psycopg_pool.ConnectionPool(url, min_size=1, max_size=8) as pool:
            yield PostgresStore(pool, **PATIENT)

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
    return PostgresStore(pool, **PATIENT)


class TestSchema:
    def test_without_a_table_it_is_said_what_to_do(self, url: str, new_table: str) -> None:
        store = PostgresStore(url, table=new_table, **PATIENT)
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
            stores = [PostgresStore(url, table=table, **PATIENT) for _ in range(8)]
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
        store = PostgresStore(url, table=new_table, **PATIENT)
        key = write(store)
        store.create_schema()
        assert store.owned_by("ann", 0.0) == [key]

    def test_a_missing_index_is_added(
        self, postgresql_server: PostgreSQLServer, url: str, new_table: str
    ) -> None:
        store = PostgresStore(url, table=new_table, **PATIENT)
        store.create_schema()
        postgresql_server.execute(f"DROP INDEX {new_table}_owner")
        store.create_schema()
        assert postgresql_server.execute("SELECT to_regclass(%s)", f"{new_table}_owner") != [
            (None,)
        ]

    def test_a_table_in_a_schema(self, postgresql_server: PostgreSQLServer, url: str) -> None:
        postgresql_server.execute('CREATE SCHEMA IF NOT EXISTS "Shop"')
        store = PostgresStore(url, table="Shop.Sessions", **PATIENT)
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
        store = PostgresStore(shop, **PATIENT)
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
        store = PostgresStore(url, table=new_table, **PATIENT)
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


def operations(store: PostgresStore) -> list[t.Callable[[], object]]:
    """Every kind of operation, with keys that are not there."""
    record = new_record(owner="ann")
    return [
        lambda: store.get(new_key()),
        lambda: store.swap(new_key(), None, record),
        lambda: store.swap(new_key(), record, successor(record)),
        lambda: store.delete(new_key(), record),
        lambda: store.move(new_key(), record, successor(record), new_key(), record),
        lambda: store.owned_by("ann", 0.0),
        lambda: store.sweep(0.0),
        lambda: list(store.keys()),
        lambda: store.count(0.0),
    ]


class TestSynchronousCommit:
    @pytest.mark.parametrize(
        ("setting", "writes", "ends"),
        [
            (None, "local", "local"),
            ("on", "on", "on"),
            ("off", "off", "local"),
            ("remote_apply", "remote_apply", "remote_apply"),
        ],
    )
    def test_what_a_write_commits_with(
        self,
        postgresql_server: PostgreSQLServer,
        url: str,
        new_table: str,
        setting: str | None,
        writes: str,
        ends: str,
    ) -> None:
        query = "" if setting is None else f"&synchronous_commit={setting}"
        # The server's own setting is another one, so that it can be told apart.
        store = open_store(
            f"{url}?table={new_table}&options=-c%20synchronous_commit%3Dlocal{query}"
        )
        assert isinstance(store, PostgresStore)
        store.create_schema()
        with postgresql_server.client() as client:
            client.execute(TOLD.format(table=new_table).encode())
        key, record = new_key(), new_record()
        stub = successor(record)
        assert store.swap(key, None, record)
        assert store.swap(key, record, stub)
        assert store.move(key, stub, successor(stub), new_key(), record)
        assert store.delete(key, successor(stub))
        told = postgresql_server.execute(f"SELECT commit FROM {new_table}_told ORDER BY n")
        assert [commit for (commit,) in told] == [writes, writes, ends, ends, ends]

    def test_something_else(self) -> None:
        with pytest.raises(ConfigurationError, match="synchronous_commit cannot be 'never'"):
            open_store("postgresql:///?synchronous_commit=never")


TOLD = """\
CREATE TABLE {table}_told (n serial, commit text);
CREATE FUNCTION {table}_tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO {table}_told (commit) SELECT current_setting('synchronous_commit');
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_tell();
"""


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
            PostgresStore(url, table=table, **PATIENT) for table in (TABLE, new_table, TABLE)
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


def shown(error: BaseException | None) -> str:
    """Return all that a traceback shows of *error*."""
    if error is None:
        return ""
    return f"{error!s} {error!r} {shown(error.__cause__)} {shown(error.__context__)}"


class TestPools:
    def test_a_pool_stays_as_it_was(self, url: str) -> None:
        with psycopg_pool.ConnectionPool(url, min_size=1, max_size=1) as pool:
            store = PostgresStore(pool, **PATIENT)
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
            store = PostgresStore(pool, **PATIENT)
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
        store = PostgresStore(pool, **PATIENT)
        with pytest.raises(StoreUnavailable, match="not open"):
            store.get(new_key())
        with pool:
            write(store)

    def test_connections_that_died_in_a_pool(
        self, postgresql_server: PostgreSQLServer, url: str
    ) -> None:
        with psycopg_pool.ConnectionPool(url, min_size=3, max_size=3) as pool:
            pool.wait()
            store = PostgresStore(pool, **PATIENT)
            for operation in (write, lambda store: store.get(new_key())):
                terminate(postgresql_server)
                operation(store)


def refused(store: PostgresStore) -> bool:
    try:
        store.get(new_key())
    except ConfigurationError:
        return True
    return False


def terminate(server: PostgreSQLServer) -> None:
    """End the connections of everybody else, and wait until they have been told."""
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND client_port IS NOT NULL"
    server.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")


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
