"""What stands in memcached, under which name and for how long."""

from __future__ import annotations

import time
import typing as t

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers.memcached import MemcachedServer
from tests.stores.garbage import GARBAGE
from tests.stores.memcached.support import name_of
from tests.stores.memcached.support import read
from tests.stores.memcached.support import write


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

    @pytest.mark.parametrize("value", GARBAGE)
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
