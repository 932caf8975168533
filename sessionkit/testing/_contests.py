"""The same races, between threads that share one store and between processes."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import functools
import threading
import typing as t

from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store

from . import _tasks
from ._owners import assert_owned
from ._processes import Reachable
from ._support import Meeting
from ._support import Task
from ._support import able
from ._support import filled
from ._support import in_threads
from ._support import present
from ._workers import in_processes
from .records import new_key
from .records import new_record
from .records import successor

WRITERS = 4


class ContestTests(Reachable):
    """Several want the same at once, and one gets it."""

    def test_threads_create(self, store: Store) -> None:
        self._create(store, functools.partial(_with_threads, store))

    def test_processes_create(self, store: Store) -> None:
        self._create(store, functools.partial(in_processes, self._opener(store)))

    def _create(self, store: Store, run: Run) -> None:
        keys = [new_key() for _ in range(self.rounds)]
        winners = _one_winner_each(run(_tasks.create, keys, WRITERS))
        for turn, (key, winner) in enumerate(zip(keys, winners, strict=True)):
            record = present(store, key)
            assert record.payload == b"%d" % winner
            assert record.owner == (None if turn % 2 else f"owner {winner}")
        for number in range(WRITERS):
            first = [key for key, winner in zip(keys, winners, strict=True) if winner == number]
            mine = [key for key in first if present(store, key).owner]
            assert_owned(store, f"owner {number}", *mine)

    def test_threads_replace(self, store: Store) -> None:
        self._replace(store, functools.partial(_with_threads, store))

    def test_processes_replace(self, store: Store) -> None:
        self._replace(store, functools.partial(in_processes, self._opener(store)))

    def _replace(self, store: Store, run: Run) -> None:
        keys = filled(store, self.rounds, owner="ann")
        winners = _one_winner_each(run(_tasks.replace, keys, WRITERS))
        for key, winner in zip(keys, winners, strict=True):
            assert present(store, key).payload == b"%d" % winner
        for number in range(WRITERS):
            mine = [key for key, winner in zip(keys, winners, strict=True) if winner == number]
            assert_owned(store, f"owner {number}", *mine)
        assert_owned(store, "ann")

    def test_threads_replace_or_delete(self, store: Store) -> None:
        self._replace_or_delete(store, functools.partial(_with_threads, store))

    def test_processes_replace_or_delete(self, store: Store) -> None:
        self._replace_or_delete(store, functools.partial(in_processes, self._opener(store)))

    def _replace_or_delete(self, store: Store, run: Run) -> None:
        keys = filled(store, self.rounds, owner="ann")
        winners = _one_winner_each(run(_tasks.replace_or_delete, keys, WRITERS))
        for key, winner in zip(keys, winners, strict=True):
            record = store.get(key)
            assert (record and record.payload) == (None if winner % 2 else b"%d" % winner)
        kept = [key for key, winner in zip(keys, winners, strict=True) if not winner % 2]
        assert_owned(store, "ann", *kept)

    def test_threads_move(self, store: Store) -> None:
        able(store, Moving)
        self._move(store, functools.partial(_with_threads, store))

    def test_processes_move(self, store: Store) -> None:
        able(store, Moving)
        self._move(store, functools.partial(in_processes, self._opener(store)))

    def _move(self, store: Store, run: Run) -> None:
        keys = filled(store, self.rounds, owner="ann")
        winners = _one_winner_each(run(_tasks.move, keys, WRITERS))
        for key, winner in zip(keys, winners, strict=True):
            assert present(store, key).payload == b"%d" % winner
            for number in range(WRITERS):
                moved = store.get(_tasks.own_key(key, number))
                assert (moved is not None) == (number == winner), "both or neither"
        assert_owned(store, "ann")
        for number in range(WRITERS):
            mine = [key for key, winner in zip(keys, winners, strict=True) if winner == number]
            assert_owned(store, f"owner {number}", *(_tasks.own_key(key, number) for key in mine))

    def test_threads_count(self, store: Store) -> None:
        self._count(store, functools.partial(_with_threads, store))

    def test_processes_count(self, store: Store) -> None:
        self._count(store, functools.partial(in_processes, self._opener(store)))

    def _count(self, store: Store, run: Run) -> None:
        key, record = new_key(), new_record(b"0")
        assert store.swap(key, None, record)
        run(_tasks.count_up, (key, self.rounds), WRITERS)
        last = present(store, key)
        assert int(last.payload) == self.rounds * WRITERS, "an update is lost"
        assert last.version == record.version + self.rounds * WRITERS

    def test_threads_change_owners(self, store: Store) -> None:
        able(store, Owned)
        self._change_owners(store, functools.partial(_with_threads, store))

    def test_processes_change_owners(self, store: Store) -> None:
        able(store, Owned)
        self._change_owners(store, functools.partial(in_processes, self._opener(store)))

    def _change_owners(self, store: Store, run: Run) -> None:
        keys = filled(store, 8)
        run(_tasks.change_owners, keys, WRITERS)
        for owner in ("ann", "bob"):
            assert_owned(store, owner, *(key for key in keys if present(store, key).owner == owner))

    def test_threads_end(self, store: Store) -> None:
        self._end(store, functools.partial(_with_threads, store))

    def test_processes_end(self, store: Store) -> None:
        self._end(store, functools.partial(in_processes, self._opener(store)))

    def _end(self, store: Store, run: Run) -> None:
        (key,) = filled(store, 1, owner="ann")
        slow = present(store, key)
        run(_tasks.end, key, WRITERS)
        assert store.get(key) is None, "what was ended is alive"
        assert store.swap(key, slow, successor(slow)) is False
        assert store.get(key) is None
        assert_owned(store, "ann")


class Run(t.Protocol):
    """Runs a task so many times at once."""

    def __call__(self, task: Task, argument: t.Any, count: int, /) -> list[t.Any]: ...


def _with_threads(store: Store, task: Task, argument: object, count: int) -> list[t.Any]:
    meeting: Meeting = threading.Barrier(count)
    return in_threads(
        [functools.partial(task, store, meeting, number, argument) for number in range(count)]
    )


def _one_winner_each(results: list[list[bool]]) -> list[int]:
    """Return which of the contestants won each round; exactly one must have."""
    for verdicts in zip(*results, strict=True):
        assert all(type(verdict) is bool for verdict in verdicts)
        assert sum(verdicts) == 1, f"{sum(verdicts)} winners"
    return [verdicts.index(True) for verdicts in zip(*results, strict=True)]
