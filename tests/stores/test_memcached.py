from __future__ import annotations

import collections
import contextlib
import copy
import functools
import gc
import os
import pickle
import re
import socket
import ssl
import struct
import threading
import time
import types
import typing as t
import weakref

import pymemcache  # type: ignore[import-untyped]
import pytest
from pymemcache.client.retrying import RetryingClient  # type: ignore[import-untyped]

from sessionkit import SessionManager
from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreFull
from sessionkit.errors import StoreUnavailable
from sessionkit.errors import UnsupportedOperation
from sessionkit.store import Closeable
from sessionkit.store import Partitioned
from sessionkit.store import Record
from sessionkit.store import Store
from sessionkit.stores import _memcached_connection
from sessionkit.stores import open_store
from sessionkit.stores._memcached_connection import Connection
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import StoreConformance
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import Proxy
from tests.servers.memcached import MemcachedServer

StartServer = t.Callable[..., MemcachedServer]


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> MemcachedServer:
    """A server that takes large values; leave it running and as it is configured."""
    return start_server(MemcachedServer, options=["-I", "4m"])


@pytest.fixture(scope="session")
def other_server(start_server: StartServer) -> MemcachedServer:
    return start_server(MemcachedServer, options=["-I", "4m"])


class TestMemcachedStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Partitioned, Closeable})

    @pytest.fixture
    def store(self, server: MemcachedServer) -> Store:
        self.url = server.url
        return MemcachedStore(self.url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(MemcachedStore, self.url)

    def neighbour(self, store: Store) -> Store:
        return MemcachedStore(self.url, prefix="sessionkit:2:")


@pytest.mark.attack
class TestMemcachedStoreOnAnOlderServer(StoreConformance):
    """Up to 1.6.12 `md` does not compare, and what is deleted is replaced by what has expired."""

    capabilities: t.ClassVar = frozenset({Partitioned, Closeable})
    rounds = 10

    @pytest.fixture
    def store(self, server: MemcachedServer, monkeypatch: pytest.MonkeyPatch) -> Store:
        monkeypatch.setattr(_memcached_connection, "_COMPARED_DELETE", (1000,))
        self.url = server.url
        return MemcachedStore(self.url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(MemcachedStore, self.url)


@pytest.mark.attack
class TestMemcachedStoreOnSeveralServers(StoreConformance):
    capabilities: t.ClassVar = frozenset({Partitioned, Closeable})
    rounds = 10

    @pytest.fixture
    def store(self, server: MemcachedServer, other_server: MemcachedServer) -> Store:
        self.url = f"{server.url},127.0.0.1:{other_server.port}"
        return MemcachedStore(self.url)

    def opener(self, store: Store) -> t.Callable[[], Store]:
        return functools.partial(MemcachedStore, self.url)


@pytest.fixture
def store(server: MemcachedServer) -> MemcachedStore:
    return MemcachedStore(server.url)


@pytest.fixture
def client(server: MemcachedServer) -> t.Iterator[t.Any]:
    with contextlib.closing(server.client()) as client:
        yield client


@pytest.fixture
def own_server(server: MemcachedServer) -> t.Iterator[MemcachedServer]:
    """A server that a test may maltreat."""
    with MemcachedServer() as own:
        yield own


@pytest.fixture(autouse=True)
def _needs_memcached(server: MemcachedServer) -> None:
    """Nothing here is of use without a server."""


def operations(*functions: t.Callable[[], object]) -> tuple[t.Callable[[], object], ...]:
    return functions


def name_of(key: str) -> str:
    return f"sessionkit:{key}"


def write(store: MemcachedStore, payload: bytes = b"payload") -> str:
    key = new_key()
    assert store.swap(key, None, new_record(payload))
    assert store.get(key) is not None
    return key


def read(store: MemcachedStore, key: str) -> Record:
    record = store.get(key)
    assert record is not None
    return record


@contextlib.contextmanager
def unavailable(match: str, *, unreachable: bool) -> t.Iterator[None]:
    """Check that a call fails as an outage, and that no error of the chain says too much."""
    with pytest.raises(StoreUnavailable, match=match) as caught:
        yield
    assert caught.value.unreachable is unreachable
    error: BaseException | None = caught.value
    while error is not None:
        assert "sessionkit:" not in f"{error} {error!r}"
        assert "hunter" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


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


def until(condition: t.Callable[[], object]) -> None:
    """Wait for what must become true by itself."""
    give_up = time.monotonic() + 10
    while True:
        with contextlib.suppress(StoreUnavailable):
            if condition():
                return
        assert time.monotonic() < give_up
        time.sleep(0.01)


def fill_free_list(store: MemcachedStore, count: int) -> None:
    for server in store._servers.all:
        connections = [server.live() for _ in range(count)]
        for connection in connections:
            server.give(connection)


class Impostor:
    """Something else at the other end: gives its answers one after the other, and hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"memcached://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    for answer in self._answers:
                        connection.recv(65536)
                        connection.sendall(answer)

    def __enter__(self) -> str:
        self._thread.start()
        return self.url

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class TestSomethingElse:
    @pytest.mark.parametrize(
        "greeting",
        [
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"-ERR unknown command 'version'\r\n",
            b"ERROR\r\n",
            b"SERVER_ERROR no\r\n",
            b"",
        ],
    )
    def test_no_memcached_at_all(self, greeting: bytes) -> None:
        with Impostor(greeting) as url:
            store = MemcachedStore(url)
            for operation in operations(
                lambda: store.get(new_key()), lambda: store.swap(new_key(), None, new_record())
            ):
                with pytest.raises(StoreUnavailable):
                    operation()

    @pytest.mark.parametrize("version", [b"1.5.22", b"1.4.39", b"0.1", b"?"])
    def test_too_old(self, version: bytes) -> None:
        too_old = pytest.raises(ConfigurationError, match=rf"{re.escape(version.decode())}.*1\.6")
        with Impostor(b"VERSION %b\r\n" % version) as url, too_old:
            MemcachedStore(url).get(new_key())

    def test_a_password_is_never_in_an_error(self) -> None:
        for answer in (b"ERROR\r\n", b"ERROR Too many open connections\r\n", b"what?\r\n"):
            with Impostor(answer, answer) as url:
                store = MemcachedStore(url.replace("//", "//shop:hunter2@"))
                with pytest.raises(StoreUnavailable) as caught:
                    store.get(new_key())
                error: BaseException | None = caught.value
                while error is not None:
                    assert "hunter2" not in f"{error!r}"
                    error = error.__cause__ or error.__context__

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"END",
            b"\r\n",
            b"END\r\nEND\r\n",
            b"VALUE\r\n",
            b"VALUE %b 0 1\r\nx\r\nEND\r\n",
            b"VALUE %b 0 x 1\r\nx\r\nEND\r\n",
            b"VALUE %b 0 -1 1\r\nx\r\nEND\r\n",
            b"VALUE %b 0 1 x\r\nx\r\nEND\r\n",
            b"VALUE %b 0 1 1\r\nxyz\r\nEND\r\n",
            b"VALUE %b 0 1 1\r\nx\r\nVALUE",
            b"VALUE another 0 1 1\r\nx\r\nEND\r\n",
            b"VALUE %b 0 100 1\r\nx\r\nEND\r\n",
            b"VALUE " + b"x" * 5000,
            os.urandom(5000) + b"\r\n",
            b"CLIENT_ERROR \xff %b\r\n",
            b"SERVER_ERROR %b\r\n",
            b"ERROR %b\r\n",
            b"SERVER_ERROR out of memory writing get response\r\n",
        ],
    )
    def test_an_answer_that_is_none(self, answer: bytes) -> None:
        key, record = new_key(), new_record()
        answer = answer.replace(b"%b", name_of(key).encode())
        with Impostor(b"VERSION 1.6.18\r\n", answer) as url:
            store = MemcachedStore(url, timeout=0.5)
            for operation in operations(
                lambda: store.get(key),
                lambda: store.swap(key, None, record),
                lambda: store.swap(key, record, record),
                lambda: store.delete(key, record),
            ):
                with pytest.raises(StoreUnavailable) as caught:
                    operation()
                assert key not in f"{caught.value} {caught.value.__cause__!r}"


class TestNothingIsSentTwice:
    @pytest.fixture
    def proxy(self, server: MemcachedServer) -> t.Iterator[Proxy]:
        with Proxy(server.port) as proxy:
            yield proxy

    @pytest.fixture
    def through(self, proxy: Proxy) -> MemcachedStore:
        return MemcachedStore(f"memcached://127.0.0.1:{proxy.port}")

    def test_a_write_whose_answer_is_lost(
        self, proxy: Proxy, through: MemcachedStore, store: MemcachedStore
    ) -> None:
        key, gone, created, record = new_key(), write(store), new_key(), new_record()
        assert through.swap(key, None, record)
        steps: list[t.Callable[[Record, Record], object]] = [
            lambda _, __: through.swap(created, None, record),
            lambda found, _: through.swap(key, found, successor(record)),
            lambda _, found: through.delete(gone, found),
        ]
        for step in steps:
            found, doomed = read(through, key), read(through, gone)
            fill_free_list(through, 1)
            found, doomed = read(through, key), read(through, gone)
            proxy.requests, proxy.lose_answers = 0, True
            with unavailable("closed|reset", unreachable=True):
                step(found, doomed)
            assert proxy.requests == 1
            proxy.lose_answers = False
        assert store.get(key) == successor(record), "it was carried out"
        assert store.get(created) == record
        assert store.get(gone) is None

    def test_a_read_whose_answer_is_lost_is_sent_again_once(
        self, proxy: Proxy, through: MemcachedStore
    ) -> None:
        key = write(through)
        proxy.cut()
        made = proxy.connections
        assert through.get(key) is not None
        assert proxy.connections == made + 1
        proxy.lose_answers = True
        with unavailable("closed|reset", unreachable=True):
            through.get(key)
        assert proxy.connections == made + 2

    def test_a_write_on_a_connection_that_died_while_idle(
        self, proxy: Proxy, through: MemcachedStore
    ) -> None:
        for _ in range(3):
            write(through)
            fill_free_list(through, 3)
            proxy.cut()
            time.sleep(0.01)  # until the news is here

    def test_requests_of_a_session(self, proxy: Proxy, through: MemcachedStore) -> None:
        manager = SessionManager(through)
        write(through)

        def requests(change: t.Callable[[t.Any], object], cookie: str = "") -> tuple[int, str]:
            proxy.requests = 0
            session = manager.open(cookie)
            change(session)
            instruction: t.Any = manager.commit(session)
            return proxy.requests, getattr(instruction, "value", cookie)

        created, value = requests(lambda session: session.update(cart=1))
        cookie = f"{manager.cookie.name}={value}"
        assert created == 1
        assert requests(lambda session: session.get("cart"), cookie)[0] == 1
        assert requests(lambda session: session.update(cart=2), cookie)[0] == 2
        assert requests(lambda session: session.renew(), cookie)[0] == 3


class TestToken:
    """The cas that a record carries, and records that carry none."""

    def test_a_copy_is_a_plain_record(self, store: MemcachedStore) -> None:
        found = read(store, write(store))
        assert type(found) is not Record
        for copied in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
            assert type(copied) is Record
            assert copied == found

    def test_a_changed_copy_is_compared_by_its_version(self, store: MemcachedStore) -> None:
        key = write(store)
        found = read(store, key)
        wrong = found._replace(version=found.version + 1)
        assert store.swap(key, wrong, successor(found)) is False
        assert store.delete(key, wrong) is False
        assert store.swap(key, found._replace(payload=b"x"), successor(found)) is True

    def test_a_record_that_another_store_has_read(
        self, store: MemcachedStore, server: MemcachedServer
    ) -> None:
        other = MemcachedStore(server.url)
        key = write(store)
        found = read(other, key)
        assert store.swap(key, found, successor(found))
        assert store.swap(key, found, successor(found)) is False
        assert store.delete(key, found) is False
        assert store.delete(key, read(other, key))

    def test_a_record_of_another_server_of_the_same_number(
        self, own_server: MemcachedServer
    ) -> None:
        key, record, another = new_key(), new_record(), new_record(b"another session")
        with MemcachedServer() as other_server:
            store, other = MemcachedStore(own_server.url), MemcachedStore(other_server.url)
            assert store.swap(key, None, record)
            assert other.swap(key, None, another)
            found = read(other, key)
            assert read(store, key).token.cas == found.token.cas  # type: ignore[attr-defined]
            assert store.swap(key, found, successor(found)) is False
            assert store.get(key) == record

    def test_a_server_that_counts_from_the_start_again(self, own_server: MemcachedServer) -> None:
        first, second = MemcachedStore(own_server.url), MemcachedStore(own_server.url)
        key, record, another = new_key(), new_record(), new_record(b"another session")
        assert first.swap(key, None, record)
        late = read(first, key)
        own_server.restart()
        assert second.swap(key, None, another)
        assert read(second, key).token.cas == late.token.cas  # type: ignore[attr-defined]
        assert first.swap(key, late, successor(late)) is False
        assert first.delete(key, late) is False
        assert second.get(key) == another

    def test_a_record_from_before_a_fork(self, store: MemcachedStore) -> None:
        key = write(store)
        found = read(store, key)
        pid = os.fork()
        if pid == 0:
            done = store.swap(key, found, successor(found))
            os._exit(0 if done and not store.swap(key, found, found) else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert store.swap(key, found, successor(found)) is False
        assert store.delete(key, successor(found))

    def test_one_winner_on_many_connections(self, store: MemcachedStore) -> None:
        key = write(store)
        found = read(store, key)
        barrier = threading.Barrier(8)
        results: list[bool] = []

        def race(number: int) -> None:
            barrier.wait()
            if number % 2:
                results.append(store.delete(key, found))
            else:
                results.append(store.swap(key, found, successor(found)))

        threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(results) == 1


class TestWhatIsStored:
    def left(self, client: t.Any, key: str) -> int:
        """How many seconds the server keeps it; -1: for ever."""
        answer: bytes = client.raw_command(f"mg {name_of(key)} t")
        return int(answer.partition(b" t")[2])

    def test_where_and_for_how_long(self, store: MemcachedStore, client: t.Any) -> None:
        now = time.time()
        key, record = new_key(), new_record(expires_at=now + 100)
        assert store.swap(key, None, record)
        assert 700 <= self.left(client, key) <= 703
        longer = successor(record, expires_at=now + 40 * 86400)
        assert store.swap(key, record, longer)
        assert 40 * 86400 + 600 <= self.left(client, key) <= 40 * 86400 + 603
        shorter = successor(longer, expires_at=now + 50)
        assert store.swap(key, longer, shorter)
        assert 650 <= self.left(client, key) <= 653

    def test_the_margin(self, server: MemcachedServer) -> None:
        store = MemcachedStore(server.url, margin=0.0)
        key, expires_at = new_key(), time.time() + 0.2
        assert store.swap(key, None, new_record(expires_at=expires_at))
        while store.get(key):
            assert time.time() < expires_at + 4
            time.sleep(0.02)
        assert time.time() >= expires_at

    @pytest.mark.parametrize("expires_at", [2.0**31 - 601.5, 2.0**31, 2.0**32, 1e300, float("inf")])
    def test_what_expires_after_the_server_s_calendar(
        self, store: MemcachedStore, client: t.Any, expires_at: float
    ) -> None:
        key, record = new_key(), new_record(expires_at=expires_at)
        assert store.swap(key, None, record)
        assert store.get(key) == record
        assert self.left(client, key) == -1

    @pytest.mark.parametrize("expires_at", [-1e9, -600.0, -1.0, 0.0, 1.0, 86400.0, 30 * 86400.0])
    def test_what_expired_long_ago_is_not_taken_for_seconds_from_now(
        self, store: MemcachedStore, expires_at: float
    ) -> None:
        key = new_key()
        assert store.swap(key, None, new_record(expires_at=expires_at))
        assert store.get(key) is None
        assert store.swap(key, None, new_record())

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
        self, store: MemcachedStore, client: t.Any, value: bytes
    ) -> None:
        key, record = new_key(), new_record(version=1)
        client.set(name_of(key), value)
        assert store.get(key) is None
        assert store.swap(key, None, record) is False
        assert store.swap(key, record, successor(record)) is False
        assert store.delete(key, record) is False
        assert client.get(name_of(key)) == value

    def test_prefixes(self, server: MemcachedServer, client: t.Any) -> None:
        longest = "x" * (250 - 64)
        for prefix in ("", "a:", "!~%\\", longest):
            store = MemcachedStore(server.url, prefix=prefix)
            key = write(store)
            assert client.get(prefix + key) is not None
            assert store.delete(key, read(store, key))

    @pytest.mark.parametrize("prefix", ["x" * 187, "a b", "a\n", "\0", "\x7f", "é"])
    def test_what_is_no_prefix(self, prefix: str) -> None:
        with pytest.raises(ConfigurationError, match="prefix"):
            MemcachedStore("memcached://host", prefix=prefix)


class TestSeveralServers:
    NAMES = ("alpha:11211", "beta:11211", "gamma:1", "10.0.0.7:11211", "delta:11211")

    def shares(self, *names: str, keys: t.Iterable[str]) -> dict[str, str]:
        store = MemcachedStore(f"memcached://{','.join(names)}")
        return {key: store.node_of(key) for key in keys}

    def test_each_has_its_share(self) -> None:
        keys = [new_key() for _ in range(20_000)]
        counted = collections.Counter(self.shares(*self.NAMES, keys=keys).values())
        assert set(counted) == set(self.NAMES)
        assert all(abs(count - 4000) < 600 for count in counted.values())

    def test_their_order_does_not_matter(self) -> None:
        keys = [new_key() for _ in range(500)]
        assert self.shares(*self.NAMES, keys=keys) == self.shares(*self.NAMES[::-1], keys=keys)

    def test_a_server_less_moves_no_sessions_but_its_own(self) -> None:
        keys = [new_key() for _ in range(2000)]
        before, after = (self.shares(*names, keys=keys) for names in (self.NAMES, self.NAMES[1:]))
        moved = {key for key in keys if before[key] != after[key]}
        assert moved == {key for key in keys if before[key] == self.NAMES[0]}

    def test_the_mapping_is_for_ever(self) -> None:
        # Another one would log everybody out who has a session during the update.
        keys = [f"{number:03x}" + "0" * 61 for number in range(0, 4096, 273)]
        found = self.shares(*self.NAMES, keys=keys).values()
        assert "".join(str(self.NAMES.index(name)) for name in found) == "2434322411011302"

    def calls(
        self, store: MemcachedStore, key: str, record: Record
    ) -> tuple[t.Callable[[], object], ...]:
        return (
            lambda: store.get(key),
            lambda: store.swap(key, record, successor(record)),
            lambda: store.delete(key, successor(record)),
        )

    def test_an_outage_is_never_an_answer(self) -> None:
        with MemcachedServer() as one, MemcachedServer() as two:
            url = f"{one.url},127.0.0.1:{two.port}"
            store = MemcachedStore(url, timeout=0.1, connect_timeout=0.1)
            node = f"127.0.0.1:{two.port}"
            keys = [write(store) for _ in range(40)]
            records = {key: read(store, key) for key in keys}
            concerned = {key for key in keys if store.node_of(key) == node}
            assert 0 < len(concerned) < 40
            two.pause()
            for key in sorted(concerned)[:3]:
                for call in self.calls(store, key, records[key]):
                    with unavailable(node, unreachable=True):
                        call()
            for key in set(keys) - concerned:
                assert all(call() for call in self.calls(store, key, records[key]))
            two.resume()
            until(lambda: all(store.get(key) == records[key] for key in concerned))

    def test_the_breaker_opens_for_one(self) -> None:
        with MemcachedServer() as one, MemcachedServer() as two:
            store = MemcachedStore(f"{one.url},127.0.0.1:{two.port}", timeout=0.1)
            manager = SessionManager(store)
            two.pause()
            saved = refused = 0
            started = time.monotonic()
            for _ in range(60):
                session = manager.open("")
                session["cart"] = 1
                try:
                    manager.commit(session)
                    saved += 1
                except StoreUnavailable:
                    refused += 1
            assert time.monotonic() - started < 2
            two.resume()
            assert saved > 10
            assert refused > 10


class TestSources:
    def test_clients(self, server: MemcachedServer) -> None:
        where = (server.host, server.port)
        sources: list[t.Any] = [
            pymemcache.Client(where),
            pymemcache.Client(f"{server.host}:{server.port}", ignore_exc=True, serde=object()),
            pymemcache.PooledClient(where, max_pool_size=1),
            [pymemcache.Client(where)],
            (pymemcache.PooledClient(where),),
            server.url + "/",
            server.url.upper(),
        ]
        for source in sources:
            store = MemcachedStore(source)
            key = write(store)
            assert store.delete(key, read(store, key))
            store.close()
            write(store)
            assert (
                repr(store) == f"<MemcachedStore {server.host}:{server.port} prefix='sessionkit:'>"
            )

    def test_a_client_that_was_lent_can_still_be_used(
        self, server: MemcachedServer, client: t.Any
    ) -> None:
        client.set("mine", b"1")
        store = MemcachedStore(client)
        write(store)
        store.close()
        assert client.get("mine") == b"1"

    def test_a_client_of_its_own_kind(self, server: MemcachedServer) -> None:
        class Own(pymemcache.Client):  # type: ignore[misc]
            connected = 0

            def _connect(self) -> None:
                Own.connected += 1
                super()._connect()

        class OwnPool(pymemcache.PooledClient):  # type: ignore[misc]
            client_class = Own

        for number, source in enumerate((Own, OwnPool), 1):
            write(MemcachedStore(source((server.host, server.port))))
            assert Own.connected == number

    def test_the_prefix_of_a_client(self, server: MemcachedServer, client: t.Any) -> None:
        for kind in (pymemcache.Client, pymemcache.PooledClient):
            lent = kind((server.host, server.port), key_prefix="shop:")
            key = write(MemcachedStore(lent))
            assert client.get(f"shop:sessionkit:{key}") is not None

    def test_a_socket_in_the_file_system(self) -> None:
        with MemcachedServer(unix=True) as server:
            store = MemcachedStore(server.url)
            write(store)
            assert store.node_of(new_key()) == str(server.socket)
            write(MemcachedStore(pymemcache.Client(str(server.socket))))

    def test_tls(self) -> None:
        with MemcachedServer(["-I", "4m"], tls=True) as server:
            where = (server.host, server.port)
            store = MemcachedStore(pymemcache.Client(where, tls_context=server.context()))
            for size in (10, 100_000, 3_000_000):
                key = write(store, os.urandom(size))
                found = read(store, key)
                assert store.swap(key, found, successor(found, found.payload))
            assert store._servers.all[0].opened == 1
            for operation in operations(
                lambda: store.get(key), lambda: store.swap(key, None, new_record())
            ):
                server.restart()
                operation()
            stranger = pymemcache.Client(where, tls_context=ssl.create_default_context())
            with unavailable("certificate verify failed", unreachable=True):
                MemcachedStore(stranger).get(key)

    def test_clients_that_ask_another_server(self) -> None:
        with pytest.raises(ConfigurationError, match=r"HashClient.*a list of Client objects"):
            MemcachedStore(pymemcache.HashClient([("a", 1), ("b", 1)]))

    def test_clients_that_send_twice(self) -> None:
        client = RetryingClient(pymemcache.Client(("a", 1)), attempts=3)
        with pytest.raises(ConfigurationError, match="the client inside it"):
            MemcachedStore(client)

    @pytest.mark.parametrize("source", [None, 1, b"memcached://", object(), {}, pymemcache, [None]])
    def test_something_else(self, source: object) -> None:
        with pytest.raises(ConfigurationError, match="Client or PooledClient of pymemcache"):
            MemcachedStore(source)

    def test_no_server_and_one_twice(self) -> None:
        with pytest.raises(ConfigurationError, match="at least one"):
            MemcachedStore([])
        with pytest.raises(ConfigurationError, match="twice"):
            MemcachedStore("memcached://a,b:1,A:11211")

    def resolver(self, *found: tuple[int, tuple[t.Any, ...]]) -> t.Any:
        """The socket module, with a name server that knows one name."""
        known = [(family, socket.SOCK_STREAM, 6, "", where) for family, where in found]

        def getaddrinfo(host: str, *more: t.Any, **options: t.Any) -> t.Any:
            return known if host == "cache" else socket.getaddrinfo(host, *more, **options)

        resolver: t.Any = types.ModuleType("resolver")
        resolver.__dict__.update(vars(socket) | {"getaddrinfo": getaddrinfo})
        return resolver

    def test_each_address_of_a_machine_is_tried(self, server: MemcachedServer) -> None:
        network = self.resolver(
            (socket.AF_INET6, ("::1", server.port, 0, 0)),
            (socket.AF_INET, ("127.0.0.1", server.port)),
        )
        lent = pymemcache.Client(("cache", server.port), socket_module=network)
        write(MemcachedStore(lent))
        lent.server = ("cache", 1)
        network = self.resolver(
            (socket.AF_INET6, ("::1", 1, 0, 0)), (socket.AF_INET, ("127.0.0.1", 1))
        )
        with unavailable("cache:1: .*refused", unreachable=True):
            MemcachedStore(pymemcache.Client(("cache", 1), socket_module=network)).get(new_key())

    def test_a_name_of_several_machines_is_refused(self) -> None:
        network = self.resolver(
            (socket.AF_INET, ("10.0.0.1", 11211)), (socket.AF_INET, ("10.0.0.2", 11211))
        )
        store = MemcachedStore(pymemcache.Client("cache", socket_module=network))
        with pytest.raises(ConfigurationError, match="cache:11211 is the name of several machines"):
            store.get(new_key())

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ({"margin": -1.0}, "negative"),
            ({"max_idle": -1}, "negative"),
            ({"timeout": 0.0}, "timeout"),
            ({"connect_timeout": -1.0}, "connect_timeout"),
        ],
    )
    def test_arguments(self, arguments: dict[str, t.Any], text: str) -> None:
        with pytest.raises(ConfigurationError, match=text):
            MemcachedStore("memcached://host", **arguments)

    def test_time_outs(self) -> None:
        def timeouts(store: MemcachedStore) -> tuple[object, object]:
            (server,) = store._servers.all
            return server._template.connect_timeout, server._template.timeout

        assert timeouts(MemcachedStore("memcached://host")) == (1.0, 1.0)
        assert timeouts(MemcachedStore("memcached://host", timeout=0.5)) == (1.0, 0.5)
        client = pymemcache.Client("host", connect_timeout=4)
        assert timeouts(MemcachedStore(client)) == (4, 1.0)
        assert timeouts(MemcachedStore(client, connect_timeout=2, timeout=3)) == (2, 3)
        assert (client.connect_timeout, client.timeout) == (4, None)


class TestConnections:
    def test_nothing_is_connected_to_by_the_constructor(self, server: MemcachedServer) -> None:
        with Proxy(server.port) as proxy:
            store = MemcachedStore(f"memcached://127.0.0.1:{proxy.port}")
            repr(store)
            store.node_of(new_key())
            time.sleep(0.02)
            assert proxy.connections == 0

    def test_one_is_enough_for_any_number_of_threads_one_after_the_other(
        self, server: MemcachedServer
    ) -> None:
        with Proxy(server.port) as proxy:
            store = MemcachedStore(f"memcached://127.0.0.1:{proxy.port}")
            for _ in range(20):
                thread = threading.Thread(target=write, args=(store,))
                thread.start()
                thread.join()
            assert proxy.connections == 1

    def connections(self, client: t.Any) -> int:
        time.sleep(0.02)
        return t.cast(int, client.stats()[b"curr_connections"])

    def test_idle_ones_are_bounded(self, own_server: MemcachedServer) -> None:
        with contextlib.closing(own_server.client()) as client:
            before = self.connections(client)
            store = MemcachedStore(own_server.url, max_idle=2)
            fill_free_list(store, 6)
            assert self.connections(client) == before + 2
            store.close()
            assert self.connections(client) == before

    def test_a_store_that_is_forgotten_closes_its_own(self, own_server: MemcachedServer) -> None:
        with contextlib.closing(own_server.client()) as client:
            before = self.connections(client)
            store = MemcachedStore(own_server.url)
            write(store)
            gone = weakref.ref(store)
            del store
            gc.collect()
            assert gone() is None
            assert self.connections(client) == before

    def test_one_that_was_interrupted_is_not_used_again(
        self, store: MemcachedStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = [write(store, b"%d" % number) for number in range(2)]

        def interrupted(connection: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Connection, "_receive", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.get(keys[0])
            with pytest.raises(KeyboardInterrupt):
                store.swap(new_key(), None, new_record())
        assert read(store, keys[1]).payload == b"1", "no answer to the question before"
        assert store.get(new_key()) is None

    def test_a_child_uses_none_of_its_parents(self, store: MemcachedStore) -> None:
        key = write(store)
        (server,) = store._servers.all
        pid = os.fork()
        if pid == 0:
            os._exit(0 if server._list.idle() is None else 1)
        assert os.waitpid(pid, 0)[1] == 0
        connection = server._list.idle()
        assert connection is not None, "the parent's own is still good"
        server.give(connection)
        assert store.get(key) is not None


class TestURL:
    def test_parameters(self) -> None:
        store = open_store(
            "memcached://host:1234,[::1],other/?prefix=shop%3A&margin=60&timeout=2"
            "&connect_timeout=3&max_idle=4"
        )
        assert isinstance(store, MemcachedStore)
        assert (store.prefix, store.margin) == ("shop:", 60.0)
        assert repr(store) == "<MemcachedStore host:1234,[::1]:11211,other:11211 prefix='shop:'>"

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("memcached://HOST", "host:11211"),
            ("memcached://user:secret@host:1", "host:1"),
            ("memcached:///run/mem%20cached.sock", "/run/mem cached.sock"),
            ("memcached:/run/memcached.sock", "/run/memcached.sock"),
            ("memcached://[2001:db8::1]:1,a", "[2001:db8::1]:1,a:11211"),
        ],
    )
    def test_what_is_shown(self, url: str, shown: str) -> None:
        assert repr(open_store(url)) == f"<MemcachedStore {shown} prefix='sessionkit:'>"

    @pytest.mark.parametrize(
        "url",
        [
            "memcached:",
            "memcached://",
            "memcached:///",
            "memcached://host,",
            "memcached://a b",
            "memcached://host:port",
            "memcached://host:0",
            "memcached://host:65536",
            "memcached://::1",
            "memcached://host/path",
            "memcached://user:secret@host?unknown=secret",
            "memcached://user:secret@host?margin=secret",
            "memcached://user:secret@host#x",
            "memcached://user:sec/ret@host",
            "memcached://user:sec?ret@host",
            "memcached://user:secret@host:secret",
            "memcached://secret@host",
            "memcached://:secret@host",
            "memcached://user:secret@host/path",
            "memcached://user:secret@host?prefix=a&prefix=b",
        ],
    )
    def test_what_is_wrong_is_said_without_the_password(self, url: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            open_store(url)
        told = f"{caught.value!r} {caught.value.__cause__!r}"
        assert "secret@" not in told
        assert "ret@" not in told

    def test_parameters_are_for_open_store(self) -> None:
        with pytest.raises(ConfigurationError, match="open_store"):
            MemcachedStore("memcached://host?prefix=x")


def test_what_it_cannot_do_is_an_error_that_says_so(store: MemcachedStore) -> None:
    manager = SessionManager(store)
    for call in operations(
        lambda: manager.sessions_of("ann"), lambda: manager.revoke_all("ann"), manager.purge
    ):
        with pytest.raises(UnsupportedOperation, match="MemcachedStore cannot"):
            call()


def test_a_client_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pymemcache", None)
    for name in ("memcached", "_memcached_connection", "_memcached_servers", "_memcached_sources"):
        monkeypatch.delitem(sys.modules, f"sessionkit.stores.{name}")
    with pytest.raises(ConfigurationError, match=r'pip install "wsgi-sessionkit\[memcached\]"'):
        open_store("memcached://host")
