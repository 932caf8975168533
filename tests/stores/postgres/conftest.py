"""A server, and a store on it."""

from __future__ import annotations

import secrets
import typing as t

import pytest

from sessionkit.stores.postgres import PostgresStore
from tests.servers import PostgreSQLServer
from tests.stores.postgres.support import TABLE
from tests.stores.postgres.support import patient_store


@pytest.fixture
def url(postgresql_server: PostgreSQLServer) -> str:
    """The URL of a database with an empty table."""
    patient_store(postgresql_server.url).create_schema()
    postgresql_server.execute(f"TRUNCATE {TABLE}")
    return postgresql_server.url


@pytest.fixture
def store(url: str) -> PostgresStore:
    return patient_store(url)


@pytest.fixture
def new_table(postgresql_server: PostgreSQLServer) -> t.Iterator[str]:
    """The name of a table that is not there."""
    name = f"t_{secrets.token_hex(8)}"
    yield name
    postgresql_server.execute(f"DROP TABLE IF EXISTS {name}")
