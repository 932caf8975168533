from __future__ import annotations

import contextlib
import functools
import threading
import time
import typing as t

import pytest
import redis
import redis.sentinel

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.stores import open_store
from sessionkit.stores._redis_sentinel import SentinelConnections
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import RedisServer
from tests.servers import SentinelTrio
from tests.servers.redis_sentinel import SERVICE
from tests.servers.redis_sentinel import SentinelServer
from tests.stores.few_processes import FewProcesses
from tests.stores.wrong_urls import assert_refused_without_its_password

make_sentinel: t.Any = redis.sentinel.Sentinel


@pytest.fixture
def trio(redis_sentinel: SentinelTrio) -> SentinelTrio:
    """A master and two replicas, empty."""
    redis_sentinel.flush()
    return redis_sentinel


@pytest.fixture
def client(trio: SentinelTrio) -> redis.Redis:
    """What an application makes for itself."""
    finder = make_sentinel(
        trio.addresses, sentinel_kwargs={"password": "spw"}, password="pw", socket_timeout=1
    )
    return t.cast(redis.Redis, finder.master_for(SERVICE, decode_responses=True))


class TestRedisStoreOnSentinel(FewProcesses):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Enumerable, Closeable})
    rounds = 10

    @pytest.fixture
    def store(self, trio: SentinelTrio) -> Store:
        self.url = trio.url
        return RedisStore(trio.url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(RedisStore, self.url)

    def neighbour(self, store: Store) -> Store:
        return RedisStore(self.url, prefix="sessionkit:2:")


class TestSources:
    def test_a_client_is_safe_to_fork_too(self, client: redis.Redis) -> None:
        store = RedisStore(client)
        assert type(store._connections) is SentinelConnections
        suite = TestRedisStoreOnSentinel()
        suite.test_fork_while_threads_write(store)
        assert client.ping()
        client.close()

    def test_a_sentinel_of_its_own_kind_is_borrowed_from(self, trio: SentinelTrio) -> None:
        class Finder(make_sentinel):  # type: ignore[misc]
            pass

        finder: t.Any = Finder(trio.addresses, sentinel_kwargs={"password": "spw"}, password="pw")
        client = finder.master_for(SERVICE)
        store = RedisStore(client)
        assert type(store._connections) is not SentinelConnections
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        assert store.get(key) == record
        assert store.owned_by("ann", 0.0) == [key]
        client.close()

    def test_replicas_are_refused(self, trio: SentinelTrio) -> None:
        with pytest.raises(ConfigurationError, match="master_for"):
            RedisStore(make_sentinel(trio.addresses).slave_for(SERVICE))

    def test_a_url(self) -> None:
        store = open_store("redis+sentinel://user:secret@one:1,two/shop/3?prefix=a:&timeout=2")
        assert isinstance(store, RedisStore)
        shown = "redis+sentinel://one:1,two:26379/shop/3"
        assert repr(store) == f"<RedisStore {shown} prefix='a:'>"
        connections: t.Any = store._connections
        said = [connections._arguments[name] for name in ("username", "password", "db")]
        assert said == ["user", "secret", 3]
        assert all("password" not in one._arguments for one in connections._sentinels)

    def test_tls_in_a_url_is_for_sentinel_too(self) -> None:
        store: t.Any = open_store("rediss+sentinel://:secret@one/shop?ssl_ca_certs=/ca.pem")
        connections: t.Any = store._connections
        for one in (connections, *connections._sentinels):
            assert one._class is redis.SSLConnection
            assert one._arguments["ssl_ca_certs"] == "/ca.pem"
            assert one._arguments["ssl_check_hostname"] is True

    @pytest.mark.parametrize(
        "url",
        [
            "redis+sentinel://:secret@host",
            "redis+sentinel://:secret@host//0",
            "redis+sentinel://:secret@host/shop/secret",
            "redis+sentinel://:secret@host:1,/shop",
            "redis+sentinel://:sec/ret@host/shop",
            "redis+sentinel://:secret@host/shop?unknown=secret",
            "rediss+sentinel://:secret@host/shop?margin=secret",
        ],
    )
    def test_what_is_wrong_is_said_without_the_password(self, url: str) -> None:
        assert_refused_without_its_password(url)


class TestTrouble:
    def test_one_sentinel_is_enough(self, trio: SentinelTrio) -> None:
        dead, hanging, _ = trio.sentinels
        url = trio.url.replace(f":{dead.port}", ":1")
        store = RedisStore(url, timeout=0.2, max_idle=0)
        hanging.pause()
        try:
            store.get(new_key())
            started = time.monotonic()
            for _ in range(5):
                assert store.swap(new_key(), None, new_record())
            assert time.monotonic() - started < 0.2, "the one that answers is asked first"
        finally:
            hanging.resume()

    def test_no_sentinel(self) -> None:
        store = RedisStore("redis+sentinel://127.0.0.1:1,127.0.0.1:2/shop")
        with pytest.raises(StoreUnavailable, match="no Sentinel names a master") as caught:
            store.swap(new_key(), None, new_record())
        assert caught.value.unreachable is True

    def test_a_service_that_no_sentinel_knows(self, trio: SentinelTrio) -> None:
        store = RedisStore(trio.url.replace(f"/{SERVICE}/", "/ships/"))
        with pytest.raises(StoreUnavailable, match="'ships'") as caught:
            store.get(new_key())
        assert caught.value.unreachable is False

    @pytest.mark.parametrize(("right", "wrong"), [("=spw", "=hunter2"), (":pw@", ":hunter2@")])
    def test_a_wrong_password(self, trio: SentinelTrio, right: str, wrong: str) -> None:
        store = RedisStore(trio.url.replace(right, wrong))
        with pytest.raises(StoreUnavailable) as caught:
            store.get(new_key())
        assert caught.value.unreachable is False
        assert "hunter" not in f"{caught.value!r} {store!r}"

    def test_a_server_and_a_sentinel_are_told_apart(self, trio: SentinelTrio) -> None:
        sentinel = trio.sentinels[0]
        with pytest.raises(ConfigurationError, match=r"redis\+sentinel://"):
            RedisStore(f"redis://:spw@127.0.0.1:{sentinel.port}").get(new_key())

    def test_a_master_that_is_none_any_more(self) -> None:
        """A planned failover, as Sentinel does it, without the wait for it."""
        with pair() as (one, two), SentinelServer(one, quorum=1) as sentinel:
            url = f"redis+sentinel://127.0.0.1:{sentinel.port}/{SERVICE}"
            store = RedisStore(url)
            key, record = new_key(), new_record(owner="ann")
            assert store.swap(key, None, record)
            with one.client() as first, two.client() as second, sentinel.client() as watching:
                second.replicaof("127.0.0.1", str(one.port))
                while second.info("replication")["master_link_status"] != "up":
                    time.sleep(0.01)
                second.replicaof("NO", "ONE")
                first.replicaof("127.0.0.1", str(two.port))
                execute = watching.execute_command
                execute("SENTINEL REMOVE", SERVICE)
                execute("SENTINEL MONITOR", SERVICE, "127.0.0.1", two.port, 1)
            assert store.swap(key, record, successor(record)), "nothing was done by the first"
            assert store.get(key) == successor(record)
            assert RedisStore(two.url).get(key) == successor(record)


@contextlib.contextmanager
def pair() -> t.Iterator[tuple[RedisServer, RedisServer]]:
    options: dict[str, t.Any] = {"repl_diskless_sync_delay": "0"}
    with RedisServer(**options) as one, RedisServer(**options) as two:
        yield one, two


@pytest.mark.attack
@pytest.mark.slow
@pytest.mark.parametrize("end", ["kill", "pause"])
def test_a_failover(end: str) -> None:
    """Threads go on without a restart, and the old master is not spoken to when it is back."""
    with SentinelTrio() as trio:
        store = RedisStore(trio.url, timeout=0.3, connect_timeout=0.3, wait_replicas=1)
        keys = [new_key() for _ in range(4)]
        acknowledged: list[t.Any] = [new_record() for _ in keys]
        for key, record in zip(keys, acknowledged, strict=True):
            assert store.swap(key, None, record)
        done, longest = threading.Event(), [0.0]

        def write(number: int) -> None:
            while not done.is_set():
                started = time.monotonic()
                with contextlib.suppress(StoreUnavailable):
                    found = store.get(keys[number])
                    assert found is not None, "somebody is logged out"
                    assert found.version >= acknowledged[number].version, "a write is undone"
                    if store.swap(keys[number], found, successor(found)):
                        acknowledged[number] = successor(found)
                longest[0] = max(longest[0], time.monotonic() - started)
                time.sleep(0.005)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(len(keys))]
        for thread in threads:
            thread.start()
        old = trio.master()
        getattr(old, end)()
        wait_for(lambda: trio.master() is not old)
        before = [record.version for record in acknowledged]
        wait_for(
            lambda: all(
                record.version > version + 20
                for record, version in zip(acknowledged, before, strict=True)
            )
        )
        trio.hold()
        old.resume() if end == "pause" else old.start()
        wait_for(trio._is_ready)
        done.set()
        for thread in threads:
            thread.join()
        assert longest[0] < 3.0
        for key, record in zip(keys, acknowledged, strict=True):
            found = store.get(key)
            assert found is not None
            assert found.version >= record.version


def wait_for(condition: t.Callable[[], bool]) -> None:
    give_up = time.monotonic() + 25
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)
