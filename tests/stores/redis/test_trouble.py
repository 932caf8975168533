"""A Redis that is away, full, forgetful or closed to us."""

from __future__ import annotations

import functools
import socket
import threading
import time
import typing as t

import pytest
import redis
import redis.asyncio

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import RedisServer
from tests.stores.kills import assert_survives
from tests.stores.redis.support import fill_free_list
from tests.stores.redis.support import operations
from tests.stores.redis.support import write


@pytest.fixture
def own_server() -> t.Iterator[RedisServer]:
    """A server that a test may maltreat."""
    with RedisServer() as server:
        yield server


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
            assert_survives(RedisStore(server.url), server.restart)

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
