"""Servers, and a store on one of them."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from sessionkit.stores.memcached import MemcachedStore
from tests.servers.memcached import MemcachedServer

StartServer = t.Callable[..., MemcachedServer]


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> MemcachedServer:
    """A server that takes large values; leave it running and as it is configured."""
    return start_server(MemcachedServer, options=["-I", "4m"])


@pytest.fixture(scope="session")
def other_server(start_server: StartServer) -> MemcachedServer:
    return start_server(MemcachedServer, options=["-I", "4m"])


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
