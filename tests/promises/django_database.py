"""The promises in the database of a Django project; tests/django runs them."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit.store import Store
from tests.servers import PostgreSQLServer

from .promises import StorePromises


class InDjangosDatabase(StorePromises):
    place = "django:"

    @pytest.fixture
    def open_store(
        self, postgresql_server: PostgreSQLServer
    ) -> cabc.Iterator[cabc.Callable[[], Store]]:
        from tests.django import databases

        server = postgresql_server
        store = databases.open_store("sessions", databases.postgresql(server.host, server.port))
        databases.migrate("sessions")
        store.clear()
        yield lambda: store
        databases.forget("sessions")
