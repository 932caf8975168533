from __future__ import annotations

import functools
import typing as t

import pytest

from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores.postgres import PostgresStore
from sessionkit.testing import StoreConformance
from tests.servers import PostgreSQLServer

CAPABILITIES = frozenset({Moving, Owned, Sweepable, Enumerable, Closeable})
TABLE = "sessionkit_sessions"


@pytest.fixture
def url(postgresql_server: PostgreSQLServer) -> str:
    """The URL of a database with an empty table."""
    PostgresStore(postgresql_server.url).create_schema()
    postgresql_server.execute(f"TRUNCATE {TABLE}")
    return postgresql_server.url


class TestPostgresStore(StoreConformance):
    capabilities: t.ClassVar = CAPABILITIES

    @pytest.fixture
    def store(self, url: str) -> Store:
        self.url = url
        return PostgresStore(url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(PostgresStore, self.url)

    def neighbour(self, store: Store) -> Store:
        neighbour = PostgresStore(self.url, table="neighbours")
        neighbour.create_schema()
        neighbour.clear()
        return neighbour
