"""Redis is away, or refuses to serve: nobody is logged out, and nobody waits for long."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit.stores.redis import RedisStore
from tests.servers import RedisServer

from . import outages
from . import redis_troubles as troubles
from . import server_troubles
from .conftest import Log
from .redis_troubles import Scene
from .redis_troubles import Trouble
from .server_troubles import HalfwayProxy
from .website import Website

pytestmark = pytest.mark.attack

EVERYTHING = (*troubles.UNREACHABLE, *troubles.REFUSING)


@pytest.fixture(scope="module")
def scene(start_server: cabc.Callable[..., RedisServer]) -> cabc.Generator[Scene, None, None]:
    server = start_server(RedisServer, persistent=True)

    with HalfwayProxy(server.port) as proxy:
        yield Scene(server, proxy)


@pytest.fixture
def store(scene: Scene, trouble: Trouble) -> RedisStore:
    through_proxy = trouble is server_troubles.cut_in_the_middle_of_a_reply
    port = scene.proxy.port if through_proxy else scene.server.port
    # Who refuses does so at once, but for a machine that is busy.
    limit = 2.0 if trouble in troubles.REFUSING else 0.25
    return RedisStore(f"redis://127.0.0.1:{port}/0", timeout=limit, connect_timeout=limit)


@pytest.mark.parametrize("trouble", EVERYTHING)
def test_nobody_is_logged_out(trouble: Trouble, scene: Scene, store: RedisStore, log: Log) -> None:
    outages.nobody_is_logged_out(Website(store), trouble(scene), log)


@pytest.mark.parametrize("trouble", troubles.READ_ONLY)
def test_what_can_be_read_is_read(
    trouble: Trouble, scene: Scene, store: RedisStore, log: Log
) -> None:
    outages.what_can_be_read_is_read(Website(store), trouble(scene), log)


@pytest.mark.parametrize("trouble", EVERYTHING)
def test_a_site_that_goes_on_without_sessions(
    trouble: Trouble, scene: Scene, store: RedisStore
) -> None:
    outages.a_site_goes_on_without_sessions(Website(store, outage="unavailable"), trouble(scene))


@pytest.mark.parametrize("outage", ["error", "unavailable"])
@pytest.mark.parametrize(
    "trouble", [*EVERYTHING, troubles.read_only_replica, troubles.writes_held_up]
)
def test_who_logs_out_is_told_the_truth(
    trouble: Trouble, outage: str, scene: Scene, store: RedisStore
) -> None:
    outages.who_logs_out_is_told_the_truth(Website(store, outage=outage), trouble(scene))


@pytest.mark.parametrize("trouble", [troubles.out_of_memory])
def test_a_full_server_still_logs_out(
    trouble: Trouble, scene: Scene, store: RedisStore, log: Log
) -> None:
    website = Website(store)
    alice, other = website.visitor(user="alice"), website.visitor(user="alice")
    cookie = alice.cookie

    with trouble(scene):
        assert other.post("/write").status == 503
        answer = alice.post("/logout")
        assert (answer.status, answer.deletes_cookie) == (200, True)
        assert other.post("/write").status == 503

    assert len(log()) == 1
    alice.cookie = cookie
    assert alice.get("/read").text == "nobody"


@pytest.mark.parametrize("trouble", [server_troubles.killed])
def test_a_restart_and_forgotten_scripts_are_not_noticed(
    trouble: Trouble, scene: Scene, store: RedisStore, log: Log
) -> None:
    alice = Website(store).visitor(user="alice")

    with scene.server.client() as admin:
        for happens in (scene.server.restart, admin.script_flush):
            happens()
            assert alice.post("/write").status == 200
            assert alice.get("/read").text == "alice"

    assert log() == []


@pytest.mark.parametrize("trouble", [server_troubles.killed, server_troubles.paused])
def test_many_visitors_at_once(trouble: Trouble, scene: Scene, store: RedisStore, log: Log) -> None:
    outages.many_visitors_at_once(Website(store), trouble(scene), log)
