"""Implementations of the benchmark, with their stores behind proxies that count."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from pathlib import Path

import pytest

if t.TYPE_CHECKING:
    from benchmarks.conductor import Counts
    from tests.servers import PostgreSQLServer
    from tests.servers import RedisServer
    from tests.servers.memcached import MemcachedServer

#: By the name of the scenario.
Found = dict[str, "Counts"]
CountAll = cabc.Callable[[str], Found]


@pytest.fixture(scope="module")
def count_all(
    redis_server: RedisServer,
    memcached_server: MemcachedServer,
    postgresql_server: PostgreSQLServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> cabc.Generator[CountAll, None, None]:
    """A function that counts what a request does in each scenario of the benchmark."""
    from benchmarks.conductor import Player
    from benchmarks.conductor import count
    from benchmarks.conductor import places_for
    from benchmarks.conductor import plays
    from benchmarks.contestants import list_all
    from benchmarks.counting import proxies
    from benchmarks.scenarios import SCENARIOS

    servers: dict[str, t.Any] = {
        "redis": redis_server,
        "memcached": memcached_server,
        "postgres": postgresql_server,
    }
    folder: Path = tmp_path_factory.mktemp("counts")
    contestants = {one.title: one for one in list_all()}

    with proxies({name: server.port for name, server in servers.items()}) as between:

        def run(title: str) -> dict[str, Counts]:
            ports = {name: proxy.port for name, proxy in between.items()}
            places = places_for(title.replace("/", "-"), folder, servers, ports)
            player = Player(contestants[title], places, 0, True)

            try:
                player.ready()
                return {
                    name: count(player, name, list(between.values()))
                    for name in SCENARIOS
                    if name != "contended" and plays(contestants[title], name)
                }
            finally:
                player.end()

        yield run
