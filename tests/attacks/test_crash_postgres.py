"""Writers to PostgreSQL, and PostgreSQL itself, are killed with ``kill -9`` at any instant."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit import SessionManager
from sessionkit.stores.postgres import PostgresStore
from tests.servers import PostgreSQLServer

from . import crashes
from .conftest import Rounds
from .crashes import Writers
from .website import SOAK
from .website import until

pytestmark = pytest.mark.attack


@pytest.fixture(scope="module")
def server(start_server: cabc.Callable[..., PostgreSQLServer]) -> PostgreSQLServer:
    server = start_server(PostgreSQLServer, durable=True)
    PostgresStore(server.url).create_schema()
    return server


@pytest.fixture
def manager(server: PostgreSQLServer) -> SessionManager:
    store = PostgresStore(server.url, timeout=20, connect_timeout=20)
    store.clear()
    return SessionManager(store)


@pytest.fixture
def writers(server: PostgreSQLServer) -> cabc.Generator[Writers, None, None]:
    with Writers(f"{server.url}?application_name=writer&timeout=20&connect_timeout=20") as writers:
        yield writers


def test_29_writers_are_killed(
    manager: SessionManager, server: PostgreSQLServer, writers: Writers, rounds: Rounds
) -> None:
    seconds = rounds.for_seconds(900 if SOAK else 4)
    rounds.changes = crashes.attack(
        writers, manager, seconds, longest=0.1, repair=lambda: nothing_is_under_way(server)
    )
    assert rounds.changes > 0


def test_the_server_is_killed(
    manager: SessionManager, server: PostgreSQLServer, writers: Writers, rounds: Rounds
) -> None:
    rounds.changes = crashes.attack(
        writers,
        manager,
        rounds.for_seconds(1800 if SOAK else 6),
        longest=0.1,
        interrupt=server.kill,
        repair=server.start,
    )
    assert rounds.changes > 0


def nothing_is_under_way(server: PostgreSQLServer) -> None:
    """Wait for the server to have done what a writer that is dead had sent."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'writer'"
    until(lambda: server.execute(query) == [(0,)])
