"""MariaDB is away, or refuses to serve: nobody is logged out, and nobody waits for long."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit.stores.sqlalchemy import SQLAlchemyStore
from tests.servers import MariaDBServer

from . import mariadb_troubles as troubles
from . import outages
from . import server_troubles
from .conftest import Log
from .mariadb_troubles import USER
from .mariadb_troubles import Scene
from .mariadb_troubles import Trouble
from .server_troubles import HalfwayProxy
from .website import Website

pytestmark = pytest.mark.attack

EVERYTHING = (*troubles.UNREACHABLE, *troubles.REFUSING)


@pytest.fixture(scope="module")
def scene(start_server: cabc.Callable[..., MariaDBServer]) -> cabc.Generator[Scene, None, None]:
    server = start_server(MariaDBServer, durable=True)
    server.execute(f"CREATE USER {USER}")
    server.execute(f"GRANT ALL ON sessions.* TO {USER}")
    SQLAlchemyStore(server.url).create_schema()

    with HalfwayProxy(server.port) as proxy:
        yield Scene(server, proxy)


@pytest.fixture
def store(scene: Scene, trouble: Trouble) -> cabc.Generator[SQLAlchemyStore, None, None]:
    through_proxy = trouble is server_troubles.cut_in_the_middle_of_a_reply
    port = scene.proxy.port if through_proxy else scene.server.port
    # TLS takes the driver 25 ms a connection, which is not what is looked at here.
    url = f"mysql+pymysql://{USER}@127.0.0.1:{port}/sessions?ssl_disabled=true"
    # Who refuses does so at once, but for a machine that is busy.
    limit = 2.0 if trouble in troubles.REFUSING else 0.25
    store = SQLAlchemyStore(url, timeout=limit, connect_timeout=limit)
    yield store
    store.close()


@pytest.mark.parametrize("trouble", EVERYTHING)
def test_nobody_is_logged_out(
    trouble: Trouble, scene: Scene, store: SQLAlchemyStore, log: Log
) -> None:
    outages.nobody_is_logged_out(Website(store), trouble(scene), log)


@pytest.mark.parametrize("trouble", troubles.READ_ONLY)
def test_what_can_be_read_is_read(
    trouble: Trouble, scene: Scene, store: SQLAlchemyStore, log: Log
) -> None:
    outages.what_can_be_read_is_read(Website(store), trouble(scene), log)


@pytest.mark.parametrize("trouble", EVERYTHING)
def test_a_site_that_goes_on_without_sessions(
    trouble: Trouble, scene: Scene, store: SQLAlchemyStore
) -> None:
    outages.a_site_goes_on_without_sessions(Website(store, outage="unavailable"), trouble(scene))


@pytest.mark.parametrize("outage", ["error", "unavailable"])
@pytest.mark.parametrize("trouble", [*EVERYTHING, *troubles.READ_ONLY])
def test_who_logs_out_is_told_the_truth(
    trouble: Trouble, outage: str, scene: Scene, store: SQLAlchemyStore
) -> None:
    outages.who_logs_out_is_told_the_truth(Website(store, outage=outage), trouble(scene))


@pytest.mark.parametrize("trouble", [server_troubles.killed])
def test_a_restart_and_ended_connections_are_not_noticed(
    trouble: Trouble, scene: Scene, store: SQLAlchemyStore, log: Log
) -> None:
    alice = Website(store).visitor(user="alice")

    for happens in (scene.server.restart, lambda: troubles.end_connections(scene)):
        happens()
        assert alice.post("/write").status == 200
        assert alice.get("/read").text == "alice"

    assert log() == []


@pytest.mark.parametrize(
    "trouble", [server_troubles.killed, server_troubles.paused, troubles.table_locked]
)
def test_many_visitors_at_once(
    trouble: Trouble, scene: Scene, store: SQLAlchemyStore, log: Log
) -> None:
    outages.many_visitors_at_once(Website(store), trouble(scene), log)
