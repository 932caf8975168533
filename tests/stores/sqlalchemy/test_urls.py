"""What a store is made of: URLs."""

from __future__ import annotations

import traceback
import typing as t
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc
import sqlalchemy.orm
import sqlalchemy.pool

from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store
from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from sessionkit.testing import new_key
from tests.servers import MariaDBServer
from tests.stores.sqlalchemy.support import write


class TestURLs:
    def test_parameters(self) -> None:
        store = open_store(
            "sqlalchemy+mysql+pymysql://user:secret@host:1234/shop?table=s&margin=60&timeout=3"
            "&charset=utf8mb4&max_idle=4&connect_timeout=1.5"
        )
        assert isinstance(store, SQLAlchemyStore)
        assert (store.table, store.margin) == ("s", 60.0)
        assert dict(store._connections.engine.url.query) == {"charset": "utf8mb4"}
        assert repr(store) == "<SQLAlchemyStore mysql+pymysql://host:1234/shop table='s'>"

    def test_they_arrive(self, mariadb_server: MariaDBServer) -> None:
        store = open_store(f"sqlalchemy+{mariadb_server.url}&timeout=7&table=u&program_name=x")
        assert isinstance(store, SQLAlchemyStore)
        store.create_schema()
        write(store)
        row = store._connections.read(
            lambda session: session.row(
                sa.text("SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout, @@sql_mode"), {}
            )
        )
        assert tuple(row) == (5, 5, "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION")

    def test_odd_paths(self, tmp_path: Path) -> None:
        store = open_store(f"sqlalchemy+sqlite:///{tmp_path}/a%20b.db?timeout=1")
        assert isinstance(store, SQLAlchemyStore)
        store.create_schema()
        write(store)

    @pytest.mark.parametrize(
        ("url", "text"),
        [
            ("mysql+pymysql://user:sec/ret@host/db", "percent-encoded"),
            ("mysql+pymysql://user:secret@host:port/db", "percent-encoded"),
            ("mysql+pymysql://user:secret#@host/db", "percent-encoded"),
            ("mysql+pymysql://user:secret@host/db?margin=secret", "'margin'"),
            ("mysql+pymysql://user:secret@host/db?margin=-1", "negative"),
            ("mysql+pymysql://user:secret@host/db?timeout=0", "timeout"),
            ("mysql+pymysql://user:secret@host/db?connect_timeout=0", "connect_timeout"),
            ("mysql+pymysql://user:secret@host/db?table=a&table=b", "twice"),
            ("mysql+nothing://user:secret@host/db", "no such dialect"),
            ("nothing://user:secret@host/db", "no such dialect"),
            ("mysql+oursql://user:secret@host/db", "no such dialect"),
            ("mysql+asyncmy://user:secret@host/db", "driver that is missing"),
            ("sqlite://", "memory"),
            ("sqlite:///:memory:", "memory"),
            ("sqlite:///file:x?mode=memory&cache=shared&uri=true", "memory"),
        ],
    )
    def test_what_is_wrong_is_said_without_the_password(self, url: str, text: str) -> None:
        with pytest.raises(ConfigurationError, match=text) as caught:
            open_store(f"sqlalchemy+{url}")
        told = "".join(traceback.format_exception(caught.value)).replace("margin=secret", "")
        assert "secret@" not in told
        assert "ret@" not in told.replace("sec/ret@host", "") or "sec/ret" in url

    def test_a_parameter_that_the_driver_does_not_take(self, mariadb_server: MariaDBServer) -> None:
        store = open_store(f"sqlalchemy+{mariadb_server.url}&tabel=x")
        with pytest.raises(ConfigurationError, match="tabel"):
            store.get(new_key())

    @pytest.mark.parametrize(
        "settings",
        [{"margin": -1.0}, {"max_idle": -1}, {"timeout": 0.0}, {"connect_timeout": -1.0}],
    )
    def test_settings_that_cannot_be(self, settings: dict[str, t.Any]) -> None:
        with pytest.raises(ConfigurationError, match=next(iter(settings))):
            SQLAlchemyStore("sqlite:///s.db", **settings)
