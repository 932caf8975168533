"""A memcached that is away, full, forgetful or closed to us."""

from __future__ import annotations

import contextlib
import functools
import socket
import time
import typing as t

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreFull
from sessionkit.store import Record
from sessionkit.stores import _memcached_connection
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers.memcached import MemcachedServer
from tests.stores.memcached.support import fill_free_list
from tests.stores.memcached.support import operations
from tests.stores.memcached.support import read
from tests.stores.memcached.support import unavailable
from tests.stores.memcached.support import until
from tests.stores.memcached.support import write


class TestServerTrouble:
    def test_no_server(self) -> None:
        store = MemcachedStore("memcached://127.0.0.1:1")
        for operation in operations(
            lambda: store.get(new_key()),
            lambda: store.swap(new_key(), None, new_record()),
            lambda: store.swap(new_key(), new_record(), new_record()),
            lambda: store.delete(new_key(), new_record()),
        ):
            with unavailable("127.0.0.1:1: .*refused", unreachable=True):
                operation()

    def test_a_name_that_is_not_known(self) -> None:
        with unavailable("nobody.invalid", unreachable=True):
            MemcachedStore("memcached://nobody.invalid").get(new_key())
        with pytest.raises(ConfigurationError, match="name of a host"):
            MemcachedStore(f"memcached://{'x' * 64}.example").get(new_key())

    def test_a_restart_is_not_noticed_but_for_what_was_forgotten(
        self, own_server: MemcachedServer
    ) -> None:
        store = MemcachedStore(own_server.url)
        for operation in operations(
            lambda: store.get(new_key()),
            lambda: store.swap(new_key(), None, new_record()),
            lambda: store.swap(new_key(), new_record(), new_record()),
            lambda: store.delete(new_key(), new_record()),
        ):
            key = write(store)
            fill_free_list(store, 4)
            own_server.restart()
            operation()
            assert store.get(key) is None

    def test_while_it_is_down_and_after(self, own_server: MemcachedServer) -> None:
        store = MemcachedStore(own_server.url)
        key = write(store)
        record = read(store, key)
        own_server.kill()
        for _ in range(3):
            for operation in operations(
                lambda: store.get(key),
                lambda: store.swap(new_key(), None, new_record()),
                lambda: store.swap(key, record, successor(record)),
                lambda: store.delete(key, record),
            ):
                with unavailable("refused", unreachable=True):
                    operation()
        own_server.start()
        assert store.swap(key, record, successor(record)) is False
        write(store)

    def test_a_server_that_does_not_answer(self, own_server: MemcachedServer) -> None:
        store = MemcachedStore(own_server.url, timeout=0.2, connect_timeout=0.2)
        key = write(store)
        own_server.pause()
        for operation in operations(
            lambda: store.get(key),  # on an idle connection, and a read that timed out is not sent
            lambda: store.get(key),  # again: it would only take twice as long
            lambda: store.swap(new_key(), None, new_record()),
        ):
            started = time.monotonic()
            with unavailable("timed out", unreachable=True):
                operation()
            assert time.monotonic() - started < 0.6
        own_server.resume()
        assert store.get(key) is not None
        write(store)

    def test_a_flush_is_the_end_of_all_sessions(self, own_server: MemcachedServer) -> None:
        store = MemcachedStore(own_server.url)
        key = write(store)
        record = read(store, key)
        with contextlib.closing(own_server.client()) as client:
            client.flush_all()
        assert store.get(key) is None
        assert store.swap(key, record, successor(record)) is False
        assert store.delete(key, record) is False

    def test_up_to_1_6_12_what_is_ended_is_replaced_by_what_has_expired(
        self, server: MemcachedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_memcached_connection, "_COMPARED_DELETE", (1000,))
        store = MemcachedStore(server.url)
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        stale = read(store, key)
        assert store.swap(key, stale, successor(record))
        found = read(store, key)
        assert [store.delete(key, one) for one in (stale, record, found, found)] == [
            False,
            False,
            True,
            False,
        ]
        assert store.get(key) is None
        assert store.swap(key, found, successor(found)) is False
        assert store.swap(key, None, record)

    def test_what_is_too_large_is_refused_and_what_was_there_stays(
        self, own_server: MemcachedServer
    ) -> None:
        store = MemcachedStore(own_server.url)
        key = write(store)
        record = read(store, key)
        large = bytes(1024 * 1024)
        for operation in operations(
            lambda: store.swap(new_key(), None, new_record(large)),
            lambda: store.swap(key, record, successor(record, large)),
            lambda: store.swap(key, Record(*record), successor(record, large)),
        ):
            with unavailable(
                r"1048\d\d\d bytes is more .* 1048576, set with -I", unreachable=False
            ):
                operation()
        assert store.get(key) == record
        assert store.swap(key, record, successor(record, large[:-512]))

    def test_a_full_server_that_may_not_evict(self) -> None:
        with MemcachedServer(["-M", "-m", "2"]) as server:
            store = MemcachedStore(server.url)
            keys = []
            with unavailable("out of memory", unreachable=False):
                while True:
                    keys.append(write(store, bytes(20_000)))
            record = read(store, keys[0])
            with pytest.raises(StoreFull):
                store.swap(keys[0], record, successor(record, record.payload))
            assert store.get(keys[0]) == record, "what was there stays"
            for key in keys:
                assert store.delete(key, read(store, key)), "logging out frees memory"
            write(store, bytes(20_000))

    def test_an_evicted_session_is_merely_absent(self) -> None:
        with MemcachedServer(["-m", "2"]) as server:
            store = MemcachedStore(server.url)
            key = new_key()
            assert store.swap(key, None, new_record(bytes(20_000)))
            record = read(store, key)  # once: what is read often stays
            for _ in range(500):
                store.swap(new_key(), None, new_record(bytes(20_000)))
            assert store.swap(key, record, successor(record)) is False
            assert store.swap(key, Record(*record), successor(record)) is False
            assert store.delete(key, record) is False
            assert store.get(key) is None

    def test_too_many_connections(self) -> None:
        with MemcachedServer(["-c", "50", "-t", "1"]) as server:
            store = MemcachedStore(server.url, timeout=0.3, connect_timeout=0.3)
            with contextlib.ExitStack() as stack:
                for _ in range(60):
                    other = socket.create_connection((server.host, server.port))
                    stack.enter_context(other)
                for _ in range(2):
                    with unavailable(
                        "too many connections|reset|Broken pipe|closed|timed out", unreachable=True
                    ):
                        store.get(new_key())
            until(lambda: write(store))

    def test_without_cas_nothing_is_safe(self) -> None:
        with MemcachedServer(["-C"]) as server:
            store = MemcachedStore(server.url)
            key, record = new_key(), new_record()
            assert store.swap(key, None, record)
            for operation in operations(
                lambda: store.get(key),
                lambda: store.swap(key, record, successor(record)),
                lambda: store.delete(key, record),
            ):
                with pytest.raises(ConfigurationError, match="-C"):
                    operation()

    def test_passwords(self, tmp_path: t.Any) -> None:
        users = tmp_path / "users"
        users.write_text("shop:hunter2/\n")
        with MemcachedServer(["-Y", str(users)]) as server:
            where = f"127.0.0.1:{server.port}"
            store = MemcachedStore(f"memcached://shop:hunter2%2F@{where}")
            write(store)
            fill_free_list(store, 3)
            assert "hunter2" not in repr(store)
            for login, text in (("shop:hunter3@", "authentication failure"), ("", "unauth")):
                store = MemcachedStore(f"memcached://{login}{where}")
                for operation in operations(
                    functools.partial(store.get, new_key()),
                    functools.partial(store.swap, new_key(), None, new_record()),
                ):
                    with unavailable(f"{where}: {text}", unreachable=False):
                        operation()

    def test_a_password_that_is_not_asked_for_is_not_kept(
        self, server: MemcachedServer, client: t.Any
    ) -> None:
        write(MemcachedStore(f"memcached://shop:hunter2@127.0.0.1:{server.port}"))
        assert client.get("auth") is None
