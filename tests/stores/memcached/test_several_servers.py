"""Several servers: which has which key."""

from __future__ import annotations

import collections
import time
import typing as t

from sessionkit import SessionManager
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from sessionkit.testing import successor
from tests.servers.memcached import MemcachedServer
from tests.stores.memcached.support import read
from tests.stores.memcached.support import unavailable
from tests.stores.memcached.support import until
from tests.stores.memcached.support import write


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
