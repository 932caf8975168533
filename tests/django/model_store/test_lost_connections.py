"""Connections that end, and databases that refuse."""

from __future__ import annotations

import typing as t

import pytest
from django.db import Error
from django.db import close_old_connections
from django.db import connections
from django.db import transaction

from django_sessionkit.model_store import ModelStore
from sessionkit.errors import StoreUnavailable
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from tests.django import databases
from tests.django.model_store.support import ALIAS
from tests.servers import MariaDBServer
from tests.servers import PostgreSQLServer


class TestLostConnections:
    @pytest.fixture(params=["postgresql", "mariadb"])
    def project(self, request: pytest.FixtureRequest) -> databases.Database:
        server = request.getfixturevalue(f"{request.param}_server")
        make = databases.mysql if request.param == "mariadb" else databases.postgresql
        return make(server.host, server.port)

    def kill(self, request: pytest.FixtureRequest) -> None:
        """End the connection of this thread, as a restart of the server does."""
        if connections[ALIAS].vendor == "postgresql":
            server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
            pid = t.cast(t.Any, connections[ALIAS].connection).info.backend_pid
            server.execute("SELECT pg_terminate_backend(%s, 5000)", pid)
        else:
            maria: MariaDBServer = request.getfixturevalue("mariadb_server")
            number = t.cast(t.Any, connections[ALIAS].connection).thread_id()
            maria.execute(f"KILL {number}")

    def test_the_next_request_connects_anew(
        self, store: ModelStore, request: pytest.FixtureRequest
    ) -> None:
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        self.kill(request)

        with pytest.raises(StoreUnavailable) as caught:
            store.get(key)

        assert caught.value.unreachable
        assert key not in str(caught.value)
        assert store.get(key) == record

    def test_a_transaction_that_lost_its_connection_is_not_continued_on_another(
        self, store: ModelStore, request: pytest.FixtureRequest
    ) -> None:
        key = new_key()

        def lose_it() -> None:
            with transaction.atomic(using=ALIAS):
                assert store.get(key) is None
                self.kill(request)

                for _ in range(2):
                    with pytest.raises(StoreUnavailable) as caught:
                        store.get(key)

                    assert caught.value.unreachable

        with pytest.raises(Error):
            lose_it()

        close_old_connections()
        assert store.get(key) is None

    def test_who_does_not_listen_is_unreachable(
        self, store: ModelStore, project: databases.Database
    ) -> None:
        databases.use(ALIAS, {**project, "PORT": "1"})

        with pytest.raises(StoreUnavailable) as caught:
            store.get(new_key())

        assert caught.value.unreachable

    def test_who_refuses_us_is_not(self, store: ModelStore, project: databases.Database) -> None:
        databases.use(ALIAS, {**project, "USER": "nobody", "PASSWORD": "hunter2"})

        with pytest.raises(StoreUnavailable) as caught:
            store.get(new_key())

        assert not caught.value.unreachable
        assert "hunter2" not in str(caught.value)
