"""PostgreSQL is away, refuses, hangs, or ends connections; and what becomes of those."""

from __future__ import annotations

import functools
import gc
import os
import subprocess
import sys
import threading
import time
import typing as t
import warnings
import weakref

import psycopg
import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import PostgreSQLServer
from tests.servers import Proxy

TABLE = "sessionkit_sessions"

#: Seconds that a busy machine may take for nothing.
SLACK = 5.0


def patient_store(url: str, **more: t.Any) -> PostgresStore:
    """Return a store for which a busy machine is no outage."""
    return PostgresStore(url, timeout=20.0, connect_timeout=20.0, **more)


@pytest.fixture(autouse=True)
def _needs_postgresql(postgresql_server: PostgreSQLServer) -> None:
    """Nothing here is of use without a server."""


@pytest.fixture
def store(postgresql_server: PostgreSQLServer) -> PostgresStore:
    store = patient_store(postgresql_server.url)
    store.create_schema()
    postgresql_server.execute(f"TRUNCATE {TABLE}")
    return store


@pytest.fixture
def own_server() -> t.Iterator[PostgreSQLServer]:
    """A server that a test may maltreat, with a table."""
    with PostgreSQLServer() as server:
        patient_store(server.url).create_schema()
        yield server


def write(store: PostgresStore, owner: str | None = "ann") -> str:
    key = new_key()
    assert store.swap(key, None, new_record(owner=owner))
    assert store.get(key) is not None
    return key


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


def operations_of(*functions: t.Callable[[], object]) -> tuple[t.Callable[[], object], ...]:
    return functions


def fill_free_list(store: PostgresStore, count: int) -> None:
    connections = [store._connections.fresh() for _ in range(count)]
    for connection in connections:
        store._connections.give(connection)


def terminate(server: PostgreSQLServer) -> None:
    """End the connections of everybody else, and wait until they are gone."""
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND client_port IS NOT NULL"
    server.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")


def shown(error: BaseException | None) -> str:
    """Return all that a traceback shows of *error*."""
    if error is None:
        return ""
    return f"{error!s} {error!r} {shown(error.__cause__)} {shown(error.__context__)}"


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
            keys = [write(store) for _ in range(50)]
            gone = keys.pop()
            record = store.get(gone)
            assert record is not None
            assert store.delete(gone, record)
            server.restart()
            assert all(store.get(key) for key in keys)
            assert store.swap(gone, record, successor(record)) is False
            assert set(store.owned_by("ann", time.time())) == set(keys)

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


def until(condition: t.Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


class TestConnections:
    def test_nothing_is_connected_to_by_the_constructor(
        self, postgresql_server: PostgreSQLServer
    ) -> None:
        with Proxy(postgresql_server.port) as proxy:
            store = patient_store(f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres")
            repr(store)
            store.close()
            time.sleep(0.02)
            assert proxy.connections == 0

    def test_one_is_enough_for_any_number_of_threads_one_after_the_other(
        self, postgresql_server: PostgreSQLServer, store: PostgresStore
    ) -> None:
        with Proxy(postgresql_server.port) as proxy:
            through = patient_store(f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres")
            for _ in range(20):
                thread = threading.Thread(target=write, args=(through,))
                thread.start()
                thread.join()
            assert proxy.connections == 1

    def test_idle_ones_are_bounded(self, postgresql_server: PostgreSQLServer) -> None:
        store = patient_store(f"{postgresql_server.url}?application_name=bounded", max_idle=2)
        fill_free_list(store, 6)
        until(lambda: connected(postgresql_server, "bounded") == 2)
        store.close()
        until(lambda: connected(postgresql_server, "bounded") == 0)

    def test_a_store_that_is_forgotten_closes_its_own(
        self, postgresql_server: PostgreSQLServer
    ) -> None:
        store = patient_store(f"{postgresql_server.url}?application_name=forgotten")
        write(store)
        assert connected(postgresql_server, "forgotten") == 1
        gone = weakref.ref(store)
        del store
        gc.collect()
        assert gone() is None
        until(lambda: connected(postgresql_server, "forgotten") == 0)

    def test_one_that_was_interrupted_is_not_used_again(
        self, postgresql_server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = patient_store(f"{postgresql_server.url}?application_name=interrupted")
        key = write(store)

        def interrupted(*arguments: object, **more: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("sessionkit.stores._postgres_connection.wait", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.get(key)
        assert store._connections.idle() is None
        assert store.get(new_key()) is None, "no answer to the question before"

    def test_a_child_lets_go_of_its_parents_and_says_nothing(
        self, postgresql_server: PostgreSQLServer
    ) -> None:
        store = patient_store(f"{postgresql_server.url}?application_name=parent")
        key = write(store)
        connection = store._connections.idle()
        assert connection is not None
        store._connections.give(connection)
        descriptor = connection.pgconn.socket
        with warnings.catch_warnings():  # 3.12 warns where there are threads
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            alone = store._connections.idle() is None and not is_open(descriptor)
            del store, connection
            gc.collect()
            os._exit(0 if alone else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert connected(postgresql_server, "parent") == 1
        assert store.get(key) is not None
        assert store._connections.idle() is connection, "the parent's own is still good"

    def test_settings_of_the_url_win(self, postgresql_server: PostgreSQLServer) -> None:
        options = "options=-c%20statement_timeout%3D1234"
        connection = PostgresStore(f"{postgresql_server.url}?{options}")._connections.fresh()
        result = connection.pgconn.exec_(
            b"SELECT current_setting('statement_timeout'), current_setting('transaction_isolation')"
        )
        assert (result.get_value(0, 0), result.get_value(0, 1)) == (b"1234ms", b"read committed")
        connection.close()

    @pytest.mark.attack
    def test_greenlets_wait_for_each_other(
        self, postgresql_server: PostgreSQLServer, store: PostgresStore
    ) -> None:
        """One that waits for a locked row lets the others go on."""
        done = subprocess.run(
            [sys.executable, "-c", GREENLETS, postgresql_server.url, write(store)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert done.stdout.split() == ["reads", "unlocks", "True", "replaced"], done.stderr


def connected(server: PostgreSQLServer, name: str) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    count: int = server.execute(query, name)[0][0]
    return count


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


GREENLETS = """\
from gevent import monkey
monkey.patch_all()
import sys
import gevent
import psycopg
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import successor
_, url, key = sys.argv
store = PostgresStore(url, timeout=20)
record = store.get(key)
lock = psycopg.connect(url)
lock.execute("SELECT 1 FROM sessionkit_sessions FOR UPDATE")
waiting = gevent.spawn(store.swap, key, record, successor(record))
gevent.sleep(0.1)
assert gevent.spawn(store.get, key).get() == record
print("reads")
print("unlocks")
lock.rollback()
print(waiting.get())
print("replaced" if store.get(key) == successor(record) else "")
"""
