"""A node of a Redis Cluster is away: its own sessions are, for a while, and no others."""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import contextlib
import threading
import time
import typing as t

import pytest

from sessionkit.stores.redis_cluster import RedisClusterStore
from sessionkit.tokens import digest
from tests.servers import RedisCluster
from tests.servers.redis_cluster import ClusterNode

from . import outages
from .conftest import Log
from .website import SOAK
from .website import Visitor
from .website import Website
from .website import until

pytestmark = pytest.mark.attack


@pytest.fixture(scope="module")
def cluster(start_server: cabc.Callable[..., t.Any]) -> RedisCluster:
    running: RedisCluster = start_server(RedisCluster, persistent=True)
    return running


@pytest.fixture
def store(cluster: RedisCluster) -> RedisClusterStore:
    return RedisClusterStore(cluster.url, timeout=0.25, connect_timeout=0.25)


@contextlib.contextmanager
def killed(node: ClusterNode, cluster: RedisCluster) -> cabc.Generator[None, None, None]:
    node.kill()

    try:
        yield
    finally:
        node.start()
        cluster.wait()


@contextlib.contextmanager
def paused(node: ClusterNode, cluster: RedisCluster) -> cabc.Generator[None, None, None]:
    node.pause()

    try:
        yield
    finally:
        node.resume()
        cluster.wait()


TROUBLES = (killed, paused)

Trouble = cabc.Callable[[ClusterNode, RedisCluster], contextlib.AbstractContextManager[None]]


class Crowd:
    """Visitors who have logged in, on every node, and what became of one node.

    :ivar index: where the index of their owner is; another node than the one in trouble.
    """

    def __init__(self, website: Website, store: RedisClusterStore, cluster: RedisCluster) -> None:
        self.store = store
        self.index = store._cluster.node_of(store._names.index("alice"))
        visitors = [website.visitor(user="alice") for _ in range(24)]
        self.index = store._cluster.node_of(store._names.index("alice"))
        self.victim = next(node for node in cluster.masters if self.name(node) != self.index)
        self.struck = [one for one in visitors if self.node_of(one) == self.name(self.victim)]
        self.spared = [one for one in visitors if one not in self.struck]
        assert self.struck
        assert len({self.node_of(one) for one in self.spared}) == 2

    def name(self, node: ClusterNode) -> str:
        return f"{node.host}:{node.port}"

    def node_of(self, visitor: Visitor) -> str:
        assert visitor.cookie is not None
        return self.store.node_of(digest(visitor.cookie.partition("=")[2]))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_dead_node_is_no_outage_of_the_others(
    trouble: Trouble, cluster: RedisCluster, store: RedisClusterStore, log: Log
) -> None:
    crowd = Crowd(Website(store), store, cluster)

    with trouble(crowd.victim, cluster):
        for visitor in crowd.struck[:2]:
            read, written = visitor.get("/read"), visitor.post("/write")
            assert (read.status, read.sets_cookie) == (503, False)
            assert (written.status, written.sets_cookie) == (503, False)

        outages.ask_often(crowd.struck[0], "/read", 3)
        assert outages.ask_often(crowd.struck[0], "/read", outages.OFTEN) < outages.QUICKLY
        started = time.monotonic()

        for visitor in crowd.spared:
            assert visitor.get("/read").text == "alice"
            assert visitor.post("/write").status == 200

        assert time.monotonic() - started < 1.0
        assert len(log()) == 1
        assert crowd.name(crowd.victim) in log()[0]

    until(lambda: all(one.get("/read").text == "alice" for one in crowd.struck + crowd.spared))
    until(lambda: crowd.struck[0].post("/write").status == 200 and len(log()) > 1)
    assert [line.partition(":")[0] for line in log()] == ["ERROR", "WARNING"]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_who_logs_out_there_is_told_the_truth(
    trouble: Trouble, cluster: RedisCluster, store: RedisClusterStore
) -> None:
    crowd = Crowd(Website(store), store, cluster)
    there, elsewhere = crowd.struck[0], crowd.spared[0]

    with trouble(crowd.victim, cluster):
        answer = there.post("/logout")
        assert (answer.status, answer.deletes_cookie) == (503, True)
        assert "the server could not be told" in answer.text
        answer = elsewhere.post("/logout")
        assert (answer.status, answer.deletes_cookie) == (200, True)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_without_the_index_nobody_logs_in_and_everybody_else_goes_on(
    trouble: Trouble, cluster: RedisCluster, store: RedisClusterStore, log: Log
) -> None:
    website = Website(store)
    crowd = Crowd(website, store, cluster)
    holder = next(node for node in cluster.masters if crowd.name(node) == crowd.index)
    others = [one for one in crowd.struck + crowd.spared if crowd.node_of(one) != crowd.index]

    with trouble(holder, cluster):
        started = time.monotonic()

        for visitor in others:
            stranger = website.visitor()
            login = stranger.post("/login")
            assert (login.status, login.sets_cookie) == (503, False)
            assert visitor.post("/write").status == 200
            assert visitor.get("/read").text == "alice"

        assert time.monotonic() - started < 3.0

    until(lambda: website.visitor().post("/login").status == 200)


def test_slots_move_while_people_come_and_go(
    cluster: RedisCluster, store: RedisClusterStore, log: Log
) -> None:
    website = Website(store)
    visitors = [website.visitor(user="alice") for _ in range(8)]
    ended = website.visitor(user="alice")
    cookie = ended.cookie
    ended.post("/logout")
    over = threading.Event()

    def wander(visitor: Visitor) -> None:
        while not over.is_set():
            assert visitor.post("/mutate").status == 200
            assert visitor.get("/read").text == "alice"
            thief = website.visitor()
            thief.cookie = cookie
            assert thief.get("/read").text == "nobody"

    with concurrent.futures.ThreadPoolExecutor(len(visitors)) as pool:
        wandering = [pool.submit(wander, visitor) for visitor in visitors]

        for _ in range(20 if SOAK else 2):
            there, back = cluster.masters[0], cluster.masters[1]

            for source, target in ((there, back), (back, there)):
                cluster.move(range(40), source, target)

            for visitor in visitors:
                assert visitor.cookie is not None
                cluster.move([store_slot(store, visitor)], *two_nodes(cluster, store, visitor))

        over.set()

    assert [future.exception() for future in wandering] == [None] * len(visitors)
    assert log() == []


def store_slot(store: RedisClusterStore, visitor: Visitor) -> int:
    from sessionkit.stores._redis_slots import slot_of

    assert visitor.cookie is not None
    return slot_of(store.prefix + digest(visitor.cookie.partition("=")[2]))


def two_nodes(
    cluster: RedisCluster, store: RedisClusterStore, visitor: Visitor
) -> tuple[ClusterNode, ClusterNode]:
    slot = store_slot(store, visitor)
    source = cluster.holder(slot)
    return source, next(node for node in cluster.masters if node is not source)


@pytest.mark.parametrize("end", ["kill", "pause"])
def test_a_replica_takes_over_while_people_come_and_go(
    end: str, log: Log, tell: cabc.Callable[[str], None]
) -> None:
    with RedisCluster(replicas=1, cluster_node_timeout="700") as cluster:
        store = RedisClusterStore(
            cluster.url, timeout=0.3, connect_timeout=0.3, wait_replicas=1, wait_timeout=0.25
        )
        website = Website(store)
        until(lambda: website.visitor().post("/login").status == 200)
        crowd = Crowd(website, store, cluster)
        thief, logged_out = website.visitor(), crowd.struck.pop()
        thief.cookie = logged_out.cookie
        assert logged_out.post("/logout").status == 200
        over, longest = threading.Event(), [0.0]

        def wander(visitor: Visitor) -> None:
            while not over.is_set():
                started = time.monotonic()

                for answer in (visitor.get("/read"), visitor.post("/mutate")):
                    assert answer.status in (200, 503)
                    assert not answer.sets_cookie

                longest[0] = max(longest[0], time.monotonic() - started)
                time.sleep(0.01)

        wanderers = [*crowd.struck[:3], *crowd.spared[:3]]

        with concurrent.futures.ThreadPoolExecutor(len(wanderers)) as pool:
            wandering = [pool.submit(wander, visitor) for visitor in wanderers]
            began = time.monotonic()
            getattr(crowd.victim, end)()
            until(lambda: crowd.struck[0].get("/read").status == 503)
            until(lambda: all(one.get("/read").text == "alice" for one in crowd.struck))
            took = time.monotonic() - began
            over.set()

        assert [future.exception() for future in wandering] == [None] * len(wanderers)
        assert thief.get("/read").text == "nobody", "what was ended is alive"
        assert all(one.get("/read").text == "alice" for one in crowd.spared)
        # With one replica, nobody confirms a write until the old master is back as one.
        crowd.victim.start() if end == "kill" else crowd.victim.resume()
        until(lambda: crowd.struck[0].post("/mutate").status == 200 and "WARNING" in log()[-1])

        tell(
            f"Redis Cluster, a replica in place of a master ({end}): {took:.1f} s; "
            f"two requests took {longest[0]:.2f} s at most"
        )
        assert longest[0] < 3.0
