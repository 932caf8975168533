"""PostgreSQL is away, refuses, hangs, or ends connections."""

from __future__ import annotations

import os
import time
import typing as t

import psycopg
import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import PostgreSQLServer
from tests.servers import Proxy
from tests.stores.kills import assert_survives
from tests.stores.postgres.support import TABLE
from tests.stores.postgres.support import connected
from tests.stores.postgres.support import fill_free_list
from tests.stores.postgres.support import operations
from tests.stores.postgres.support import patient_store
from tests.stores.postgres.support import shown
from tests.stores.postgres.support import terminate
from tests.stores.postgres.support import until
from tests.stores.postgres.support import write

#: Seconds that a busy machine may take for nothing.
SLACK = 5.0


@pytest.fixture
def own_server() -> t.Iterator[PostgreSQLServer]:
    """A server that a test may maltreat, with a table."""
    with PostgreSQLServer() as server:
        patient_store(server.url).create_schema()
        yield server


def operations_of(*functions: t.Callable[[], object]) -> tuple[t.Callable[[], object], ...]:
    return functions


def lived(store: PostgresStore, key: str) -> bool:
    """Whether it can be read again, now that the server is back."""
    try:
        return store.get(key) is not None
    except StoreUnavailable:
        return False


def written(store: PostgresStore) -> bool:
    try:
        return store.swap(new_key(), None, new_record())
    except StoreUnavailable:
        return False


@pytest.mark.usefixtures("postgresql_server")
class TestServerTrouble:
    def test_no_server(self) -> None:
        store = PostgresStore("postgresql://user:hunter2@127.0.0.1:1/shop")
        for operation in operations(store):
            with pytest.raises(StoreUnavailable, match="refused") as caught:
                operation()
            assert caught.value.unreachable is True
            assert isinstance(caught.value.__cause__, psycopg.Error)
            assert "postgresql://127.0.0.1:1/shop" in str(caught.value)
            assert "hunter" not in shown(caught.value)

    @pytest.mark.parametrize("host", ["nobody.invalid", "x" * 70])
    def test_a_name_that_is_not_known(self, host: str) -> None:
        with pytest.raises(StoreUnavailable, match=f"no address of {host}") as caught:
            PostgresStore(f"postgresql://{host}/shop").get(new_key())
        assert caught.value.unreachable is True

    def test_no_postgresql_at_all(self) -> None:
        with PostgreSQLServer() as server, Proxy(server.port) as proxy:
            proxy.lose_answers = True
            with pytest.raises(StoreUnavailable) as caught:
                PostgresStore(f"postgresql://postgres@127.0.0.1:{proxy.port}/").get(new_key())
            assert caught.value.unreachable is True

    def test_a_restart_is_not_noticed(self, own_server: PostgreSQLServer) -> None:
        store = patient_store(own_server.url)
        for number in range(len(operations(store))):
            fill_free_list(store, 2)
            own_server.restart()
            operations(store)[number]()
        write(store)

    def test_ended_connections_are_not_noticed(
        self, postgresql_server: PostgreSQLServer, store: PostgresStore
    ) -> None:
        key = write(store)
        for number in range(len(operations(store))):
            fill_free_list(store, 2)
            terminate(postgresql_server)
            operations(store)[number]()
        assert store.get(key) is not None

    def test_what_was_acknowledged_survives_a_kill(self) -> None:
        with PostgreSQLServer(durable=True) as server:
            store = patient_store(server.url)
            store.create_schema()
            assert_survives(store, server.restart)

    def test_while_it_is_down_and_after(self, own_server: PostgreSQLServer) -> None:
        store = patient_store(own_server.url)
        write(store)
        own_server.kill()
        for _ in range(2):
            for operation in operations(store):
                with pytest.raises(StoreUnavailable) as caught:
                    operation()
                assert caught.value.unreachable is True
        own_server.start()
        write(store)

    def test_a_server_that_does_not_answer(self, own_server: PostgreSQLServer) -> None:
        store = PostgresStore(own_server.url, timeout=0.5, connect_timeout=0.5)
        key = write(patient_store(own_server.url))
        fill_free_list(store, 1)
        own_server.pause()
        for operation in (
            lambda: store.get(key),  # on an idle connection, and a read that timed out is not sent
            lambda: store.get(key),  # again: it would only take twice as long
            lambda: store.swap(new_key(), None, new_record()),
        ):
            started = time.monotonic()
            with pytest.raises(StoreUnavailable, match=r"in time|within") as caught:
                operation()
            assert time.monotonic() - started < 0.5 + SLACK
            assert caught.value.unreachable is True
        own_server.resume()
        until(lambda: lived(store, key))

    def test_a_write_that_waits_for_somebody_is_given_up_by_the_server_too(
        self, postgresql_server: PostgreSQLServer, store: PostgresStore
    ) -> None:
        key = write(store)
        record = store.get(key)
        assert record is not None
        hasty = PostgresStore(postgresql_server.url, timeout=0.3)
        with postgresql_server.client() as client, client.transaction():
            client.execute(f"SELECT 1 FROM {TABLE} FOR UPDATE".encode())
            for change in operations_of(
                lambda: hasty.swap(key, record, successor(record)),
                lambda: hasty.delete(key, record),
            ):
                with pytest.raises(StoreUnavailable, match=r"statement timeout|in time") as caught:
                    change()
                assert caught.value.unreachable is True
            assert store.get(key) == record, "readers do not wait"
        assert store.get(key) == record, "and nothing is done later"
        assert store.delete(key, record)

    def test_a_standby_can_be_read_but_not_written(self, own_server: PostgreSQLServer) -> None:
        store = patient_store(own_server.url)
        key = write(store)
        record = store.get(key)
        assert record is not None
        own_server.stop()
        (own_server.data / "standby.signal").touch()
        own_server.start()
        assert store.get(key) == record
        for change in operations_of(
            lambda: store.swap(new_key(), None, record),
            lambda: store.swap(key, record, successor(record)),
            lambda: store.delete(key, record),
            lambda: store.move(key, record, successor(record), new_key(), record),
        ):
            with pytest.raises(StoreUnavailable, match="read-only") as caught:
                change()
            assert caught.value.unreachable is False
        own_server.execute("SELECT pg_promote()")
        assert store.delete(key, record)

    def test_connections_to_a_server_that_was_demoted_are_given_up(
        self, own_server: PostgreSQLServer
    ) -> None:
        own_server.execute("CREATE ROLE shop LOGIN")
        own_server.execute(f"GRANT ALL ON {TABLE} TO shop")
        own_server.execute("ALTER ROLE shop SET default_transaction_read_only = on")
        store = patient_store(own_server.url_as("shop"))
        for _ in range(3):
            assert store.get(new_key()) is None
            with pytest.raises(StoreUnavailable, match="read-only"):
                store.swap(new_key(), None, new_record())
        own_server.execute("ALTER ROLE shop RESET default_transaction_read_only")
        until(lambda: written(store))

    def test_of_two_servers_the_one_that_can_be_written(self, own_server: PostgreSQLServer) -> None:
        with PostgreSQLServer() as standby:
            standby.stop()
            (standby.data / "standby.signal").touch()
            standby.start()
            ports = f"127.0.0.1:{standby.port},127.0.0.1:{own_server.port}"
            write(patient_store(f"postgresql://postgres@{ports}/postgres"))

    def test_too_many_connections(self, own_server: PostgreSQLServer) -> None:
        own_server.execute("CREATE ROLE shop LOGIN CONNECTION LIMIT 1")
        own_server.execute(f"GRANT ALL ON {TABLE} TO shop")
        shop = own_server.url_as("shop")
        store = patient_store(shop)
        with psycopg.connect(shop, application_name="somebody"):
            for operation in operations(store):
                with pytest.raises(StoreUnavailable, match="too many connections") as caught:
                    operation()
                assert caught.value.unreachable is True
        until(lambda: not connected(own_server, "somebody"))
        write(store)

    def test_no_room_on_the_disk(self) -> None:
        with CrampedServer() as server:
            store = patient_store(server.url)
            store.create_schema()
            key = write(store)
            record = store.get(key)
            assert record is not None
            with pytest.raises(StoreUnavailable, match="could not extend file") as caught:
                fill(store)
            assert caught.value.unreachable is False
            assert store.get(key) == record
            assert store.delete(key, record), "logging out needs no room"

    def test_rights_that_were_taken_away(self, own_server: PostgreSQLServer) -> None:
        own_server.execute("CREATE ROLE shop LOGIN")
        own_server.execute(f"GRANT ALL ON {TABLE} TO shop")
        store = patient_store(own_server.url_as("shop"))
        key = write(store)
        record = store.get(key)
        assert record is not None
        own_server.execute(f"REVOKE INSERT, UPDATE, DELETE ON {TABLE} FROM shop")
        with pytest.raises(StoreUnavailable, match="permission denied") as caught:
            store.delete(key, record)
        assert caught.value.unreachable is False
        assert store.get(key) == record
        own_server.execute(f"GRANT ALL ON {TABLE} TO shop")
        assert store.delete(key, record)

    def test_who_is_not_let_in(self, own_server: PostgreSQLServer) -> None:
        own_server.execute("CREATE ROLE shop LOGIN PASSWORD 'hunter2'")
        own_server.execute(f"GRANT ALL ON {TABLE} TO shop")
        (own_server.data / "pg_hba.conf").write_text(
            "host all postgres 127.0.0.1/32 trust\nhost all shop 127.0.0.1/32 scram-sha-256\n"
        )
        own_server.execute("SELECT pg_reload_conf()")
        write(patient_store(own_server.url_as("shop", "hunter2")))
        for url in (
            own_server.url_as("shop", "hunter3"),
            own_server.url_as("shop"),
            own_server.url_as("nobody", "hunter2"),
            own_server.url_as("postgres", "hunter2", database="nowhere"),
        ):
            for operation in operations(patient_store(url)):
                with pytest.raises(StoreUnavailable) as caught:
                    operation()
                assert caught.value.unreachable is False, str(caught.value)
                assert "hunter" not in shown(caught.value)
                assert f"127.0.0.1:{own_server.port}" in str(caught.value)

    def test_no_message_quotes_a_record(
        self, postgresql_server: PostgreSQLServer, store: PostgresStore
    ) -> None:
        key, record = write(store), new_record(b"a secret payload", owner="ann@example.org")
        constraint = (
            f"ALTER TABLE {TABLE} ADD CONSTRAINT small CHECK (length(payload) < 5) NOT VALID"
        )
        postgresql_server.execute(constraint)
        for change in operations_of(
            lambda: store.swap(new_key(), None, record),
            lambda: store.swap(key, store.get(key), record),
        ):
            with pytest.raises(StoreUnavailable, match="small") as caught:
                change()
            text = shown(caught.value)
            assert not [one for one in (key, "secret", b"secret".hex(), "ann@") if one in text]
        postgresql_server.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT small")


class CrampedServer(PostgreSQLServer):
    """Its files cannot grow beyond a few megabytes."""

    def command(self) -> list[str]:
        return ["sh", "-c", 'ulimit -f 8192; exec "$@"', "sh", *super().command()]


def fill(store: PostgresStore) -> None:
    for _ in range(20):
        store.swap(new_key(), None, new_record(os.urandom(2**20)))
