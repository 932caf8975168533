"""Writers to Redis, and Redis itself, are killed with ``kill -9`` at any instant."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit import SessionManager
from sessionkit.stores.redis import RedisStore
from tests.servers import RedisServer

from . import crashes
from .conftest import Rounds
from .crashes import Writers
from .website import SOAK

pytestmark = pytest.mark.attack


@pytest.fixture(scope="module")
def server(start_server: cabc.Callable[..., RedisServer]) -> RedisServer:
    return start_server(RedisServer, persistent=True)


@pytest.fixture
def manager(server: RedisServer) -> SessionManager:
    with server.client() as client:
        client.flushall()

    return SessionManager(RedisStore(server.url))


@pytest.fixture
def writers(server: RedisServer) -> cabc.Generator[Writers, None, None]:
    with Writers(server.url) as writers:
        yield writers


def test_29_writers_are_killed(manager: SessionManager, writers: Writers, rounds: Rounds) -> None:
    seconds = rounds.for_seconds(900 if SOAK else 4)
    rounds.changes = crashes.attack(writers, manager, seconds, longest=0.1)
    assert rounds.changes > 0


def test_the_server_is_killed(
    manager: SessionManager, server: RedisServer, writers: Writers, rounds: Rounds
) -> None:
    rounds.changes = crashes.attack(
        writers,
        manager,
        rounds.for_seconds(1800 if SOAK else 6),
        longest=0.1,
        interrupt=server.kill,
        repair=server.start,
    )
    assert rounds.changes > 0
