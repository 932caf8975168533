"""A database that is away, forgetful or closed to us; and what is told of it."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import functools
import logging
import time
import traceback

import pytest
import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc
import sqlalchemy.orm
import sqlalchemy.pool

from sessionkit.stores import _sqlalchemy_connections
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from sessionkit.testing._support import in_threads
from tests.servers import MariaDBServer
from tests.servers import PostgreSQLServer
from tests.stores.kills import assert_survives
from tests.stores.sqlalchemy.support import each
from tests.stores.sqlalchemy.support import fails
from tests.stores.sqlalchemy.support import opened
from tests.stores.sqlalchemy.support import postgresql
from tests.stores.sqlalchemy.support import write


@pytest.fixture
def own_postgresql() -> cabc.Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


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
            assert_survives(opened(server.url), server.restart)

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
