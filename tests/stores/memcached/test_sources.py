"""What a store is made of: clients and addresses."""

from __future__ import annotations

import os
import socket
import ssl
import types
import typing as t

import pymemcache  # type: ignore[import-untyped]
import pytest
from pymemcache.client.retrying import RetryingClient  # type: ignore[import-untyped]

from sessionkit.errors import ConfigurationError
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers.memcached import MemcachedServer
from tests.stores.memcached.support import operations
from tests.stores.memcached.support import read
from tests.stores.memcached.support import unavailable
from tests.stores.memcached.support import write


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
