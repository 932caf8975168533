"""What is swept, and when it is looked for."""

from __future__ import annotations

import time

from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import PostgreSQLServer
from tests.stores.postgres.support import TABLE
from tests.stores.postgres.support import patient_store


def _sweep_at(server: PostgreSQLServer, key: str) -> float:
    ((found,),) = server.execute(f"SELECT sweep_at FROM {TABLE} WHERE key = '\\x{key}'")
    return float(found)


def test_who_prolongs_a_session_changes_no_index(
    url: str, postgresql_server: PostgreSQLServer
) -> None:
    """Until somebody sweeps: then it is looked for where it is."""
    store = patient_store(url, margin=0)
    key, now = new_key(), time.time()
    record = new_record(owner="ann", expires_at=now + 60)
    assert store.swap(key, None, record)
    longer = successor(record, expires_at=now + 3600)
    assert store.swap(key, record, longer)
    assert _sweep_at(postgresql_server, key) == now + 60
    assert [store.count(now + after) for after in (0, 120, 3601)] == [1, 1, 0]

    assert store.sweep(now + 120, limit=1) == 0
    assert _sweep_at(postgresql_server, key) == now + 3600
    assert store.swap(key, longer, successor(longer, expires_at=now + 30))
    assert _sweep_at(postgresql_server, key) == now + 30
    assert store.sweep(now + 60, limit=1) == 1


def test_a_sweep_with_a_limit_passes_over_what_was_prolonged(
    store: PostgresStore, postgresql_server: PostgreSQLServer
) -> None:
    now = time.time()
    postgresql_server.execute(
        f"INSERT INTO {TABLE} (key, payload, version, expires_at, sweep_at) "
        "SELECT decode(lpad(n::text, 64, '0'), 'hex'), '', 1, "
        f"CASE WHEN n <= 1150 THEN {now + 3600} ELSE {now - 3600} END, {now - 3600} + n / 1000.0 "
        "FROM generate_series(1, 1200) AS n"
    )
    removed = [store.sweep(now, limit=10) for _ in range(15)]
    assert sum(removed) == 50
    assert store.count(now) == 1150
