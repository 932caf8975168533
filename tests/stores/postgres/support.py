"""What the tests of the PostgreSQL store share."""

from __future__ import annotations

import time
import typing as t

from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Sweepable
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import PostgreSQLServer

CAPABILITIES = frozenset({Moving, Owned, Sweepable, Enumerable, Closeable})
TABLE = "sessionkit_sessions"


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


def shown(error: BaseException | None) -> str:
    """Return all that a traceback shows of *error*."""
    if error is None:
        return ""
    return f"{error!s} {error!r} {shown(error.__cause__)} {shown(error.__context__)}"


def terminate(server: PostgreSQLServer) -> None:
    """End the connections of everybody else, and wait until they are gone."""
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND client_port IS NOT NULL"
    server.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")


def patient_store(source: object, **more: t.Any) -> PostgresStore:
    """Return a store for which a busy machine is no outage."""
    return PostgresStore(source, timeout=20.0, connect_timeout=20.0, **more)


def fill_free_list(store: PostgresStore, count: int) -> None:
    connections = [store._connections.fresh() for _ in range(count)]
    for connection in connections:
        store._connections.give(connection)


def until(condition: t.Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def connected(server: PostgreSQLServer, name: str) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    count: int = server.execute(query, name)[0][0]
    return count
