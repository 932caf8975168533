from __future__ import annotations

import collections.abc as cabc
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
from sessionkit.testing import StoreConformance
from tests.servers import MariaDBServer
from tests.servers import PostgreSQLServer

if t.TYPE_CHECKING:
    Start = cabc.Callable[..., t.Any]

ALL: t.Final = frozenset({Moving, Owned, Sweepable, Enumerable, Closeable})


def opened(source: object, **settings: t.Any) -> SQLAlchemyStore:
    store = SQLAlchemyStore(source, **settings)
    store.create_schema()
    return store


def emptied(source: object, **settings: t.Any) -> SQLAlchemyStore:
    for table in ("others", "sessionkit_sessions"):
        store = opened(source, table=table, **settings)
        store.clear()
    return store


class Conformance(StoreConformance):
    __test__ = False
    capabilities: t.ClassVar = ALL
    rounds = 10
    url: str

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(SQLAlchemyStore, self.url)

    def neighbour(self, store: Store) -> Store:
        return opened(self.url, table="others")


class TestOnMariaDB(Conformance):
    __test__ = True

    @pytest.fixture
    def store(self, mariadb_server: MariaDBServer) -> Store:
        self.url = mariadb_server.url
        return emptied(self.url)


class TestOnPostgreSQL(Conformance):
    __test__ = True

    @pytest.fixture
    def store(self, postgresql_server: PostgreSQLServer) -> Store:
        self.url = postgresql_server.url.replace("postgresql", "postgresql+psycopg")
        return emptied(self.url)


class TestOnSQLite(Conformance):
    __test__ = True
    rounds = 5

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        path = tmp_path / "sessions.db"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        self.url = f"sqlite:///{path}?timeout=10"
        return emptied(self.url)
