"""The contract of a store, kept over Django's connections to SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import collections.abc as cabc
import functools
import typing as t
from pathlib import Path

import pytest

from django_sessionkit.model_store import ModelStore
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.testing import StoreConformance
from tests.django import databases
from tests.servers import MariaDBServer
from tests.servers import PostgreSQLServer

Start = cabc.Callable[..., t.Any]


class Contract(StoreConformance):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Sweepable, Enumerable})
    rounds = 10

    @pytest.fixture
    def store(self, database: databases.Database) -> cabc.Generator[Store, None, None]:
        store = databases.open_store("sessions", database)
        databases.migrate("sessions")
        store.clear()
        yield store
        databases.forget("sessions")

    def opener(self, store: Store) -> t.Callable[[], Store]:
        from django.db import connections

        given = connections.settings["sessions"]
        kept = ("ENGINE", "NAME", "HOST", "PORT", "USER", "OPTIONS")
        return functools.partial(
            databases.open_store, "sessions", {name: given[name] for name in kept}
        )

    def neighbour(self, store: Store) -> Store | None:
        databases.migrate("default")
        other = ModelStore()
        other.clear()
        return other


def _at_length(test: t.Any) -> t.Any:
    """Leave what starts dozens of processes, each with Django, to the attacks."""

    @pytest.mark.attack
    @functools.wraps(test)
    def run(self: Contract, store: Store) -> None:
        test(self, store)

    return run


for _name in dir(Contract):
    if _name.startswith("test_processes") or _name == "test_killed_writers":
        setattr(Contract, _name, _at_length(getattr(Contract, _name)))


class TestSQLite(Contract):
    @pytest.fixture
    def database(self, tmp_path: Path) -> databases.Database:
        return databases.sqlite(tmp_path / "project.sqlite3")


class TestPostgreSQL(Contract):
    @pytest.fixture
    def database(self, postgresql_server: PostgreSQLServer) -> databases.Database:
        server = postgresql_server
        return databases.postgresql(server.host, server.port)


class TestMariaDB(Contract):
    @pytest.fixture
    def database(self, mariadb_server: MariaDBServer) -> databases.Database:
        server = mariadb_server
        return databases.mysql(server.host, server.port)
