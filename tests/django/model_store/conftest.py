"""Databases with another isolation level than Django's, and the store on them."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from pathlib import Path

import pytest
from django.test import override_settings
from psycopg import IsolationLevel

from django_sessionkit import get_manager
from django_sessionkit.model_store import ModelStore
from sessionkit import SessionManager
from tests.django import databases
from tests.django.model_store.support import ALIAS


@pytest.fixture(
    params=[
        "sqlite",
        "postgresql",
        "postgresql serializable",
        "mariadb",
        "mariadb repeatable read",
    ]
)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> databases.Database:
    """A database, some with another isolation level than Django's READ COMMITTED."""
    name, _, level = request.param.partition(" ")

    if name == "sqlite":
        return databases.sqlite(tmp_path / "project.sqlite3")

    server = request.getfixturevalue(f"{name}_server")
    project = (databases.mysql if name == "mariadb" else databases.postgresql)(
        server.host, server.port
    )

    if level:
        given = IsolationLevel.SERIALIZABLE if name == "postgresql" else level
        project["OPTIONS"] = {**project.get("OPTIONS", {}), "isolation_level": given}

    return project


@pytest.fixture
def store(project: databases.Database) -> cabc.Generator[ModelStore, None, None]:
    """The sessions in a database of the project, in whose transactions the views run."""
    databases.use(ALIAS, {**project, "ATOMIC_REQUESTS": True})
    databases.migrate(ALIAS)

    with override_settings(SESSIONKIT={"STORE": f"django:?using={ALIAS}"}):
        store = t.cast(SessionManager, get_manager()).store
        assert isinstance(store, ModelStore)
        store.clear()
        yield store

    databases.forget(ALIAS)


@pytest.fixture
def manager(store: ModelStore) -> SessionManager:
    return t.cast(SessionManager, get_manager())
