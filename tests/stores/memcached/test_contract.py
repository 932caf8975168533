"""What every store must do, on memcached."""

from __future__ import annotations

import functools
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit.errors import UnsupportedOperation
from sessionkit.store import Closeable
from sessionkit.store import Partitioned
from sessionkit.store import Store
from sessionkit.stores import _memcached_connection
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import StoreConformance
from tests.servers.memcached import MemcachedServer
from tests.stores.memcached.support import operations


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


def test_what_it_cannot_do_is_an_error_that_says_so(store: MemcachedStore) -> None:
    manager = SessionManager(store)
    for call in operations(
        lambda: manager.sessions_of("ann"), lambda: manager.revoke_all("ann"), manager.purge
    ):
        with pytest.raises(UnsupportedOperation, match="MemcachedStore cannot"):
            call()
