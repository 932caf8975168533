"""The engines that sessions can be kept in, for tests that must hold on every one of them."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from pathlib import Path

import pytest

from sessionkit.stores import open_store

if t.TYPE_CHECKING:
    from tests.servers import Server


class Engine(t.NamedTuple):
    """An engine: how a test gets an empty store in it.

    :ivar name: as in docs/stores.md.
    :ivar server: the fixture of its server, which runs for all tests; None: it has none.
    :ivar url_of: makes the URL of a store from the server, or from an empty folder.
    :ivar shared: whether other processes, which open the same URL, see the same sessions.
    :ivar owned: whether it can list the sessions of an owner.
    """

    name: str
    server: str | None
    url_of: cabc.Callable[[t.Any], str]
    shared: bool = True
    owned: bool = True

    def url(self, request: pytest.FixtureRequest) -> str:
        """Return the URL of a store in which there is nothing."""
        if self.server is None:
            folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("store")
            return self.url_of(folder)

        server: Server = request.getfixturevalue(self.server)
        url = self.url_of(server)
        store: t.Any = open_store(url)
        getattr(store, "create_schema", lambda: None)()
        getattr(store, "clear", lambda: None)()
        getattr(store, "close", lambda: None)()
        return url

    def __str__(self) -> str:
        return self.name


def _url(server: Server) -> str:
    return server.url


ENGINES: t.Final = (
    Engine("memory", None, lambda folder: "memory:", shared=False),
    Engine("file", None, lambda folder: f"file:///{folder}/sessions"),
    Engine("sqlite", None, lambda folder: f"sqlite:///{folder}/sessions.sqlite3"),
    Engine("redis", "redis_server", _url),
    Engine("redis+cluster", "redis_cluster", _url),
    Engine("redis+sentinel", "redis_sentinel", _url),
    Engine("memcached", "memcached_server", _url, owned=False),
    Engine("postgres", "postgresql_server", _url),
    Engine(
        "sqlalchemy (MariaDB)", "mariadb_server", lambda server: "sqlalchemy+" + str(server.url)
    ),
    Engine(
        "sqlalchemy (PostgreSQL)",
        "postgresql_server",
        lambda server: (
            "sqlalchemy+"
            + server.url.replace("postgresql://", "postgresql+psycopg://")
            + "?table=sqlalchemy_sessions"
        ),
    ),
)
