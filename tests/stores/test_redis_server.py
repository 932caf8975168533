"""What is asked of a Redis server: TLS, enough memory, replicas."""

from __future__ import annotations

import functools
import time
import typing as t
import warnings

import pytest
import redis

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.stores import open_store
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import Proxy
from tests.servers import RedisServer
from tests.servers.redis_tls import TLSRedisServer

Start = t.Callable[..., t.Any]


@pytest.fixture(scope="module")
def evicting(start_server: Start) -> RedisServer:
    server: RedisServer = start_server(
        RedisServer, maxmemory="50mb", maxmemory_policy="allkeys-lru"
    )
    return server


class TestEviction:
    def test_it_is_warned_of_once(self, evicting: RedisServer) -> None:
        store = RedisStore(evicting.url)
        with pytest.warns(RuntimeWarning) as caught:
            assert store.get(new_key()) is None
        (warning,) = caught
        for said in ("maxmemory-policy is 'allkeys-lru'", "52428800", "noeviction", "eviction="):
            assert said in str(warning.message)
        store.close()
        assert store.swap(new_key(), None, new_record())

    def test_where_warnings_are_errors(self, evicting: RedisServer) -> None:
        store = RedisStore(evicting.url)
        with pytest.raises(RuntimeWarning):
            store.get(new_key())
        assert store.get(new_key()) is None

    def test_it_can_be_refused_and_ignored(self, evicting: RedisServer) -> None:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="allkeys-lru"):
                open_store(f"{evicting.url}?eviction=refuse").get(new_key())
        assert open_store(f"{evicting.url}?eviction=ignore").get(new_key()) is None
        with pytest.raises(ConfigurationError, match="warn, refuse, ignore"):
            RedisStore(evicting.url, eviction="never")

    def test_a_server_without_a_limit_drops_nothing(self, evicting: RedisServer) -> None:
        with evicting.client() as client:
            client.config_set("maxmemory", "0")
            try:
                assert RedisStore(evicting.url, eviction="refuse").get(new_key()) is None
                client.config_set("maxmemory", "50mb")
                client.config_set("maxmemory-policy", "noeviction")
                assert RedisStore(evicting.url, eviction="refuse").get(new_key()) is None
            finally:
                client.config_set("maxmemory", "50mb")
                client.config_set("maxmemory-policy", "allkeys-lru")

    def test_who_may_not_ask(self, evicting: RedisServer) -> None:
        with evicting.client() as client:
            client.execute_command("ACL SETUSER shop on >pw ~* +@all -info")
        url = evicting.url.replace("://", "://shop:pw@")
        assert RedisStore(url).get(new_key()) is None
        with pytest.raises(ConfigurationError, match="INFO"):
            RedisStore(url, eviction="refuse").get(new_key())

    @pytest.mark.parametrize("protocol", [2, 3])
    def test_it_costs_one_round_trip_in_all(self, redis_server: RedisServer, protocol: int) -> None:
        counts = []
        for eviction in ("warn", "ignore"):
            with Proxy(redis_server.port) as proxy:
                url = f"redis://127.0.0.1:{proxy.port}/0?protocol={protocol}"
                store = RedisStore(url, eviction=eviction, max_idle=0)
                for _ in range(3):
                    store.get(new_key())
                    counts.append(proxy.requests)
                    proxy.requests = 0
        assert counts[0] == counts[1] + 1
        assert counts[1] == counts[2]


@pytest.fixture(scope="module")
def pair(start_server: Start) -> tuple[RedisServer, RedisServer]:
    master = start_server(RedisServer, repl_diskless_sync_delay="0")
    replica = start_server(RedisServer, replicaof=f"127.0.0.1 {master.port}")
    with redis.Redis(port=master.port, single_connection_client=True) as client:
        while client.info("replication").get("slave0", {}).get("state") != "online":
            time.sleep(0.01)
        client.set("first", "x")
        assert client.wait(1, 20_000) == 1, "the first answer of a replica takes a second"
    return master, replica


class TestReplicas:
    def test_a_write_is_confirmed_in_the_same_round_trip(
        self, pair: tuple[RedisServer, RedisServer]
    ) -> None:
        master, replica = pair
        with Proxy(master.port) as proxy:
            store = RedisStore(
                f"redis://127.0.0.1:{proxy.port}/0", wait_replicas=1, wait_timeout=0.9
            )
            key, target, record = new_key(), new_key(), new_record(owner="ann")
            stub = successor(record, owner=None)
            copy = RedisStore(replica.url)
            for _ in range(2):  # the first time the server learns the scripts
                steps: list[tuple[t.Callable[[], bool], str]] = [
                    (lambda: store.swap(key, None, record), key),
                    (lambda: store.move(key, record, stub, target, record), target),
                    (lambda: store.delete(key, stub), key),
                    (lambda: store.delete(target, record), target),
                ]
                counts = []
                for step, changed in steps:
                    proxy.requests = 0
                    assert step()
                    counts.append(proxy.requests)
                    assert copy.get(changed) == store.get(changed)
                assert not store.delete(key, stub)
            assert counts == [1] * 4

    def test_too_few_confirm(self, pair: tuple[RedisServer, RedisServer]) -> None:
        master, replica = pair
        store = RedisStore(master.url, wait_replicas=1, wait_timeout=0.1)
        key, record = new_key(), new_record()
        assert RedisStore(master.url).swap(key, None, record)
        replica.pause()
        try:
            started = time.monotonic()
            with pytest.raises(StoreUnavailable, match="confirmed by 0 of 1 replicas") as caught:
                store.swap(key, record, successor(record))
            assert caught.value.unreachable is False, "no reason to ask the master less"
            assert time.monotonic() - started < 0.5
            assert store.get(key) == successor(record), "the master has it all the same"
            assert store.swap(key, record, successor(record)) is False, "and says so"
        finally:
            replica.resume()
        patient = RedisStore(master.url, wait_replicas=1, wait_timeout=0.9)
        assert patient.delete(key, successor(record))

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ({"wait_replicas": -1}, "negative"),
            ({"wait_replicas": 1, "wait_timeout": 0.0}, "wait_timeout"),
            ({"wait_replicas": 1, "wait_timeout": 1.0}, r"shorter than timeout \(1\)"),
            ({"wait_replicas": 1, "timeout": 0.1}, "shorter than timeout"),
        ],
    )
    def test_arguments(self, arguments: dict[str, t.Any], text: str) -> None:
        with pytest.raises(ConfigurationError, match=text):
            RedisStore("redis://", **arguments)


@pytest.fixture(scope="module")
def tls(start_server: Start) -> TLSRedisServer:
    server: TLSRedisServer = start_server(TLSRedisServer, requirepass="hunter2")
    return server


@pytest.fixture(scope="module")
def elsewhere(start_server: Start) -> TLSRedisServer:
    """A server whose certificate is another host's."""
    server: TLSRedisServer = start_server(TLSRedisServer, valid_for="elsewhere.example")
    return server


class TestTLS:
    def test_an_authority_of_our_own(self, tls: TLSRedisServer) -> None:
        url = f"rediss://:hunter2@127.0.0.1:{tls.tls_port}/0?ssl_ca_certs={tls.authority}"
        store = open_store(url)
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        assert store.get(key) == record
        assert repr(store).startswith(f"<RedisStore rediss://127.0.0.1:{tls.tls_port}/0 ")

    def test_a_client(self, tls: TLSRedisServer) -> None:
        client = redis.Redis(
            port=tls.tls_port,
            host="127.0.0.1",
            password="hunter2",
            ssl=True,
            ssl_ca_certs=str(tls.authority),
        )
        assert RedisStore(client).get(new_key()) is None
        client.close()

    def test_a_certificate_that_nobody_vouches_for(self, tls: TLSRedisServer) -> None:
        store = RedisStore(f"rediss://:hunter2@127.0.0.1:{tls.tls_port}/0")
        self.refused(store, "CERTIFICATE_VERIFY_FAILED")

    def test_a_certificate_of_another_host(self, elsewhere: TLSRedisServer) -> None:
        url = f"rediss://127.0.0.1:{elsewhere.tls_port}/0?ssl_ca_certs={elsewhere.authority}"
        self.refused(RedisStore(url), r"(?i)certificate is not valid for '127\.0\.0\.1'|mismatch")
        assert RedisStore(f"{url}&ssl_check_hostname=false").get(new_key()) is None

    def test_plain_text_where_tls_is_spoken(self, tls: TLSRedisServer) -> None:
        self.refused(RedisStore(f"redis://:hunter2@127.0.0.1:{tls.tls_port}/0"), "Connection")
        self.refused(RedisStore(f"rediss://:hunter2@127.0.0.1:{tls.port}/0"), "Timeout")

    def test_a_file_that_is_not_there(self, tls: TLSRedisServer) -> None:
        url = f"rediss://:hunter2@127.0.0.1:{tls.tls_port}/0?ssl_ca_certs=/nowhere.pem"
        self.refused(RedisStore(url), "No such file")

    def refused(self, store: RedisStore, text: str) -> None:
        operations = (
            functools.partial(store.get, new_key()),
            functools.partial(store.swap, new_key(), None, new_record()),
        )
        for operation in operations:
            with pytest.raises(StoreUnavailable, match=text) as caught:
                operation()
            assert "hunter" not in f"{caught.value!r} {caught.value.__cause__!r} {store!r}"


def test_nothing_is_warned_of_without_reason(redis_url: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RedisStore(redis_url).get(new_key())
