"""Others in the same database: their locks, their constraints, their settings."""

from __future__ import annotations

import functools
import sqlite3
import threading
import time
import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc
import sqlalchemy.orm
import sqlalchemy.pool

from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import MariaDBServer
from tests.servers import PostgreSQLServer
from tests.stores.sqlalchemy.support import drop
from tests.stores.sqlalchemy.support import execute
from tests.stores.sqlalchemy.support import fails
from tests.stores.sqlalchemy.support import opened
from tests.stores.sqlalchemy.support import postgresql
from tests.stores.sqlalchemy.support import write


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
        execute(url, f"ALTER TABLE bound ADD CONSTRAINT small CHECK (length({column}) < 5)")
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
        drop(url, "bound")

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
