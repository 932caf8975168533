from __future__ import annotations

import functools
import gc
import os
import socket
import struct
import threading
import time
import traceback
import typing as t
import weakref

import pytest
import redis
import redis.asyncio

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Closeable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.stores import open_store
from sessionkit.stores import redis as module
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import StoreConformance
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import Proxy
from tests.servers import RedisServer
from tests.stores.few_processes import FewProcesses

Start = t.Callable[..., RedisServer]


class TestRedisStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Enumerable, Closeable})

    @pytest.fixture
    def store(self, redis_url: str) -> Store:
        self.url = redis_url
        return RedisStore(redis_url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(RedisStore, self.url)

    def neighbour(self, store: Store) -> Store:
        return RedisStore(self.url, prefix="sessionkit:2:")


class TestRedisStoreThroughAPoolOfItsOwnKind(FewProcesses):
    """A pool that does more than to hold connections is borrowed from, as Sentinel's."""

    capabilities: t.ClassVar = frozenset({Moving, Owned, Enumerable, Closeable})
    rounds = 10

    @pytest.fixture
    def store(self, redis_url: str) -> Store:
        self.url = redis_url
        return pooled(redis_url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(pooled, self.url)

    def test_fork_while_threads_write(self, store: Store) -> None:
        pytest.skip("redis-py's own pool hands a child the lock that a thread of its parent held")


class Pool(redis.ConnectionPool):
    pass


def pooled(url: str) -> RedisStore:
    return RedisStore(redis.Redis(connection_pool=Pool.from_url(url, decode_responses=True)))


@pytest.fixture
def store(redis_url: str) -> RedisStore:
    return RedisStore(redis_url)


@pytest.fixture
def client(redis_server: RedisServer) -> t.Iterator[redis.Redis]:
    with redis_server.client() as client:
        yield client


@pytest.fixture
def own_server() -> t.Iterator[RedisServer]:
    """A server that a test may maltreat."""
    with RedisServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _needs_redis(redis_server: RedisServer) -> None:
    """Nothing here is of use without a server."""


def operations(*functions: t.Callable[[], object]) -> tuple[t.Callable[[], object], ...]:
    return functions


def name_of(key: str) -> str:
    return f"sessionkit:{key}"


def write(store: RedisStore, owner: str | None = "ann") -> str:
    key = new_key()
    assert store.swap(key, None, new_record(owner=owner))
    assert store.get(key) is not None
    return key


class TestServerTrouble:
    def test_no_server(self) -> None:
        store = RedisStore("redis://127.0.0.1:1/0")
        for operation in operations(
            lambda: store.get(new_key()),
            lambda: store.swap(new_key(), None, new_record()),
            lambda: store.owned_by("ann", 0.0),
            lambda: list(store.keys()),
        ):
            with pytest.raises(StoreUnavailable, match="refused") as caught:
                operation()
            assert caught.value.unreachable is True
            assert isinstance(caught.value.__cause__, redis.RedisError)

    def test_a_name_that_is_not_known(self) -> None:
        store = RedisStore("redis://nobody.invalid:1/0")
        with pytest.raises(StoreUnavailable) as caught:
            store.get(new_key())
        assert caught.value.unreachable is True

    def test_a_restart_is_not_noticed(self, own_server: RedisServer) -> None:
        store = RedisStore(own_server.url)
        operations: list[t.Callable[[], object]] = [
            lambda: store.get(new_key()),
            lambda: store.swap(new_key(), None, new_record()),
            lambda: store.swap(new_key(), None, new_record(owner="ann")),
            lambda: store.delete(new_key(), new_record()),
            lambda: store.owned_by("ann", 0.0),
            lambda: list(store.keys()),
        ]
        for operation in operations:
            barrier = threading.Barrier(4)
            threads = [
                threading.Thread(target=fill_free_list, args=(store, barrier)) for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            own_server.restart()
            operation()
            write(store)

    def test_what_was_acknowledged_survives_a_kill(self) -> None:
        with RedisServer(persistent=True) as server:
            store = RedisStore(server.url)
            keys = [write(store) for _ in range(100)]
            gone = keys.pop()
            record = store.get(gone)
            assert record is not None
            assert store.delete(gone, record)
            server.restart()
            assert all(store.get(key) for key in keys)
            assert store.swap(gone, record, successor(record)) is False
            assert set(store.owned_by("ann", time.time())) == set(keys)

    def test_while_it_is_down_and_after(self, own_server: RedisServer) -> None:
        store = RedisStore(own_server.url)
        write(store)
        own_server.kill()
        for _ in range(3):
            for operation in operations(
                lambda: store.get(new_key()),
                lambda: store.swap(new_key(), None, new_record()),
            ):
                with pytest.raises(StoreUnavailable) as caught:
                    operation()
                assert caught.value.unreachable is True
        own_server.start()
        write(store)

    def test_a_server_that_does_not_answer(self, own_server: RedisServer) -> None:
        store = RedisStore(own_server.url, timeout=0.2, connect_timeout=0.2)
        key = write(store)
        own_server.pause()
        for operation in operations(
            lambda: store.get(key),  # on an idle connection, and a read that timed out is not sent
            lambda: store.get(key),  # again: it would only take twice as long
            lambda: store.swap(new_key(), None, new_record()),
        ):
            started = time.monotonic()
            with pytest.raises(StoreUnavailable, match=r"[Tt]imeout") as caught:
                operation()
            assert time.monotonic() - started < 0.6
            assert caught.value.unreachable is True
        own_server.resume()
        assert store.get(key) is not None
        write(store)

    def test_connections_that_the_server_closed(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        key = write(store)
        for operation in operations(
            lambda: store.get(key),
            lambda: write(store),
            lambda: store.delete(new_key(), new_record()),
            lambda: store.owned_by("ann", time.time()),
        ):
            client.client_kill_filter(_type="normal", skipme=True)
            time.sleep(0.01)  # until the news is here
            operation()

    def test_a_flush_is_the_end_of_all_sessions(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        key = write(store)
        record = store.get(key)
        assert record is not None
        client.flushall()
        assert store.get(key) is None
        assert store.swap(key, record, successor(record)) is False
        assert store.delete(key, record) is False
        assert store.owned_by("ann", time.time()) == []
        write(store)

    def test_scripts_that_the_server_forgot(self, store: RedisStore, client: redis.Redis) -> None:
        key, record = new_key(), new_record(owner="ann")
        steps: list[t.Callable[[], object]] = [
            lambda: store.swap(key, None, record),
            lambda: store.swap(key, record, successor(record)),
            lambda: store.owned_by("ann", time.time()),
            lambda: store.move(
                key, successor(record), successor(successor(record)), new_key(), record
            ),
            lambda: store.delete(key, successor(successor(record))),
        ]
        for step in steps:
            client.script_flush()
            assert step()

    def test_no_memory(self, own_server: RedisServer) -> None:
        store = RedisStore(own_server.url)
        key = write(store)
        record = store.get(key)
        assert record is not None
        target = new_key()
        with own_server.client() as client:
            client.config_set("maxmemory", "1")
            for operation in operations(
                lambda: store.swap(new_key(), None, new_record()),
                lambda: store.swap(new_key(), None, new_record(owner="bob")),
                lambda: store.swap(key, record, successor(record)),
                lambda: store.swap(key, record, successor(record, owner="bob")),
                lambda: store.swap(key, record, successor(record, owner=None)),
                lambda: store.move(
                    key, record, successor(record, owner=None), target, new_record()
                ),
            ):
                with pytest.raises(StoreUnavailable, match="maxmemory") as caught:
                    operation()
                assert caught.value.unreachable is False
            # Nothing was done by half.
            assert store.get(key) == record
            assert store.get(target) is None
            assert store.owned_by("ann", time.time()) == [key]
            assert store.delete(key, record), "logging out frees memory"
            client.config_set("maxmemory", "0")
        write(store)

    def test_a_replica_cannot_be_written(self, own_server: RedisServer) -> None:
        store = RedisStore(own_server.url)
        key = write(store)
        with own_server.client() as client:
            client.replicaof("127.0.0.1", "1")
            assert store.get(key) is not None
            with pytest.raises(StoreUnavailable, match=r"(?i)read.?only") as caught:
                store.swap(new_key(), None, new_record())
            assert caught.value.unreachable is False
            with pytest.raises(StoreUnavailable, match=r"(?i)read.?only"):
                store.swap(new_key(), None, new_record(owner="ann"))
            client.replicaof("NO", "ONE")
        write(store)

    def test_passwords(self) -> None:
        with RedisServer(requirepass="hunter2") as server:
            write(RedisStore(server.url))
            assert "hunter2" not in repr(RedisStore(server.url))
            for url in (
                f"redis://:hunter3@127.0.0.1:{server.port}/0",
                f"redis://user:hunter3@127.0.0.1:{server.port}/0",
                f"redis://127.0.0.1:{server.port}/0",
            ):
                store = RedisStore(url)
                for operation in operations(
                    functools.partial(store.get, new_key()),
                    functools.partial(store.swap, new_key(), None, new_record()),
                ):
                    with pytest.raises(StoreUnavailable) as caught:
                        operation()
                    assert caught.value.unreachable is False
                    assert "hunter" not in str(caught.value) + repr(store)
                    assert str(server.port) in str(caught.value)

    def test_a_user_who_may_not(self, own_server: RedisServer) -> None:
        with own_server.client() as client:
            client.execute_command("ACL SETUSER shop on >pw ~shop:* +@all")
            client.execute_command("ACL SETUSER reader on >pw ~* +get +hello +client")
        url = f"redis://shop:pw@127.0.0.1:{own_server.port}/0"
        store = RedisStore(url, prefix="shop:")
        key = write(store)
        record = store.get(key)
        assert record is not None
        assert store.owned_by("ann", time.time()) == [key]
        assert store.move(key, record, successor(record, owner=None), new_key(), new_record())
        key = new_key()
        with pytest.raises(StoreUnavailable, match=r"(?i)permission") as caught:
            RedisStore(url).get(key)
        assert caught.value.unreachable is False
        assert key not in str(caught.value)
        reader = RedisStore(url.replace("shop:pw", "reader:pw"))
        assert reader.get(key) is None
        for owner in (None, "ann"):
            with pytest.raises(StoreUnavailable, match=r"(?i)permission"):
                reader.swap(key, None, new_record(owner=owner))

    def test_a_command_that_was_renamed_away(self) -> None:
        with RedisServer(rename_command="GET hidden") as server:
            key = new_key()
            with pytest.raises(StoreUnavailable, match="unknown command") as caught:
                RedisStore(server.url).get(key)
            assert key not in str(caught.value)

    def test_the_wrong_database(self, redis_server: RedisServer) -> None:
        store = RedisStore(redis_server.url[:-1] + "99")
        with pytest.raises(StoreUnavailable, match="DB index"):
            store.get(new_key())

    def test_no_redis_at_all(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer() -> None:
                with listener.accept()[0] as connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            with pytest.raises(StoreUnavailable):
                RedisStore(f"redis://127.0.0.1:{listener.getsockname()[1]}/0").get(new_key())
            thread.join()


def fill_free_list(store: RedisStore, barrier: threading.Barrier) -> None:
    connection = store._connections.idle() or store._connections.fresh()
    barrier.wait()
    store._connections.give(connection)


class TestNothingIsSentTwice:
    @pytest.fixture
    def proxy(self, redis_server: RedisServer) -> t.Iterator[Proxy]:
        with Proxy(redis_server.port) as proxy:
            yield proxy

    @pytest.mark.parametrize("owner", [None, "ann"])
    def test_a_write_whose_answer_is_lost(
        self, proxy: Proxy, store: RedisStore, owner: str | None
    ) -> None:
        through = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        key, record = new_key(), new_record(owner=owner)
        assert through.swap(key, None, record)
        target, stub = new_key(), successor(record)
        # The server knows the scripts then.
        assert through.move(key, record, stub, target, record)
        assert through.swap(key, stub, successor(stub, owner=owner))
        assert through.delete(target, record)
        record = successor(stub, owner=owner)
        operations: list[t.Callable[[], object]] = [
            lambda: through.swap(new_key(), None, new_record(owner=owner)),
            lambda: through.swap(key, record, successor(record)),
            lambda: through.move(
                key, successor(record), successor(successor(record)), target, record
            ),
            lambda: through.delete(target, record),
        ]
        for operation in operations:
            assert through.get(new_key()) is None
            proxy.requests, proxy.lose_answers = 0, True
            with pytest.raises(StoreUnavailable) as caught:
                operation()
            assert caught.value.unreachable is True
            assert proxy.requests == 1
            proxy.lose_answers = False
        assert store.get(key) == successor(successor(record)), "it was carried out"
        assert store.get(target) is None

    def test_a_read_whose_answer_is_lost_is_sent_again_once(self, proxy: Proxy) -> None:
        through = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        key = write(through)
        proxy.cut()
        made = proxy.connections
        assert through.get(key) is not None
        assert proxy.connections == made + 1
        proxy.lose_answers = True
        with pytest.raises(StoreUnavailable):
            through.get(key)
        assert proxy.connections == made + 2

    def test_a_write_on_a_connection_that_died_while_idle(self, proxy: Proxy) -> None:
        through = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        for _ in range(3):
            write(through)
            proxy.cut()
            time.sleep(0.01)

    @pytest.mark.parametrize("decode", [False, True])
    def test_a_client_that_retries_does_not_retry_for_us(
        self, proxy: Proxy, store: RedisStore, decode: bool
    ) -> None:
        client = redis.Redis(
            port=proxy.port,
            decode_responses=decode,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 5),
            retry_on_error=[redis.ConnectionError],
            health_check_interval=1,
        )
        through = RedisStore(client)
        key, record = new_key(), new_record()
        assert through.swap(key, None, record)
        assert through.swap(key, record, successor(record))
        proxy.requests, proxy.lose_answers = 0, True
        with pytest.raises(StoreUnavailable):
            through.swap(key, successor(record), successor(successor(record)))
        assert proxy.requests == 1
        assert store.get(key) == successor(successor(record))
        client.close()

    def test_one_request_an_operation(self, proxy: Proxy) -> None:
        through = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        for owner in (None, "ann"):
            for _ in range(2):  # the first time the server learns the scripts
                key, target, record = new_key(), new_key(), new_record(owner=owner)
                stub = successor(record, owner=None)
                counts = []
                operations: list[t.Callable[[], object]] = [
                    lambda: through.swap(key, None, record),  # noqa: B023
                    lambda: through.get(key),  # noqa: B023
                    lambda: through.move(key, record, stub, target, record),  # noqa: B023
                    lambda: through.swap(target, record, successor(record)),  # noqa: B023
                    lambda: through.delete(target, successor(record)),  # noqa: B023
                    lambda: through.owned_by("ann", 0.0) or True,
                ]
                for operation in operations:
                    proxy.requests = 0
                    assert operation()
                    counts.append(proxy.requests)
            assert counts == [1] * 6


class TestWhatIsStored:
    def test_where_and_for_how_long(self, store: RedisStore, client: redis.Redis) -> None:
        now = time.time()
        for owner in (None, "ann"):
            key, record = new_key(), new_record(expires_at=now + 100.0001, owner=owner)
            assert store.swap(key, None, record)
            deadline = client.pexpiretime(name_of(key))
            assert deadline / 1000 >= now + 100.0001 + 600
            assert deadline / 1000 < now + 100.0001 + 600.002
            longer = successor(record, expires_at=now + 200)
            assert store.swap(key, record, longer)
            assert client.pexpiretime(name_of(key)) == -(-(now + 800) * 1000 // 1)
            shorter = successor(longer, expires_at=now + 50)
            assert store.swap(key, longer, shorter)
            assert client.expiretime(name_of(key)) <= now + 652

    def test_the_margin(self, redis_url: str, client: redis.Redis) -> None:
        store = RedisStore(redis_url, margin=0.0)
        key = new_key()
        assert store.swap(key, None, new_record(expires_at=time.time() + 0.05))
        assert store.get(key) is not None
        time.sleep(0.07)
        assert store.get(key) is None

    def test_what_never_expires(self, store: RedisStore) -> None:
        for expires_at in (253402300799.0, 1e300, float("inf")):
            for owner in (None, "ann"):
                key, record = new_key(), new_record(expires_at=expires_at, owner=owner)
                assert store.swap(key, None, record)
                assert store.get(key) == record

    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b"x",
            b"\0" * 18,
            b"\0" * 19,
            b"another application's",
            b"{'user': 1, 'name': 'a longer one', 'more': [1, 2, 3]}",
            os.urandom(100)[:16] + b"\2" + os.urandom(83),
            struct.pack(">QdBH", 1, 0.0, 1, 5) + b"shor",
            struct.pack(">QdBH", 1, 0.0, 1, 2) + b"\xff\xfe payload",
        ],
    )
    def test_what_is_no_record_is_no_session(
        self, store: RedisStore, client: redis.Redis, value: bytes
    ) -> None:
        key = new_key()
        client.set(name_of(key), value)
        assert store.get(key) is None
        assert store.swap(key, None, new_record()) is False
        assert store.swap(key, None, new_record(owner="ann")) is False
        assert store.owned_by("ann", time.time()) == []
        assert client.get(name_of(key)) == value

    def test_what_is_no_string_is_no_session(self, store: RedisStore, client: redis.Redis) -> None:
        key, record = new_key(), new_record()
        client.rpush(name_of(key), "x")
        assert store.get(key) is None
        for owner in (None, "ann"):
            assert store.swap(key, None, new_record(owner=owner)) is False
            assert store.swap(key, record, successor(record, owner=owner)) is False
        assert store.delete(key, record) is False
        assert store.move(key, record, record, new_key(), record) is False
        assert store.count(time.time()) == 0
        assert client.lrange(name_of(key), 0, -1) == [b"x"]

    def test_an_index_that_is_something_else_is_trouble_and_nothing_is_half_done(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        client.set(store._index("ann"), "x")
        for operation in operations(
            lambda: store.swap(new_key(), None, new_record(owner="ann")),
            lambda: store.swap(key, record, successor(record, owner="ann")),
            lambda: store.move(key, record, successor(record), new_key(), new_record(owner="ann")),
        ):
            with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
                operation()
        assert list(store.keys()) == [key]
        assert store.get(key) == record

    def test_the_index_of_a_former_owner_may_be_something_else(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        key, target, record = write(store), new_key(), new_record(owner="ann")
        found = store.get(key)
        assert found is not None
        client.set(store._index("ann"), "x")
        stub = successor(found, owner=None)
        assert store.swap(key, found, stub)
        assert store.get(key) == stub
        client.delete(store._index("ann"))
        assert store.swap(target, None, record)
        client.set(store._index("ann"), "x")
        assert store.move(target, record, successor(record, owner=None), new_key(), stub)
        assert store.delete(key, stub._replace(owner="ann"))
        assert store.get(key) is None

    def test_what_is_no_key_is_not_listed(self, store: RedisStore, client: redis.Redis) -> None:
        key = write(store)
        now = time.time()
        client.zadd(store._index("ann"), {b"\xff\xfe": now, b"a key": now, b"": now})
        assert store.owned_by("ann", now) == [key]

    def test_a_command_that_the_server_does_not_have(self, start_server: Start) -> None:
        server = start_server(RedisServer, rename_command="GET disabled")
        store, key = RedisStore(server.url), new_key()
        with pytest.raises(StoreUnavailable, match="unknown command") as caught:
            store.get(key)
        assert key not in "".join(traceback.format_exception(caught.value))
        assert not caught.value.unreachable

    def test_no_key_and_no_owner_is_to_be_read_in_the_names(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        write(store, owner="ann@example.org")
        assert all(b"ann" not in name for name in client.keys("*"))

    def test_a_prefix_with_special_characters(self, redis_url: str, client: redis.Redis) -> None:
        stores = [RedisStore(redis_url, prefix=prefix) for prefix in ("", "a*", "[ab]?", "é\\:")]
        keys = [write(store) for store in stores]
        for store, key in zip(stores, keys, strict=True):
            assert list(store.keys()) == [key]
        client.set("ab" + "0" * 64, "x")
        client.set("something", "x")
        for store in stores[1:]:
            assert store.clear() == 1
        assert client.exists("ab" + "0" * 64, "something") == 2
        assert stores[0].get(keys[0]) is not None


class TestIndex:
    def test_it_lives_as_long_as_the_longest_record(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        now = time.time()
        index = store._index("ann")
        lives = (100, 50, 300, 200)
        for turn, seconds in enumerate(lives):
            assert store.swap(new_key(), None, new_record(expires_at=now + seconds, owner="ann"))
            assert client.expiretime(index) >= now + max(lives[: turn + 1]) + 599

    def test_it_grows_with_a_record(self, store: RedisStore, client: redis.Redis) -> None:
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        before = client.pexpiretime(store._index("ann"))
        longer = successor(record, expires_at=record.expires_at + 100)
        assert store.swap(key, record, longer)
        assert client.pexpiretime(store._index("ann")) >= before + 99_000

    def test_an_empty_index_is_gone(self, store: RedisStore, client: redis.Redis) -> None:
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        assert store.delete(key, record)
        assert client.keys("*") == []

    def test_a_member_without_a_record_is_kept_for_ten_minutes(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        kept, young, old = write(store), new_key(), new_key()
        index = store._index("ann")
        now = time.time()
        client.zadd(index, {kept: now - 10_000, young: now - 590, old: now - 610})
        assert set(store.owned_by("ann", now + 1e6)) == {kept, young}
        members: t.Any = client.zrange(index, 0, -1)
        assert members == [young.encode(), kept.encode()] or len(members) == 2

    def test_what_has_expired_is_removed_by_what_begins(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        index, kept = store._index("ann"), write(store)
        client.zadd(index, {kept: 1, **{new_key(): time.time() - 700 for _ in range(30)}})
        key = write(store)
        members: t.Any = client.zrange(index, 0, -1)
        assert set(members) == {kept.encode(), key.encode()}

    def test_a_write_mends_an_index_that_was_lost(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        client.delete(store._index("ann"))
        assert store.swap(key, record, successor(record))
        assert store.owned_by("ann", time.time()) == [key]


class TestSources:
    def test_clients_and_pools(self, redis_server: RedisServer, redis_url: str) -> None:
        port, path = redis_server.port, str(redis_server.socket)
        sources: list[t.Any] = [
            redis.Redis(port=port),
            redis.Redis(port=port, decode_responses=True),
            redis.Redis(port=port, protocol=2),
            redis.Redis(port=port, protocol=3, single_connection_client=True),
            redis.StrictRedis.from_url(redis_url),
            redis.Redis(unix_socket_path=path),
            redis.ConnectionPool.from_url(redis_url, decode_responses=True),
            redis.BlockingConnectionPool.from_url(redis_url, max_connections=1),
            Pool.from_url(redis_url),
            Pool.from_url(redis_url, decode_responses=True, protocol=2),
            f"unix://{path}?db=3",
            f"redis://127.0.0.1:{port}",
            f"redis://127.0.0.1:{port}/?db=3&protocol=2&client_name=shop",
        ]
        for source in sources:
            store = RedisStore(source)
            key = write(store)
            record = store.get(key)
            assert record is not None
            assert record.owner == "ann"
            assert store.owned_by("ann", time.time())
            assert key in list(store.keys())
            assert store.count(time.time())
            assert store.delete(key, record)
            store.close()
            if isinstance(source, redis.Redis):
                assert source.ping(), "a client that was lent can still be used"
                source.close()

    def test_the_pure_python_parser(self, redis_url: str) -> None:
        from redis._parsers import _RESP2Parser
        from redis.connection import PythonRespSerializer

        pool = redis.ConnectionPool.from_url(
            redis_url,
            protocol=2,
            parser_class=_RESP2Parser,
            command_packer=PythonRespSerializer(
                6000, lambda v: str(v).encode() if not isinstance(v, bytes) else v
            ),
        )
        store = RedisStore(pool)
        key, record = new_key(), new_record(bytes(range(256)) * 1000, owner="ann")
        assert store.swap(key, None, record)
        assert store.swap(key, record, successor(record, record.payload))
        assert store.get(key) == successor(record, record.payload)
        assert store.count(time.time()) == 1

    def test_a_store_does_not_keep_a_pool_of_one_busy(self, redis_url: str) -> None:
        client = redis.Redis(
            connection_pool=redis.BlockingConnectionPool.from_url(
                redis_url, max_connections=1, timeout=1
            )
        )
        store = RedisStore(client)
        write(store)
        assert client.ping()
        client.close()

    @pytest.mark.parametrize("source", [None, 1, b"redis://", object(), {}, redis])
    def test_something_else(self, source: object) -> None:
        with pytest.raises(ConfigurationError, match="a client or a connection pool of redis-py"):
            RedisStore(source)

    def test_asynchronous_clients(self) -> None:
        with pytest.raises(ConfigurationError, match="synchronous"):
            RedisStore(redis.asyncio.Redis())

    def test_clusters(self) -> None:
        cluster = redis.RedisCluster.__new__(redis.RedisCluster)
        with pytest.raises(ConfigurationError, match="RedisClusterStore"):
            RedisStore(cluster)

    @pytest.mark.parametrize("protocol", [2, 3])
    def test_the_version_is_looked_at(
        self, redis_url: str, monkeypatch: pytest.MonkeyPatch, protocol: int
    ) -> None:
        monkeypatch.setattr("sessionkit.stores._redis_server.MINIMUM", 1000)
        with pytest.raises(ConfigurationError, match=r"Redis 7\.0"):
            RedisStore(f"{redis_url}?protocol={protocol}").get(new_key())

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ({"margin": -1.0}, "negative"),
            ({"max_idle": -1}, "negative"),
            ({"timeout": 0.0}, "timeout"),
            ({"connect_timeout": -1.0}, "connect_timeout"),
            ({"prefix": "my-owner:"}, "owner"),
        ],
    )
    def test_arguments(self, arguments: dict[str, t.Any], text: str) -> None:
        with pytest.raises(ConfigurationError, match=text):
            RedisStore("redis://", **arguments)

    def test_time_outs(self) -> None:
        def timeouts(store: RedisStore) -> tuple[object, object]:
            arguments = t.cast(t.Any, store._connections)._arguments
            return arguments["socket_connect_timeout"], arguments["socket_timeout"]

        assert timeouts(RedisStore("redis://")) == (1.0, 1.0)
        assert timeouts(RedisStore("redis://?socket_timeout=3")) == (1.0, 3.0)
        assert timeouts(RedisStore("redis://", timeout=0.5)) == (1.0, 0.5)
        client = redis.Redis(socket_timeout=None, socket_connect_timeout=4)
        assert timeouts(RedisStore(client)) == (4, 1.0)
        assert timeouts(RedisStore(client, connect_timeout=2, timeout=3)) == (2, 3)


class TestConnections:
    def test_nothing_is_connected_to_by_the_constructor(self, redis_server: RedisServer) -> None:
        with Proxy(redis_server.port) as proxy:
            store = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
            RedisStore(redis.Redis(port=proxy.port))
            repr(store)
            time.sleep(0.02)
            assert proxy.connections == 0

    def test_one_is_enough_for_any_number_of_threads_one_after_the_other(
        self, redis_server: RedisServer
    ) -> None:
        with Proxy(redis_server.port) as proxy:
            store = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
            for _ in range(20):
                thread = threading.Thread(target=write, args=(store,))
                thread.start()
                thread.join()
            assert proxy.connections == 1

    def test_idle_ones_are_bounded(self, redis_url: str, client: redis.Redis) -> None:
        store = RedisStore(redis_url, max_idle=2)
        gc.collect()
        time.sleep(0.02)
        before = client.info("clients")["connected_clients"]
        barrier = threading.Barrier(6)
        threads = [threading.Thread(target=fill_free_list, args=(store, barrier)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(0.02)
        assert client.info("clients")["connected_clients"] == before + 2

    def test_one_that_was_interrupted_is_not_used_again(
        self, store: RedisStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = [write(store) for _ in range(2)]

        def interrupted(connection: redis.Connection, *arguments: object, **more: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(redis.Connection, "read_response", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.get(keys[0])
        record = store.get(keys[1])
        assert record is not None
        assert record.owner == "ann"
        assert store.get(new_key()) is None, "no answer to the question before"

    def test_a_store_that_is_forgotten_closes_its_own(
        self, redis_url: str, client: redis.Redis
    ) -> None:
        gc.collect()
        time.sleep(0.02)
        before = client.info("clients")["connected_clients"]
        store = RedisStore(redis_url)
        write(store)
        gone = weakref.ref(store)
        del store
        gc.collect()
        assert gone() is None
        time.sleep(0.02)
        assert client.info("clients")["connected_clients"] == before

    def test_a_child_uses_none_of_its_parents(self, store: RedisStore) -> None:
        key = write(store)
        pid = os.fork()
        if pid == 0:
            os._exit(0 if store._connections.idle() is None else 1)
        assert os.waitpid(pid, 0)[1] == 0
        connection = store._connections.idle()
        assert connection is not None, "the parent's own is still good"
        store._connections.give(connection)
        assert store.get(key) is not None


class TestURL:
    def test_parameters(self) -> None:
        store = open_store(
            "redis://host:1234/5?prefix=shop%3A&margin=60&timeout=2&connect_timeout=3&max_idle=4"
            "&client_name=x"
        )
        assert isinstance(store, RedisStore)
        assert (store.prefix, store.margin) == ("shop:", 60.0)
        assert repr(store) == "<RedisStore redis://host:1234/5 prefix='shop:'>"

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("redis://user:secret@host", "redis://host:6379/0"),
            ("rediss://:secret@host:1", "rediss://host:1/0"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock?db=0"),
            ("redis://[::1]:1/2", "redis://[::1]:1/2"),
            ("unix://user@/run/redis.sock?db=2&password=secret", "unix:///run/redis.sock?db=2"),
        ],
    )
    def test_the_password_is_not_shown(self, url: str, shown: str) -> None:
        store = open_store(url)
        assert repr(store) == f"<RedisStore {shown} prefix='sessionkit:'>"

    @pytest.mark.parametrize(
        "url",
        [
            "redis://:secret@host/0?unknown=secret",
            "redis://:secret@host/zero",
            "redis://:secret@host/0/1",
            "redis://:secret@host/0?margin=secret",
            "redis://:secret@host/0?db=secret",
            "redis://:sec/ret@host/0",
            "redis://:secret@host:secret/0",
            "redis://:secret#@host/0",
            "redis://:secret@host/0?max_connections=3",
            "redis://:secret@host/0?prefix=a&prefix=b",
        ],
    )
    def test_what_is_wrong_is_said_without_the_password(self, url: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            open_store(url)
        told = f"{caught.value!r} {caught.value.__cause__!r}"
        assert ":secret@" not in told
        assert "sec/" not in told
        assert "ret@" not in told

    def test_the_class_takes_a_url_of_redis_py(self) -> None:
        with pytest.raises(ConfigurationError, match="'prefix' is no parameter"):
            RedisStore("redis://host?prefix=x")


def test_a_client_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, module.__name__)
    monkeypatch.delitem(sys.modules, "sessionkit.stores._redis_connections")
    with pytest.raises(ConfigurationError, match=r'pip install "wsgi-sessionkit\[redis\]"'):
        open_store("redis://")
