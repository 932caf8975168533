"""Fixtures that all tests share."""

from __future__ import annotations

import collections.abc as cabc
import gc
import os
import sys
import typing as t
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("sessionkit.testing")

# Last, so that an installed sessionkit is the one that is tested: this is for `tests.servers`.
sys.path.append(str(Path(__file__).parent.parent))

# For the same tests on other versions of the libraries.
settings.register_profile("few", max_examples=20)

if t.TYPE_CHECKING:
    from tests.servers import MariaDBServer
    from tests.servers import PostgreSQLServer
    from tests.servers import RedisCluster
    from tests.servers import RedisServer
    from tests.servers import SentinelTrio
    from tests.servers import Server
    from tests.servers.memcached import MemcachedServer

S = t.TypeVar("S", bound="Server")

_missing: set[str] = set()


@pytest.fixture(scope="session")
def start_server() -> cabc.Generator[cabc.Callable[..., t.Any], None, None]:
    """A function that starts a server of a class, and ends it with the tests.

    Without its program the test is skipped, or fails where CI is true.
    """
    from tests.servers import MissingServer

    servers: list[Server] = []

    def start(server_class: type[S], **arguments: t.Any) -> S:
        try:
            server = server_class(**arguments)
        except MissingServer as error:
            _missing.add(str(error))
            if os.environ.get("CI") == "true":
                pytest.fail(f"{error} is not installed")
            pytest.skip(f"{error} is not installed")
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.remove()


@pytest.fixture(scope="session")
def redis_server(start_server: cabc.Callable[..., RedisServer]) -> RedisServer:
    """A Redis server for the whole run; leave it running and as it is configured."""
    from tests.servers import RedisServer

    return start_server(RedisServer)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of a Redis server in which there is nothing."""
    with redis_server.client() as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def redis_cluster(start_server: cabc.Callable[..., RedisCluster]) -> RedisCluster:
    """Three Redis masters for the whole run; leave them running, and the slots where they are."""
    from tests.servers import RedisCluster

    return start_server(RedisCluster)


@pytest.fixture(scope="session")
def redis_sentinel(start_server: cabc.Callable[..., SentinelTrio]) -> SentinelTrio:
    """A Redis master, two replicas and three Sentinels for the whole run; leave them so."""
    from tests.servers import SentinelTrio

    return start_server(SentinelTrio, requirepass="pw", sentinel_password="spw")


@pytest.fixture(scope="session")
def mariadb_server(start_server: cabc.Callable[..., MariaDBServer]) -> MariaDBServer:
    """A MariaDB server for the whole run; leave it running and as it is configured."""
    from tests.servers import MariaDBServer

    return start_server(MariaDBServer)


@pytest.fixture(scope="session")
def postgresql_server(start_server: cabc.Callable[..., PostgreSQLServer]) -> PostgreSQLServer:
    """A PostgreSQL server for the whole run; leave it running and as it is configured."""
    from tests.servers import PostgreSQLServer

    return start_server(PostgreSQLServer)


@pytest.fixture(scope="session")
def memcached_server(start_server: cabc.Callable[..., MemcachedServer]) -> MemcachedServer:
    """A memcached server for the whole run; leave it running."""
    from tests.servers.memcached import MemcachedServer

    return start_server(MemcachedServer)


#: Tests of the conformance suite that start processes, many for each store.
SLOW = ("test_processes_", "test_killed_writers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.name.startswith(SLOW):
            item.add_marker("slow")


def pytest_collection_finish() -> None:
    # The tests and what they import stay to the end: the collector need not look at them each time.
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for program in sorted(_missing):
        terminalreporter.section("not everything was tested", red=True)
        terminalreporter.line(f"{program} is not installed; its tests were skipped", red=True)
