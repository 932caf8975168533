"""The token by which memcached compares: whose it is, and what stands in for it."""

from __future__ import annotations

import copy
import os
import pickle
import threading

from sessionkit.store import Record
from sessionkit.stores.memcached import MemcachedStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers.memcached import MemcachedServer
from tests.stores.memcached.support import read
from tests.stores.memcached.support import write


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
