"""What the tests of the SQLAlchemy store share."""

from __future__ import annotations

import typing as t

import pytest
import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc
import sqlalchemy.orm
import sqlalchemy.pool

from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.store import Store
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.servers import PostgreSQLServer

Operation = t.Callable[[], object]


def postgresql(server: PostgreSQLServer) -> str:
    return server.url.replace("postgresql:", "postgresql+psycopg:")


def opened(source: object, **settings: t.Any) -> SQLAlchemyStore:
    store = SQLAlchemyStore(source, **settings)
    store.create_schema()
    return store


def emptied(source: object, **settings: t.Any) -> SQLAlchemyStore:
    for table in ("others", "sessionkit_sessions"):
        store = opened(source, table=table, **settings)
        store.clear()
    return store


def write(store: Store, owner: str | None = "ann") -> tuple[str, Record]:
    key, record = new_key(), new_record(owner=owner)
    assert store.swap(key, None, record)
    assert store.get(key) == record
    return key, record


def each(store: SQLAlchemyStore) -> list[Operation]:
    """Return one of each kind of call."""
    return [
        lambda: store.get(new_key()),
        lambda: store.swap(new_key(), None, new_record()),
        lambda: store.swap(new_key(), new_record(), new_record()),
        lambda: store.delete(new_key(), new_record()),
        lambda: store.move(new_key(), new_record(), new_record(), new_key(), new_record()),
        lambda: store.owned_by("ann", 0.0),
        lambda: store.count(0.0),
        lambda: list(store.keys()),
        lambda: store.sweep(0.0),
        store.clear,
    ]


def fails(operation: Operation, text: str = ":", *, unreachable: bool) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable, match=text) as caught:
        operation()
    assert caught.value.unreachable is unreachable
    return caught.value


def execute(url: str, statement: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def drop(url: str, table: str) -> None:
    execute(url, f"DROP TABLE IF EXISTS {table}")
