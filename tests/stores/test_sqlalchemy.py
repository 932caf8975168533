from __future__ import annotations

import collections.abc as cabc
import contextlib
import functools
import logging
import os
import sqlite3
import threading
import time
import traceback
import typing as t
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc
import sqlalchemy.orm
import sqlalchemy.pool

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Record
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores import _sqlalchemy_connections
from sessionkit.stores import open_store
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from sessionkit.testing._capabilities import CapabilityTests
from sessionkit.testing._contract import ContractTests
from sessionkit.testing._races import RaceTests
from sessionkit.testing._support import in_threads
from tests.servers import MariaDBServer
from tests.servers import PostgreSQLServer
from tests.servers import Proxy

Operation = t.Callable[[], object]


@pytest.fixture(scope="module")
def postgresql_server(start_server: cabc.Callable[..., PostgreSQLServer]) -> PostgreSQLServer:
    """Another one than everybody's, in which ``PostgresStore`` has a table of the same name."""
    return start_server(PostgreSQLServer)


def postgresql(server: PostgreSQLServer) -> str:
    return server.url.replace("postgresql:", "postgresql+psycopg:")


def opened(source: object, **settings: t.Any) -> SQLAlchemyStore:
    store = SQLAlchemyStore(source, **settings)
    store.create_schema()
    return store


def emptied(source: object, **settings: t.Any) -> SQLAlchemyStore:
    for table in ("others", "sessionkit_sessions"):
        store = opened(source, table=table, **settings)
        store.clear()
    return store


def write(store: Store, owner: str | None = "ann") -> tuple[str, Record]:
    key, record = new_key(), new_record(owner=owner)
    assert store.swap(key, None, record)
    assert store.get(key) == record
    return key, record


class OnMariaDB:
    @pytest.fixture
    def store(self, mariadb_server: MariaDBServer) -> Store:
        self.url = mariadb_server.url
        return emptied(self.url)


class OnPostgreSQL:
    @pytest.fixture
    def store(self, postgresql_server: PostgreSQLServer) -> Store:
        self.url = postgresql(postgresql_server)
        return emptied(self.url)


class OnSQLite:
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        path = tmp_path / "sessions.db"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        self.url = f"sqlite:///{path}?timeout=60"
        return emptied(self.url)


class Contract(ContractTests, CapabilityTests):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Sweepable, Enumerable, Closeable})
    url: str

    def neighbour(self, store: Store) -> Store:
        return opened(self.url, table="others")


class Races(RaceTests):
    rounds = 10
    url: str

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(SQLAlchemyStore, self.url)


class TestContractOnMariaDB(OnMariaDB, Contract):
    pass


@pytest.mark.attack
class TestContractOnPostgreSQL(OnPostgreSQL, Contract):
    pass


@pytest.mark.attack
class TestContractOnSQLite(OnSQLite, Contract):
    pass


@pytest.mark.attack
class TestRacesOnMariaDB(OnMariaDB, Races):
    pass


@pytest.mark.attack
class TestRacesOnPostgreSQL(OnPostgreSQL, Races):
    pass


@pytest.mark.attack
class TestRacesOnSQLite(OnSQLite, Races):
    rounds = 5


# Not the isolation that an engine sets, which the store leaves behind, but what a server is set to.
ISOLATIONS = [
    (MariaDBServer, {"transaction_isolation": "READ-COMMITTED"}),
    (MariaDBServer, {"transaction_isolation": "SERIALIZABLE"}),
    (PostgreSQLServer, {"default_transaction_isolation": "repeatable read"}),
    (PostgreSQLServer, {"default_transaction_isolation": "serializable"}),
]


@pytest.fixture(scope="module", params=ISOLATIONS, ids=lambda param: " ".join(param[1].values()))
def isolated(request: pytest.FixtureRequest, start_server: t.Callable[..., t.Any]) -> str:
    server_class, options = request.param
    server = start_server(server_class, **options)
    return postgresql(server) if server_class is PostgreSQLServer else server.url


@pytest.mark.attack
@pytest.mark.slow
class TestRacesWithAnotherIsolation(Races):
    """MariaDB's own is REPEATABLE READ, PostgreSQL's READ COMMITTED."""

    rounds = 5

    @pytest.fixture
    def store(self, isolated: str) -> Store:
        self.url = isolated
        return emptied(self.url)


@pytest.fixture
def store(mariadb_server: MariaDBServer) -> SQLAlchemyStore:
    return emptied(mariadb_server.url)


@pytest.fixture(params=["mariadb", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    server = request.getfixturevalue(f"{request.param}_server")
    return postgresql(server) if request.param == "postgresql" else server.url


@pytest.fixture
def own_server() -> cabc.Iterator[MariaDBServer]:
    """A server that a test may maltreat."""
    with MariaDBServer() as server:
        yield server


@pytest.fixture
def own_postgresql() -> cabc.Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


def each(store: SQLAlchemyStore) -> list[Operation]:
    """Return one of each kind of call."""
    return [
        lambda: store.get(new_key()),
        lambda: store.swap(new_key(), None, new_record()),
        lambda: store.swap(new_key(), new_record(), new_record()),
        lambda: store.delete(new_key(), new_record()),
        lambda: store.move(new_key(), new_record(), new_record(), new_key(), new_record()),
        lambda: store.owned_by("ann", 0.0),
        lambda: store.count(0.0),
        lambda: list(store.keys()),
        lambda: store.sweep(0.0),
        store.clear,
    ]


def fails(operation: Operation, text: str = ":", *, unreachable: bool) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable, match=text) as caught:
        operation()
    assert caught.value.unreachable is unreachable
    return caught.value


@pytest.mark.attack
class TestServerTrouble:
    @pytest.mark.parametrize("driver", ["mysql+pymysql", "postgresql+psycopg"])
    def test_no_server(self, driver: str) -> None:
        store = SQLAlchemyStore(f"{driver}://user:hunter2@127.0.0.1:1/db")
        for operation in each(store):
            error = fails(operation, "refused", unreachable=True)
            assert isinstance(error.__cause__, sa.exc.DBAPIError)
            assert "hunter2" not in "".join(traceback.format_exception(error))

    def test_a_restart_is_not_noticed(
        self,
        own_server: MariaDBServer,
        own_postgresql: PostgreSQLServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(_sqlalchemy_connections, "TRUSTED", 0.0)
        servers = (own_server, own_server.url), (own_postgresql, postgresql(own_postgresql))
        for server, url in servers:
            store = opened(url)
            for operation in each(store):
                in_threads([functools.partial(write, store) for _ in range(3)])
                server.restart()
                operation()
                write(store)

    def test_while_it_is_down_and_after(self, own_server: MariaDBServer) -> None:
        store = opened(own_server.url)
        key, record = write(store)
        own_server.kill()
        for operation in each(store) * 2:
            fails(operation, unreachable=True)
        own_server.start()
        assert store.get(key) == record
        write(store)

    @pytest.mark.parametrize("engine", ["own_server", "own_postgresql"])
    def test_a_server_that_does_not_answer(
        self, engine: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_sqlalchemy_connections, "TRUSTED", 0.0)
        server = request.getfixturevalue(engine)
        url = server.url if engine == "own_server" else postgresql(server)
        store = opened(url, timeout=0.3, connect_timeout=0.3)
        key, record = write(store)
        server.pause()
        for operation in (
            lambda: store.get(key),
            lambda: store.swap(new_key(), None, new_record()),
            lambda: store.get(key),
        ):
            started = time.monotonic()
            fails(operation, unreachable=True)
            assert time.monotonic() - started < 3  # libpq's least for connecting is 2
        server.resume()
        assert store.get(key) == record
        write(store)

    def test_what_was_acknowledged_survives_a_kill(self) -> None:
        with MariaDBServer(durable=True) as server:
            store = opened(server.url)
            written = [write(store) for _ in range(50)]
            gone, record = written.pop()
            assert store.delete(gone, record)
            server.restart()
            assert all(store.get(key) == record for key, record in written)
            assert store.swap(gone, record, successor(record)) is False
            assert set(store.owned_by("ann", 0.0)) == {key for key, _ in written}

    def test_connections_that_the_server_ended(
        self, mariadb_server: MariaDBServer, store: SQLAlchemyStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_sqlalchemy_connections, "TRUSTED", 0.0)
        for operation in each(store):
            write(store)
            for (number,) in mariadb_server.execute(
                "SELECT id FROM information_schema.processlist WHERE id <> connection_id() "
                "AND command <> 'Daemon'"
            ):
                with contextlib.suppress(Exception):
                    mariadb_server.execute(f"KILL {number}")
            operation()

    def test_logins(self, mariadb_server: MariaDBServer) -> None:
        mariadb_server.execute("CREATE OR REPLACE USER shop IDENTIFIED BY 'hunter2'")
        url = mariadb_server.url_as("shop", "hunter3")
        for wrong, text in (
            (url, "Access denied"),
            (mariadb_server.url_as("nobody", "hunter3"), "Access denied"),
            (mariadb_server.url_as("shop", "hunter2"), "Access denied"),  # to the database
            (mariadb_server.url_as("root", database="missing"), "Unknown database"),
        ):
            store = SQLAlchemyStore(wrong)
            for operation in each(store):
                error = fails(operation, text, unreachable=False)
                assert "hunter" not in str(error) + repr(store)

    def test_who_may_not_write(self, mariadb_server: MariaDBServer, store: SQLAlchemyStore) -> None:
        mariadb_server.execute("CREATE OR REPLACE USER reader")
        mariadb_server.execute("GRANT SELECT ON sessions.* TO reader")
        reader = SQLAlchemyStore(mariadb_server.url_as("reader"))
        key, record = write(store)
        assert reader.get(key) == record
        fails(lambda: reader.swap(key, record, record), "command denied", unreachable=False)
        other = SQLAlchemyStore(mariadb_server.url_as("reader"), table="more")
        fails(other.create_schema, "command denied", unreachable=False)

    def test_a_postgresql_login(self, own_postgresql: PostgreSQLServer) -> None:
        url = own_postgresql.url_as("nobody", "hunter2", "postgres")
        store = SQLAlchemyStore(url.replace("postgresql:", "postgresql+psycopg:"))
        fails(lambda: store.get(new_key()), "nobody", unreachable=False)

    def test_a_server_that_only_reads(self, own_server: MariaDBServer) -> None:
        store = opened(own_server.url)
        key, record = write(store)
        own_server.execute("CREATE USER shop")
        own_server.execute("GRANT ALL ON sessions.* TO shop")
        own_server.execute("SET GLOBAL read_only = 1")
        shop = SQLAlchemyStore(own_server.url_as("shop"))
        assert shop.get(key) == record
        fails(lambda: shop.delete(key, record), "read-only", unreachable=False)

    def test_no_more_connections(self, own_server: MariaDBServer) -> None:
        store = opened(own_server.url)
        store.close()
        own_server.execute("CREATE USER shop")
        own_server.execute("GRANT ALL ON sessions.* TO shop")
        own_server.execute("SET GLOBAL max_connections = 10")
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(Exception):
                for _ in range(12):
                    stack.enter_context(own_server.client())
            shop = SQLAlchemyStore(own_server.url_as("shop"))
            fails(lambda: shop.get(new_key()), "Too many connections", unreachable=True)


class TestSchema:
    def test_a_table_that_is_not_there(self, url: str) -> None:
        store = SQLAlchemyStore(url, table="not_there")
        for operation in each(store):
            fails(operation, r"no table not_there: call create_schema\(\)", unreachable=False)

    def test_it_can_be_made_again(self, url: str) -> None:
        store = opened(url)
        key, record = write(store)
        store.create_schema()
        assert store.get(key) == record

    def test_many_make_it_at_once(self, url: str) -> None:
        for turn in range(3):
            stores = [SQLAlchemyStore(url, table=f"table_{turn}") for _ in range(4)]
            _drop(url, f"table_{turn}")
            in_threads([store.create_schema for store in stores])
            write(stores[0])
            inspector = sa.inspect(sa.create_engine(url, poolclass=sa.pool.NullPool))
            assert len(inspector.get_indexes(f"table_{turn}")) == 2

    def test_an_index_that_is_missing_is_made(self, url: str) -> None:
        store = opened(url, table="half")
        inspector = sa.inspect(sa.create_engine(url, poolclass=sa.pool.NullPool))
        on = " ON half" if url.startswith("mysql") else ""
        _execute(url, f"DROP INDEX half_owner{on}")
        store.create_schema()
        assert len(inspector.get_indexes("half")) == 2

    def test_the_sql_for_those_who_migrate_by_hand(self, url: str) -> None:
        _drop(url, "by_hand")
        store = SQLAlchemyStore(url, table="by_hand")
        for statement in filter(str.strip, store.schema().split(";")):
            _execute(url, statement)
        write(store)
        store.create_schema()

    def test_another_table_of_that_name(self, url: str) -> None:
        _drop(url, "another")
        _execute(url, "CREATE TABLE another (x INTEGER)")
        store = SQLAlchemyStore(url, table="another")
        fails(lambda: store.get(new_key()), "another is not a table of", unreachable=False)
        fails(lambda: write(store), "another is not a table of", unreachable=False)
        with pytest.raises(ConfigurationError, match="without key, payload"):
            store.create_schema()

    @pytest.mark.parametrize("table", ["", "a-b", "a.b", "1a", "a b", "a;--", "x" * 55, "é"])
    def test_names_that_are_none(self, table: str) -> None:
        with pytest.raises(ConfigurationError, match="no table name"):
            SQLAlchemyStore("mysql+pymysql://host/db", table=table)

    def test_a_reserved_word(self, url: str) -> None:
        write(opened(url, table="select"))


def _execute(url: str, statement: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def _drop(url: str, table: str) -> None:
    _execute(url, f"DROP TABLE IF EXISTS {table}")


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


class TestOthersInTheDatabase:
    """Locks that others hold, and what they make of our table."""

    def test_the_wait_for_a_lock_is_bounded(self, mariadb_server: MariaDBServer) -> None:
        store = opened(mariadb_server.url, timeout=1.5)
        key, record = write(store)
        with mariadb_server.client() as other, other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("DELETE FROM sessionkit_sessions WHERE `key` = %s", (key,))
            for operation in (
                lambda: store.swap(key, record, successor(record)),
                lambda: store.move(key, record, successor(record), new_key(), record),
            ):
                started = time.monotonic()
                fails(operation, "Lock wait timeout", unreachable=True)
                assert time.monotonic() - started < 3
            assert store.get(key) == record, "a reader does not wait for a writer"
            cursor.execute("ROLLBACK")
        assert store.swap(key, record, successor(record))

    def test_the_wait_for_a_lock_in_postgresql(self, postgresql_server: PostgreSQLServer) -> None:
        store = opened(postgresql(postgresql_server), timeout=0.5)
        key, record = write(store)
        with postgresql_server.client() as other, other.transaction():
            other.execute("DELETE FROM sessionkit_sessions WHERE key = %s", (key,))
            fails(lambda: store.swap(key, record, record), "statement timeout", unreachable=True)
        assert store.get(key) is None

    def test_a_writer_waits_for_another_one(
        self, mariadb_server: MariaDBServer, store: SQLAlchemyStore
    ) -> None:
        key, record = write(store)
        with mariadb_server.client() as other, other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE sessionkit_sessions SET version = 1 WHERE `key` = %s", (key,))
            timer = threading.Timer(0.2, other.commit)
            timer.start()
            assert store.swap(key, record, successor(record)) is False
            timer.join()
        found = store.get(key)
        assert found is not None
        assert found.version == 1

    def test_the_victim_of_a_deadlock_tries_again(
        self, mariadb_server: MariaDBServer, store: SQLAlchemyStore
    ) -> None:
        key, record = write(store)
        target, stub = new_key(), successor(record)
        with mariadb_server.client() as other, other.cursor() as cursor:
            cursor.execute("BEGIN")
            for name in (*(new_key() for _ in range(50)), target):  # whom to undo costs more
                cursor.execute(
                    "INSERT INTO sessionkit_sessions VALUES (%s, '', 1, 0, NULL)", (name,)
                )
            moved: list[bool] = []
            thread = threading.Thread(
                target=lambda: moved.append(store.move(key, record, stub, target, record))
            )
            thread.start()
            _until_somebody_waits(mariadb_server)
            cursor.execute("DELETE FROM sessionkit_sessions WHERE `key` = %s", (key,))
            cursor.execute("ROLLBACK")
            thread.join()
        assert moved == [True]
        assert store.get(key) == stub
        assert store.get(target) == record

    def test_a_constraint_of_somebody_else_is_no_taken_key(self, url: str) -> None:
        store = opened(url, table="bound")
        column = "CAST(owner AS CHAR)" if url.startswith("mysql") else "encode(owner, 'escape')"
        _execute(url, f"ALTER TABLE bound ADD CONSTRAINT small CHECK (length({column}) < 5)")
        key, record = write(store)
        long = new_record(b"a secret payload", owner="somebody@example.org")
        for operation in (
            lambda: store.swap(new_key(), None, long),
            lambda: store.swap(key, record, long),
            lambda: store.move(key, record, successor(record), new_key(), long),
        ):
            error = fails(operation, unreachable=False)
            told = "".join(traceback.format_exception(error))
            assert "secret" not in told
            assert "somebody" not in told
            assert b"a secret".hex() not in told
        assert store.get(key) == record
        _drop(url, "bound")

    def test_a_column_that_is_too_short_cuts_nothing_off(self, own_server: MariaDBServer) -> None:
        own_server.execute("SET GLOBAL sql_mode = ''")
        store = opened(own_server.url)
        own_server.execute("ALTER TABLE sessionkit_sessions MODIFY payload BLOB NOT NULL")
        own_server.execute("ALTER TABLE sessionkit_sessions MODIFY owner VARBINARY(5)")
        key, record = write(store)
        for changed in (
            successor(record, bytes(70_000)),
            successor(record, owner="annabel"),
        ):
            replace = functools.partial(store.swap, key, record, changed)
            fails(replace, "DataError", unreachable=False)
            fails(functools.partial(store.swap, new_key(), None, changed), unreachable=False)
        assert store.get(key) == record

    @pytest.mark.parametrize("mode", ["ANSI", "NO_BACKSLASH_ESCAPES,ANSI_QUOTES", "TRADITIONAL"])
    def test_what_a_server_is_set_to(self, own_server: MariaDBServer, mode: str) -> None:
        own_server.execute(f"SET GLOBAL sql_mode = '{mode}'")
        own_server.execute("SET GLOBAL default_storage_engine = Aria")
        payload = b"\\'; DROP TABLE sessionkit_sessions; -- \0\n\"" + bytes(range(256))
        for source in (own_server.url, sa.create_engine(own_server.url)):
            store = opened(source)
            key, record = new_key(), new_record(payload, owner="\\' OR 1=1 -- ")
            assert store.swap(key, None, record)
            assert store.get(key) == record
            assert record.owner is not None
            assert store.owned_by(record.owner, 0.0) == [key]
            assert store.delete(key, record)
        ((engine,),) = own_server.execute(
            "SELECT engine FROM information_schema.tables WHERE table_name = 'sessionkit_sessions'"
        )
        assert engine == "InnoDB"

    def test_a_session_that_is_larger_than_a_packet(self, own_server: MariaDBServer) -> None:
        own_server.execute("SET GLOBAL max_allowed_packet = 1024 * 1024")
        store = opened(own_server.url)
        key, record = write(store)
        for size in (600_000, 2**20, 20 * 2**20):
            large = successor(record, bytes(size))
            for operation in (
                lambda: store.swap(key, record, large),  # noqa: B023
                lambda: store.swap(new_key(), None, large),  # noqa: B023
                lambda: store.move(key, record, successor(record), new_key(), large),  # noqa: B023
            ):
                fails(operation, f"{size} bytes; raise its max_allowed", unreachable=False)
        assert store.get(key) == record
        assert store.count(0.0) == 1
        assert store.swap(key, record, successor(record, bytes(400_000)))

    @pytest.mark.parametrize(
        "change",
        [
            "payload = 'text'",
            "version = 'x'",
            "version = 1.5",
            "expires_at = 'soon'",
            "owner = x'ff00'",
            "owner = 5",
        ],
    )
    def test_what_somebody_else_put_there_is_no_session(self, tmp_path: Path, change: str) -> None:
        store = opened(f"sqlite:///{tmp_path / 's.db'}")
        key, record = write(store)
        with sqlite3.connect(tmp_path / "s.db") as connection:
            connection.execute(f"UPDATE sessionkit_sessions SET {change}")
        connection.close()
        assert store.get(key) is None
        assert store.swap(key, None, record) is False


def _until_somebody_waits(server: MariaDBServer) -> None:
    give_up = time.monotonic() + 5
    while ("Innodb_row_lock_current_waits", "0") in server.execute(
        "SHOW STATUS LIKE 'Innodb_row_lock_current_waits'"
    ):
        assert time.monotonic() < give_up
        time.sleep(0.005)


class TestAnEngineOfTheApplication:
    def test_its_transaction_is_left_alone(self, url: str) -> None:
        _drop(url, "mine")
        _execute(url, "CREATE TABLE mine (x INTEGER)")
        engine = sa.create_engine(url, isolation_level="SERIALIZABLE")
        store = opened(engine)
        key, record = write(store)
        with sa.orm.Session(engine) as session:
            session.execute(sa.text("INSERT INTO mine VALUES (1)"))
            session.execute(sa.text("SELECT * FROM mine")).all()  # what others do is not seen now
            target = new_key()
            assert store.swap(key, record, successor(record))
            assert store.get(key) == successor(record), "the application's snapshot is not ours"
            assert store.move(key, successor(record), successor(record), target, record)
            assert store.move(key, record, record, new_key(), record) is False
            session.rollback()
            assert session.execute(sa.text("SELECT count(*) FROM mine")).scalar() == 0
        assert store.get(target) == record
        engine.dispose()

    def test_its_pool_may_be_used_up(self, url: str) -> None:
        # As by threads that hold a connection each for as long as their request lasts.
        engine = sa.create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.1)
        store = opened(engine)
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
            in_threads([functools.partial(write, store) for _ in range(4)])
            assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
        engine.dispose()
        write(store)

    def test_nothing_is_committed_for_it_whatever_it_is_set_to(self, url: str) -> None:
        for settings in ({"isolation_level": "AUTOCOMMIT"}, {"poolclass": sa.pool.NullPool}):
            engine = sa.create_engine(url, **settings)
            store = opened(engine)
            key, record = write(store)
            taken, _ = write(store)
            assert store.move(key, record, successor(record), taken, record) is False
            assert store.get(key) == record, "both or neither"
            engine.dispose()

    def test_its_connections_are_made_as_it_makes_them(self, url: str) -> None:
        engine = sa.create_engine(sa.make_url(url).set(username="nobody", password="hunter2"))
        right = sa.make_url(url)

        @sa.event.listens_for(engine, "do_connect")
        def log_in(
            dialect: t.Any, record: object, cargs: object, cparams: dict[str, t.Any]
        ) -> None:
            cparams["user"] = right.username
            cparams.pop("password", None)

        store = opened(engine)
        write(store)
        assert "hunter2" not in repr(store)
        engine.dispose()

    def test_a_forked_child_makes_its_own(self, url: str) -> None:
        store = opened(sa.create_engine(url))
        key, record = write(store)
        children = [_fork(functools.partial(_work, store, key, record)) for _ in range(3)]
        _work(store, key, record)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
        assert store.get(key) == record

    @pytest.mark.parametrize(
        "settings", [{}, {"poolclass": sa.pool.StaticPool}, {"poolclass": sa.pool.QueuePool}]
    )
    def test_one_in_memory(self, settings: dict[str, t.Any]) -> None:
        with pytest.raises(ConfigurationError, match="memory"):
            SQLAlchemyStore(sa.create_engine("sqlite://", **settings))

    @pytest.mark.parametrize("pool", [sa.pool.StaticPool, sa.pool.SingletonThreadPool])
    def test_one_whose_connections_are_shared(self, pool: type[sa.Pool]) -> None:
        with pytest.raises(ConfigurationError, match=pool.__name__):
            SQLAlchemyStore(sa.create_engine("mysql+pymysql://host/db", poolclass=pool))

    def test_an_asynchronous_one(self) -> None:
        engine = sa.create_engine("postgresql+psycopg_async://host/db")
        with pytest.raises(ConfigurationError, match="synchronous"):
            SQLAlchemyStore(engine)

    @pytest.mark.parametrize("source", [None, 1, b"sqlite:///s.db", object(), sa, sqlite3])
    def test_something_else(self, source: object) -> None:
        with pytest.raises(ConfigurationError, match="a URL or an Engine"):
            SQLAlchemyStore(source)

    def test_a_connection_or_session_of_it(self, store: SQLAlchemyStore) -> None:
        engine = store._connections.engine
        with engine.connect() as connection, sa.orm.Session(engine) as session:
            for source in (connection, session):
                with pytest.raises(ConfigurationError, match="the application has its transact"):
                    SQLAlchemyStore(source)


def _work(store: SQLAlchemyStore, key: str, record: Record) -> None:
    for _ in range(20):
        assert store.get(key) == record
        write(store)


def _fork(function: Operation) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        function()
        status = 0
    except BaseException:  # noqa: BLE001 - told by the status
        traceback.print_exc()
    finally:
        os._exit(status)


class TestNothingIsTold:
    """Ids, owners and data are in no log, whatever an application's logging is set to."""

    def test_in_logs(self, url: str, caplog: pytest.LogCaptureFixture) -> None:
        store = opened(url)
        caplog.set_level(logging.DEBUG)
        key, target, record = new_key(), new_key(), new_record(b"secret", owner="somebody")
        stub = successor(record, b"secret too")
        assert store.swap(key, None, record)
        assert store.swap(key, None, record) is False
        assert store.move(key, record, stub, target, record)
        assert store.get(target) == record
        assert store.owned_by("somebody", 0.0)
        assert target in list(store.keys())
        fails(lambda: SQLAlchemyStore(url, table="missing").get(key), unreachable=False)
        told = " ".join(record.getMessage() + str(record.exc_info) for record in caplog.records)
        for secret in (key, target, "secret", "somebody", b"secret".hex(), str(record.version)):
            assert secret not in told

    def test_in_errors(self, own_server: MariaDBServer) -> None:
        store = opened(own_server.url)
        key, record = new_key(), new_record(b"secret", owner="somebody")
        assert store.swap(key, None, record)
        own_server.execute("ALTER TABLE sessionkit_sessions ADD UNIQUE (owner)")
        own_server.execute("ALTER TABLE sessionkit_sessions ADD UNIQUE (payload(10))")
        own_server.execute(
            "CREATE TRIGGER t BEFORE DELETE ON sessionkit_sessions FOR EACH ROW "
            "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'"
        )
        for operation in (
            lambda: store.swap(new_key(), None, record),
            lambda: store.move(key, record, successor(record), new_key(), record),
            lambda: store.delete(key, record),
        ):
            told = "".join(traceback.format_exception(fails(operation, unreachable=False)))
            for secret in (key, "secret", "somebody", b"secret".hex()):
                assert secret not in told


class TestURLs:
    def test_parameters(self) -> None:
        store = open_store(
            "sqlalchemy+mysql+pymysql://user:secret@host:1234/shop?table=s&margin=60&timeout=3"
            "&charset=utf8mb4&max_idle=4&connect_timeout=1.5"
        )
        assert isinstance(store, SQLAlchemyStore)
        assert (store.table, store.margin) == ("s", 60.0)
        assert dict(store._connections.engine.url.query) == {"charset": "utf8mb4"}
        assert repr(store) == "<SQLAlchemyStore mysql+pymysql://host:1234/shop table='s'>"

    def test_they_arrive(self, mariadb_server: MariaDBServer) -> None:
        store = open_store(f"sqlalchemy+{mariadb_server.url}?timeout=7&table=u&program_name=x")
        assert isinstance(store, SQLAlchemyStore)
        store.create_schema()
        write(store)
        row = store._connections.read(
            lambda session: session.row(
                sa.text("SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout, @@sql_mode"), {}
            )
        )
        assert tuple(row) == (5, 5, "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION")

    def test_odd_paths(self, tmp_path: Path) -> None:
        store = open_store(f"sqlalchemy+sqlite:///{tmp_path}/a%20b.db?timeout=1")
        assert isinstance(store, SQLAlchemyStore)
        store.create_schema()
        write(store)

    @pytest.mark.parametrize(
        ("url", "text"),
        [
            ("mysql+pymysql://user:sec/ret@host/db", "percent-encoded"),
            ("mysql+pymysql://user:secret@host:port/db", "percent-encoded"),
            ("mysql+pymysql://user:secret#@host/db", "percent-encoded"),
            ("mysql+pymysql://user:secret@host/db?margin=secret", "'margin'"),
            ("mysql+pymysql://user:secret@host/db?margin=-1", "negative"),
            ("mysql+pymysql://user:secret@host/db?timeout=0", "timeout"),
            ("mysql+pymysql://user:secret@host/db?connect_timeout=0", "connect_timeout"),
            ("mysql+pymysql://user:secret@host/db?table=a&table=b", "twice"),
            ("mysql+nothing://user:secret@host/db", "no such dialect"),
            ("nothing://user:secret@host/db", "no such dialect"),
            ("mysql+oursql://user:secret@host/db", "no such dialect"),
            ("mysql+asyncmy://user:secret@host/db", "driver that is missing"),
            ("sqlite://", "memory"),
            ("sqlite:///:memory:", "memory"),
            ("sqlite:///file:x?mode=memory&cache=shared&uri=true", "memory"),
        ],
    )
    def test_what_is_wrong_is_said_without_the_password(self, url: str, text: str) -> None:
        with pytest.raises(ConfigurationError, match=text) as caught:
            open_store(f"sqlalchemy+{url}")
        told = "".join(traceback.format_exception(caught.value)).replace("margin=secret", "")
        assert "secret@" not in told
        assert "ret@" not in told.replace("sec/ret@host", "") or "sec/ret" in url

    def test_a_parameter_that_the_driver_does_not_take(self, mariadb_server: MariaDBServer) -> None:
        store = open_store(f"sqlalchemy+{mariadb_server.url}?tabel=x")
        with pytest.raises(ConfigurationError, match="tabel"):
            store.get(new_key())

    @pytest.mark.parametrize(
        "settings",
        [{"margin": -1.0}, {"max_idle": -1}, {"timeout": 0.0}, {"connect_timeout": -1.0}],
    )
    def test_settings_that_cannot_be(self, settings: dict[str, t.Any]) -> None:
        with pytest.raises(ConfigurationError, match=next(iter(settings))):
            SQLAlchemyStore("sqlite:///s.db", **settings)
