"""What the tests of the memcached store share."""

from __future__ import annotations

import contextlib
import time
import typing as t

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record


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
