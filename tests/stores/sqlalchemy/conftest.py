"""Databases, and a store on one of them."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from tests.servers import MariaDBServer
from tests.servers import PostgreSQLServer
from tests.stores.sqlalchemy.support import emptied
from tests.stores.sqlalchemy.support import postgresql


@pytest.fixture(scope="session")
def postgresql_server(start_server: cabc.Callable[..., PostgreSQLServer]) -> PostgreSQLServer:
    """Another one than everybody's, in which ``PostgresStore`` has a table of the same name."""
    return start_server(PostgreSQLServer)


@pytest.fixture
def store(mariadb_server: MariaDBServer) -> SQLAlchemyStore:
    return emptied(mariadb_server.url)


@pytest.fixture(params=["mariadb", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    server = request.getfixturevalue(f"{request.param}_server")
    return postgresql(server) if request.param == "postgresql" else server.url


@pytest.fixture
def own_server() -> cabc.Iterator[MariaDBServer]:
    """A server that a test may maltreat."""
    with MariaDBServer() as server:
        yield server
