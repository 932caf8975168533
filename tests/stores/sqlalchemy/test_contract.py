"""What every store must do, on three databases."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import typing as t
from pathlib import Path

import pytest

from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.testing._capabilities import CapabilityTests
from sessionkit.testing._contract import ContractTests
from sessionkit.testing._races import RaceTests
from tests.servers import MariaDBServer
from tests.servers import PostgreSQLServer
from tests.stores.sqlalchemy.support import emptied
from tests.stores.sqlalchemy.support import opened
from tests.stores.sqlalchemy.support import postgresql


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
