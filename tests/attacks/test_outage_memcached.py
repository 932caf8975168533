"""One or all of the memcached servers are away: nobody is logged out but by what was forgotten."""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import contextlib
import random
import socket
import subprocess
import sys
import threading
import time
import typing as t

import pymemcache  # type: ignore[import-untyped]
import pytest

from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from tests.servers.memcached import MemcachedServer

from . import outages
from .conftest import Log
from .conftest import Rounds
from .server_troubles import HalfwayProxy
from .website import SOAK
from .website import Visitor
from .website import Website
from .website import until

pytestmark = pytest.mark.attack

CONNECTIONS = 60


class Scene(t.NamedTuple):
    """A server and the wire to it."""

    server: MemcachedServer
    proxy: HalfwayProxy


@contextlib.contextmanager
def paused(scene: Scene) -> cabc.Generator[None, None, None]:
    scene.server.pause()

    try:
        yield
    finally:
        scene.server.resume()


@contextlib.contextmanager
def cut_in_the_middle_of_a_reply(scene: Scene) -> cabc.Generator[None, None, None]:
    scene.proxy.lose_answers = True

    try:
        yield
    finally:
        scene.proxy.lose_answers = False


@contextlib.contextmanager
def too_many_clients(scene: Scene) -> cabc.Generator[None, None, None]:
    with contextlib.ExitStack() as stack:
        scene.proxy.cut()
        refused = 0

        while refused < 5:  # connections that were closed make room for some more
            one = stack.enter_context(socket.create_connection(("127.0.0.1", scene.server.port)))
            refused = 0 if is_served(one) else refused + 1

        yield


def is_served(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"version\r\n")
        return connection.recv(100).startswith(b"VERSION")
    except ConnectionError:
        return False


TROUBLES = (paused, cut_in_the_middle_of_a_reply, too_many_clients)
Trouble = cabc.Callable[[Scene], contextlib.AbstractContextManager[object]]


@pytest.fixture(scope="module")
def scene(
    start_server: cabc.Callable[..., MemcachedServer],
) -> cabc.Generator[Scene, None, None]:
    server = start_server(MemcachedServer, options=["-c", str(CONNECTIONS)])

    with HalfwayProxy(server.port) as proxy:
        yield Scene(server, proxy)


@pytest.fixture
def store(scene: Scene, trouble: Trouble) -> MemcachedStore:
    return store_on(scene.server if trouble is paused else scene.proxy)


def store_on(*servers: MemcachedServer | HalfwayProxy) -> MemcachedStore:
    addresses = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return MemcachedStore(f"memcached://{addresses}", timeout=0.25, connect_timeout=0.25)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nobody_is_logged_out(
    trouble: Trouble, scene: Scene, store: MemcachedStore, log: Log
) -> None:
    outages.nobody_is_logged_out(Website(store), trouble(scene), log)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_site_that_goes_on_without_sessions(
    trouble: Trouble, scene: Scene, store: MemcachedStore
) -> None:
    outages.a_site_goes_on_without_sessions(Website(store, outage="unavailable"), trouble(scene))


@pytest.mark.parametrize("outage", ["error", "unavailable"])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_who_logs_out_is_told_the_truth(
    trouble: Trouble, outage: str, scene: Scene, store: MemcachedStore
) -> None:
    outages.who_logs_out_is_told_the_truth(Website(store, outage=outage), trouble(scene))


@pytest.fixture
def pair() -> cabc.Generator[tuple[MemcachedServer, MemcachedServer], None, None]:
    with MemcachedServer() as one, MemcachedServer() as two:
        yield one, two


def on_server(website: Website, number: int) -> Visitor:
    """Return a visitor who has logged in and whose session is on this server of the pair."""
    store = t.cast(MemcachedStore, website.manager.store)

    while True:
        before = {server.name: items(server.name) for server in store._servers.all}
        visitor = website.visitor(user="alice")
        name = store._servers.all[number].name

        if items(name) > before[name]:
            return visitor


def items(name: str) -> int:
    with contextlib.closing(pymemcache.Client(name)) as client:
        return t.cast(int, client.stats()[b"total_items"])


def test_the_outage_of_one_server_is_none_of_the_others(
    pair: tuple[MemcachedServer, MemcachedServer], log: Log
) -> None:
    website = Website(store_on(*pair))
    here, there = on_server(website, 0), on_server(website, 1)
    cookie = there.cookie
    pair[1].pause()
    started = time.monotonic()

    for _ in range(100):
        assert (here.get("/read").text, here.post("/write").status) == ("alice", 200)
        answer = there.get("/read")
        assert (answer.status, answer.sets_cookie) == (503, False)

    assert time.monotonic() - started < 5
    assert len(log()) == 1
    pair[1].resume()
    until(lambda: there.get("/read").text == "alice")
    assert there.cookie == cookie


def test_who_has_logged_out_stays_so_when_servers_come_and_go(
    pair: tuple[MemcachedServer, MemcachedServer], rounds: Rounds
) -> None:
    website = Website(store_on(*pair), breaker_pause=0.05)
    over = threading.Event()

    def disturb() -> None:
        dice = random.Random(1)

        while not over.is_set():
            server = dice.choice(pair)
            server.pause()
            over.wait(dice.uniform(0.0, 0.6))
            server.resume()
            over.wait(dice.uniform(0.0, 0.1))

    def come_and_go(_: int) -> None:
        seconds = 300 if SOAK else 4
        ended: list[Visitor] = []

        for _ in rounds.for_seconds(seconds):
            visitor = Visitor(website.application)

            if visitor.post("/login").status != 200:
                continue

            thief = Visitor(website.application)
            thief.cookie = visitor.cookie
            answer = visitor.post("/logout")
            assert (answer.status in (200, 503), visitor.cookie) == (True, None)

            if answer.status == 200:
                ended.append(thief)
                rounds.changes += 1

            for one in random.sample(ended, min(3, len(ended))):
                one.post("/write")
                assert one.get("/read").text != "alice"

    disturber = threading.Thread(target=disturb)
    disturber.start()

    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(come_and_go, range(4)))
    finally:
        over.set()
        disturber.join()

    assert rounds.changes > 10


def test_what_a_killed_server_knew_is_forgotten_and_that_is_all(
    pair: tuple[MemcachedServer, MemcachedServer], log: Log
) -> None:
    website = Website(store_on(*pair))
    here, there = on_server(website, 0), on_server(website, 1)
    cookie = there.cookie
    pair[1].kill()

    for path in ("/read", "/state"):
        answer = there.get(path)
        assert (answer.status, answer.sets_cookie) == (503, False)

    pair[1].start()
    until(lambda: there.get("/read").text == "nobody")
    assert (there.cookie, here.get("/read").text) == (cookie, "alice")
    until(lambda: there.post("/login").status == 200)
    assert there.get("/read").text == "alice"


def fill(server: MemcachedServer) -> None:
    full = contextlib.suppress(pymemcache.MemcacheServerError)

    with contextlib.closing(server.client()) as client, full:
        while client.add(new_key(), bytes(20_000)):
            pass


def test_a_full_server_still_reads_and_logs_out(log: Log) -> None:
    with MemcachedServer(["-M", "-m", "2"]) as server:
        website = Website(store_on(server))
        alice, other = website.visitor(user="alice"), website.visitor(user="alice")
        cookie = alice.cookie

        fill(server)
        assert [other.post("/write").status for _ in range(5)] == [503] * 5
        assert other.get("/read").text == "alice"
        answer = alice.post("/logout")
        assert (answer.status, answer.deletes_cookie) == (200, True)
        alice.cookie = cookie
        assert alice.get("/read").text == "nobody"
        assert len(log()) == 1


GREENLETS = """if True:
    from gevent import monkey
    monkey.patch_all()
    import sys, time, gevent
    from sessionkit.stores.memcached import MemcachedStore
    from sessionkit.testing import new_key, new_record, successor

    store = MemcachedStore(sys.argv[1], timeout=0.5)
    ticks = []

    def tick():
        while True:
            ticks.append(time.monotonic())
            gevent.sleep(0.01)

    def work(number):
        for turn in range(20):
            key, record = new_key(), new_record(b"%d" % number)
            assert store.swap(key, None, record)
            gevent.sleep(0)
            found = store.get(key)
            assert found == record
            gevent.sleep(0)
            assert store.swap(key, found, successor(found))
            assert store.delete(key, successor(found))

    gevent.joinall([gevent.spawn(work, number) for number in range(50)], raise_error=True)
    gevent.spawn(tick)
    print("ready", flush=True)
    sys.stdin.readline()
    before = len(ticks)
    jobs = [gevent.spawn(store.get, new_key()) for _ in range(20)]
    gevent.joinall(jobs)
    print([type(job.exception).__name__ for job in jobs].count("StoreUnavailable"))
    print(len(ticks) - before)
"""


def test_greenlets_do_not_wait_for_each_other() -> None:
    with MemcachedServer() as server:
        process = subprocess.Popen(
            [sys.executable, "-c", GREENLETS, server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            server.pause()
            told, _ = process.communicate("\n", timeout=30)
            server.resume()

    refused, ticks = map(int, told.split())
    assert refused == 20, "all of them have waited, and at the same time"
    assert 10 <= ticks < 200
