"""How many connections there are, and whose."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import warnings
import weakref

import pytest

from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import new_key
from tests.servers import PostgreSQLServer
from tests.servers import Proxy
from tests.stores.postgres.support import connected
from tests.stores.postgres.support import fill_free_list
from tests.stores.postgres.support import patient_store
from tests.stores.postgres.support import until
from tests.stores.postgres.support import write


@pytest.mark.usefixtures("postgresql_server")
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
