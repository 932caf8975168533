"""A server that runs for months: memory and descriptors level off, and no request is kept alive."""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import gc
import os
import random
import typing as t
import weakref
from pathlib import Path

import pytest

from sessionkit import SessionMiddleware
from sessionkit.store import Store
from sessionkit.stores.memory import MemoryStore
from sessionkit.stores.redis import RedisStore
from sessionkit.stores.sqlite import SQLiteStore
from tests.servers import RedisServer

from . import redis_troubles
from . import server_troubles
from .server_troubles import HalfwayProxy
from .website import ACTIONS
from .website import SOAK
from .website import Visitor
from .website import Website
from .website import environ_of

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

pytestmark = [
    pytest.mark.attack,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux' /proc"),
]

#: Requests after as many others that let everything grow to its bound.
SESSIONS, REQUESTS = (50_000, 200_000) if SOAK else (2_000, 6_000)

#: In one of so many times that number nothing must grow.
ROUNDS = 3

#: What they ask for, in percent.
MIX = {"/untouched": 10, "/read": 55, "/mutate": 25, "/login": 5, "/renew": 3, "/logout": 2}

#: Bytes of memory and a number of objects: what comes and goes. The memory store's heap of expiry
#: times holds up to two for each session, SQLite's module up to 200 references to cursors.
SLACK, OBJECTS = 2**20 + 100 * SESSIONS, 500


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return MemoryStore(max_sessions=SESSIONS + 100)

    if request.param == "sqlite":
        return SQLiteStore(tmp_path / "sessions.sqlite3")

    return RedisStore(request.getfixturevalue("redis_url"))


class Usage(t.NamedTuple):
    """What this process uses: bytes of memory, objects that refer to others, open descriptors."""

    memory: int
    objects: int
    descriptors: int


def usage() -> Usage:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), len(gc.get_objects()), descriptors())


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def visit(visitors: list[Visitor], times: int) -> None:
    paths = random.choices(list(MIX), list(MIX.values()), k=times)

    for path in paths:
        visitor = random.choice(visitors)
        # Who has logged out logs in.
        assert visitor.post(path if visitor.cookie else "/login").status == 200


def test_memory_and_descriptors_level_off(store: Store) -> None:
    website = Website(store)
    visitors = [website.visitor(user="alice") for _ in range(SESSIONS)]

    for visitor in visitors:
        assert visitor.post("/mutate").status == 200

    visit(visitors, REQUESTS)

    # The process has run other tests, whose leftovers come and go.
    for _ in range(ROUNDS):
        before = usage()
        visit(visitors, REQUESTS)
        after = usage()

        if (
            after.memory - before.memory < SLACK
            and after.objects - before.objects < OBJECTS
            and after.descriptors <= before.descriptors + 1
        ):
            return

    pytest.fail(f"in each of {ROUNDS} rounds it grew, in the last from {before} to {after}")


def test_a_thread_for_each_request_costs_no_descriptors(store: Store) -> None:
    website = Website(store)
    visitors = [website.visitor(user="alice") for _ in range(8)]
    before = descriptors()

    for _ in range(25):
        with concurrent.futures.ThreadPoolExecutor(len(visitors)) as pool:
            answers = list(pool.map(lambda visitor: visitor.post("/mutate"), visitors))

        assert {answer.status for answer in answers} == {200}

    # SQLite: the file and its log for each of eight connections.
    assert descriptors() - before <= 2 * len(visitors)


@pytest.mark.parametrize("trouble", redis_troubles.UNREACHABLE[:-1] + redis_troubles.REFUSING[:1])
def test_an_outage_costs_no_descriptors(
    trouble: redis_troubles.Trouble, start_server: cabc.Callable[..., RedisServer]
) -> None:
    server = start_server(RedisServer, persistent=True)

    with HalfwayProxy(server.port) as proxy:
        cut = trouble is server_troubles.cut_in_the_middle_of_a_reply
        url = f"redis://127.0.0.1:{proxy.port if cut else server.port}/0"
        visitor = Website(RedisStore(url)).visitor(user="alice")
        impatient = RedisStore(url, timeout=0.01, connect_timeout=0.01)
        visitor.application = Website(impatient, breaker_failures=1_000_000).application

        with trouble(redis_troubles.Scene(server, proxy)):
            visitor.get("/read")
            proxy.cut()
            before = usage()

            for _ in range(100):
                assert visitor.get("/read").status == 503

            proxy.cut()
            after = usage()

    # A connection through the proxy has four ends, and the proxy is slow to notice.
    assert after.descriptors - before.descriptors <= 4
    assert after.objects - before.objects < 100


class Environ(dict[str, t.Any]):
    """Unlike a plain dictionary it can be watched."""


def watched(
    application: SessionMiddleware, path: str, cookie: str | None
) -> list[weakref.ref[t.Any]]:
    """Make a request; return references to its environ and its session."""
    environ = Environ(environ_of("POST", path, cookie))
    body = application(environ, lambda status, headers, exc_info=None, /: lambda data: None)
    b"".join(body)
    session = environ["sessionkit.session"]
    return [weakref.ref(environ), weakref.ref(session)]


def left(watched: list[weakref.ref[t.Any]]) -> list[object]:
    return [reference() for reference in watched if reference() is not None]


@pytest.fixture
def no_collector() -> cabc.Generator[None, None, None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.usefixtures("no_collector")
def test_nothing_keeps_a_request_alive_not_even_until_garbage_is_collected(
    store: Store, path: str
) -> None:
    website = Website(store)
    visitor = website.visitor(user="alice")
    assert not left(watched(website.application, path, None))
    assert not left(watched(website.application, path, visitor.cookie))


def streaming(environ: WSGIEnvironment, start_response: StartResponse) -> cabc.Iterable[bytes]:
    environ["sessionkit.session"]["seen"] = True
    start_response("200 OK", [])
    yield b"one"
    yield environ["PATH_INFO"].encode()


def writing(environ: WSGIEnvironment, start_response: StartResponse) -> cabc.Iterable[bytes]:
    environ["sessionkit.session"]["seen"] = True
    start_response("200 OK", [])(b"one")
    return [b"two"]


def failing(environ: WSGIEnvironment, start_response: StartResponse) -> cabc.Iterable[bytes]:
    environ["sessionkit.session"]["seen"] = True
    start_response("500 Internal Server Error", [])
    return [b"failed"]


@pytest.mark.parametrize("view", [streaming, writing, failing])
@pytest.mark.usefixtures("no_collector")
def test_no_kind_of_answer_keeps_a_request_alive(view: t.Any) -> None:
    manager = Website(MemoryStore()).manager
    assert not left(watched(SessionMiddleware(view, manager), "/", None))
    nested = SessionMiddleware(SessionMiddleware(view, manager), manager)
    assert not left(watched(nested, "/", None))


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.parametrize("outage", ["error", "unavailable"])
@pytest.mark.usefixtures("no_collector")
def test_in_an_outage_a_request_is_gone_when_garbage_is_collected(
    tmp_path: Path, path: str, outage: str
) -> None:
    website = Website(SQLiteStore(tmp_path / "missing" / "sessions.sqlite3"), outage=outage)
    # Not before: the session keeps the error for whoever uses it again, and that knows the session.
    references = watched(website.application, path, "sid=" + 40 * "a")
    gc.collect()
    assert not left(references)
