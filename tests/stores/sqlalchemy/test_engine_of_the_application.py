"""A store on an engine that the application uses too."""

from __future__ import annotations

import functools
import os
import sqlite3
import traceback
import typing as t

import pytest
import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc
import sqlalchemy.orm
import sqlalchemy.pool

from sessionkit.errors import ConfigurationError
from sessionkit.store import Record
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.testing import new_key
from sessionkit.testing import successor
from sessionkit.testing._support import in_threads
from tests.stores.sqlalchemy.support import Operation
from tests.stores.sqlalchemy.support import drop
from tests.stores.sqlalchemy.support import execute
from tests.stores.sqlalchemy.support import opened
from tests.stores.sqlalchemy.support import write


class TestAnEngineOfTheApplication:
    def test_its_transaction_is_left_alone(self, url: str) -> None:
        drop(url, "mine")
        execute(url, "CREATE TABLE mine (x INTEGER)")
        engine = sa.create_engine(url, isolation_level="SERIALIZABLE")
        store = opened(engine)
        key, record = write(store)
        with sa.orm.Session(engine) as session:
            session.execute(sa.text("INSERT INTO mine VALUES (1)"))
            session.execute(sa.text("SELECT * FROM mine")).all()  # what others do is not seen now
            target = new_key()
            assert store.swap(key, record, successor(record))
            assert store.get(key) == successor(record), "the application's snapshot is not ours"
            assert store.move(key, successor(record), successor(record), target, record)
            assert store.move(key, record, record, new_key(), record) is False
            session.rollback()
            assert session.execute(sa.text("SELECT count(*) FROM mine")).scalar() == 0
        assert store.get(target) == record
        engine.dispose()

    def test_its_pool_may_be_used_up(self, url: str) -> None:
        # As by threads that hold a connection each for as long as their request lasts.
        engine = sa.create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.1)
        store = opened(engine)
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
            in_threads([functools.partial(write, store) for _ in range(4)])
            assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
        engine.dispose()
        write(store)

    def test_nothing_is_committed_for_it_whatever_it_is_set_to(self, url: str) -> None:
        for settings in ({"isolation_level": "AUTOCOMMIT"}, {"poolclass": sa.pool.NullPool}):
            engine = sa.create_engine(url, **settings)
            store = opened(engine)
            key, record = write(store)
            taken, _ = write(store)
            assert store.move(key, record, successor(record), taken, record) is False
            assert store.get(key) == record, "both or neither"
            engine.dispose()

    def test_its_connections_are_made_as_it_makes_them(self, url: str) -> None:
        engine = sa.create_engine(sa.make_url(url).set(username="nobody", password="hunter2"))
        right = sa.make_url(url)

        @sa.event.listens_for(engine, "do_connect")
        def log_in(
            dialect: t.Any, record: object, cargs: object, cparams: dict[str, t.Any]
        ) -> None:
            cparams["user"] = right.username
            cparams.pop("password", None)

        store = opened(engine)
        write(store)
        assert "hunter2" not in repr(store)
        engine.dispose()

    def test_a_forked_child_makes_its_own(self, url: str) -> None:
        store = opened(sa.create_engine(url))
        key, record = write(store)
        children = [_fork(functools.partial(_work, store, key, record)) for _ in range(3)]
        _work(store, key, record)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
        assert store.get(key) == record

    @pytest.mark.parametrize(
        "settings", [{}, {"poolclass": sa.pool.StaticPool}, {"poolclass": sa.pool.QueuePool}]
    )
    def test_one_in_memory(self, settings: dict[str, t.Any]) -> None:
        with pytest.raises(ConfigurationError, match="memory"):
            SQLAlchemyStore(sa.create_engine("sqlite://", **settings))

    @pytest.mark.parametrize("pool", [sa.pool.StaticPool, sa.pool.SingletonThreadPool])
    def test_one_whose_connections_are_shared(self, pool: type[sa.Pool]) -> None:
        with pytest.raises(ConfigurationError, match=pool.__name__):
            SQLAlchemyStore(sa.create_engine("mysql+pymysql://host/db", poolclass=pool))

    def test_an_asynchronous_one(self) -> None:
        engine = sa.create_engine("postgresql+psycopg_async://host/db")
        with pytest.raises(ConfigurationError, match="synchronous"):
            SQLAlchemyStore(engine)

    @pytest.mark.parametrize("source", [None, 1, b"sqlite:///s.db", object(), sa, sqlite3])
    def test_something_else(self, source: object) -> None:
        with pytest.raises(ConfigurationError, match="a URL or an Engine"):
            SQLAlchemyStore(source)

    def test_a_connection_or_session_of_it(self, store: SQLAlchemyStore) -> None:
        engine = store._connections.engine
        with engine.connect() as connection, sa.orm.Session(engine) as session:
            for source in (connection, session):
                with pytest.raises(ConfigurationError, match="the application has its transact"):
                    SQLAlchemyStore(source)


def _work(store: SQLAlchemyStore, key: str, record: Record) -> None:
    for _ in range(20):
        assert store.get(key) == record
        write(store)


def _fork(function: Operation) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        function()
        status = 0
    except BaseException:  # noqa: BLE001 - told by the status
        traceback.print_exc()
    finally:
        os._exit(status)
