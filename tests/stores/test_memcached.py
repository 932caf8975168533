from __future__ import annotations

import functools
import typing as t

import pytest

from sessionkit.store import Closeable
from sessionkit.store import Partitioned
from sessionkit.store import Store
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import StoreConformance
from tests.servers.memcached import MemcachedServer

Start = t.Callable[..., MemcachedServer]


@pytest.fixture(scope="session")
def server(start_server: t.Callable[..., MemcachedServer]) -> MemcachedServer:
    """A server that takes large values; leave it running and as it is configured."""
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
