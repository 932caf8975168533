from __future__ import annotations

import os
import threading
import typing as t

import pytest

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreFull
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from sessionkit.testing import StoreConformance
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor


class TestMemoryStore(StoreConformance):
    capabilities: t.ClassVar = frozenset({Moving, Owned, Sweepable, Enumerable})

    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()

    def neighbour(self, store: Store) -> Store | None:
        return MemoryStore()


NOW = 1_000_000.0


def fill(store: MemoryStore, *records: tuple[float, str | None]) -> list[str]:
    keys = [new_key() for _ in records]
    for key, (seconds, owner) in zip(keys, records, strict=True):
        assert store.swap(key, None, new_record(expires_at=NOW + seconds, owner=owner))
    return keys


def bounded(sessions: int) -> MemoryStore:
    return MemoryStore(max_sessions=sessions, clock=FakeClock(NOW))


def alive(store: MemoryStore, keys: list[str]) -> list[bool]:
    return [store.get(key) is not None for key in keys]


class TestBound:
    def test_expired_ones_go_first_and_the_longest_expired_one_before_the_others(self) -> None:
        store = bounded(4)
        keys = fill(store, (60, None), (-1, "ann"), (-2, None), (60, "ann"))
        fill(store, (60, None))
        assert alive(store, keys) == [True, True, False, True]
        fill(store, (60, None))
        assert alive(store, keys) == [True, False, False, True]
        assert store.owned_by("ann", NOW) == [keys[3]]

    def test_then_the_oldest_without_an_owner(self) -> None:
        store = bounded(3)
        keys = fill(store, (60, "ann"), (60, None), (30, None))
        fill(store, (60, None))
        assert alive(store, keys) == [True, False, True]

    def test_what_was_written_since_is_not_the_oldest(self) -> None:
        store = bounded(2)
        keys = fill(store, (60, None), (60, None))
        first = store.get(keys[0])
        assert first is not None
        assert store.swap(keys[0], first, successor(first))
        fill(store, (60, None))
        assert alive(store, keys) == [True, False]

    def test_never_one_with_an_owner(self) -> None:
        store = bounded(2)
        keys = fill(store, (60, "ann"), (60, "bob"))
        with pytest.raises(StoreFull) as caught:
            store.swap(new_key(), None, new_record(owner="carol"))
        assert isinstance(caught.value, StoreUnavailable)
        assert caught.value.unreachable is False
        assert alive(store, keys) == [True, True]
        assert store.count(NOW) == 2

    def test_a_full_store_still_takes_changes(self) -> None:
        store = bounded(1)
        (key,) = fill(store, (60, "ann"))
        record = store.get(key)
        assert record is not None
        assert store.swap(key, record, successor(record))
        assert store.delete(key, successor(record))
        fill(store, (60, "ann"))

    def test_a_swap_that_fails_makes_no_room(self) -> None:
        store = bounded(2)
        keys = fill(store, (60, None), (-1, None))
        assert not store.swap(keys[0], None, new_record())
        assert alive(store, keys) == [True, True]

    def test_a_move_makes_room_for_one_but_not_by_dropping_its_own_stub(self) -> None:
        store = bounded(2)
        keys = fill(store, (60, None), (60, None))
        record = store.get(keys[0])
        assert record is not None
        target = new_key()
        assert store.move(keys[0], record, successor(record), target, new_record(owner="ann"))
        assert alive(store, [*keys, target]) == [True, False, True]

    @pytest.mark.parametrize("seconds", [60, -1])
    def test_a_move_that_finds_no_room_changes_nothing(self, seconds: int) -> None:
        store = bounded(2)
        old, other = fill(store, (seconds, None), (60, "ann"))
        record = store.get(old)
        assert record is not None
        with pytest.raises(StoreFull):
            store.move(old, record, successor(record), new_key(), new_record(owner="bob"))
        assert store.get(old) == record
        assert alive(store, [old, other]) == [True, True]
        assert store.owned_by("bob", NOW) == []

    def test_the_clock_is_asked_only_at_the_bound(self) -> None:
        def clock() -> float:
            raise AssertionError("asked")

        store = MemoryStore(max_sessions=3, clock=clock)
        keys = fill(store, (60, None), (-1, None), (60, "ann"))
        store.sweep(NOW)
        assert alive(store, keys) == [True] * 3
        with pytest.raises(AssertionError, match="asked"):
            fill(store, (60, None))

    def test_anonymous_visitors_at_the_bound_cost_the_same_as_before(self) -> None:
        store = bounded(2000)
        owned = fill(store, *[(60, "ann")] * 1000)
        for turn in range(20_000):  # a scan a visitor would take a minute
            assert store.swap(new_key(), None, new_record(expires_at=NOW + 60 + turn))
        assert store.count(NOW) == 2000
        assert all(alive(store, owned))

    def test_times_that_a_record_no_longer_has_do_not_pile_up(self) -> None:
        store = bounded(10)
        (key,) = fill(store, (60, None))
        for turn in range(10_000):
            record = store.get(key)
            assert record is not None
            assert store.swap(key, record, successor(record, expires_at=NOW + turn))
        assert len(store._expiries) < 2000
        assert store.sweep(NOW + 20_000) == 1

    @pytest.mark.parametrize("arguments", [{"max_sessions": 0}, {"margin": -1}])
    def test_nonsense_is_refused(self, arguments: dict[str, t.Any]) -> None:
        with pytest.raises(ConfigurationError):
            MemoryStore(**arguments)

    def test_no_bound(self) -> None:
        store = MemoryStore(max_sessions=None)
        fill(store, *[(-1, None)] * 100)
        assert len(list(store.keys())) == 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_store_that_is_gone_does_not_hinder_a_fork() -> None:
    for _ in range(10):
        MemoryStore()
    store = MemoryStore()
    held = threading.Event()
    release = threading.Timer(0.2, store._lock.release)
    store._lock.acquire()
    release.start()
    held.set()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if not store._lock.locked() else 1)
    assert os.waitpid(pid, 0)[1] == 0
    release.join()


def test_repr_shows_no_key() -> None:
    store = MemoryStore()
    (key,) = fill(store, (60, "ann"))
    assert repr(store) == "<MemoryStore: 1 sessions>"
    assert key not in repr(store)
