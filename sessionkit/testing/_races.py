"""Races between threads, processes, forks, and processes that are killed."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import functools
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
import traceback
import typing as t
import warnings

from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store

from . import _tasks
from ._capabilities import assert_owned
from ._support import PATIENCE
from ._support import Meeting
from ._support import Opener
from ._support import Task
from ._support import able
from ._support import fields
from ._support import in_processes
from ._support import in_threads
from ._support import present
from ._support import skip
from .records import new_key
from .records import new_record
from .records import successor

WRITERS = 4


class RaceTests:
    """Everything at once."""

    #: How many rounds each race has.
    rounds: int = 30

    def opener(self, store: Store) -> Opener | None:
        """Return a picklable function without arguments that opens the same data elsewhere.

        ``functools.partial(MyStore, store.url)``, for example. None, as here, if the data cannot be
        reached from another process; what needs processes is then skipped.
        """
        return None

    # -- the same races, between threads that share one store and between processes

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
        keys = _filled(store, self.rounds, owner="ann")
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
        keys = _filled(store, self.rounds, owner="ann")
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
        keys = _filled(store, self.rounds, owner="ann")
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
        keys = _filled(store, 8)
        run(_tasks.change_owners, keys, WRITERS)
        for owner in ("ann", "bob"):
            assert_owned(store, owner, *(key for key in keys if present(store, key).owner == owner))

    def test_threads_end(self, store: Store) -> None:
        self._end(store, functools.partial(_with_threads, store))

    def test_processes_end(self, store: Store) -> None:
        self._end(store, functools.partial(in_processes, self._opener(store)))

    def _end(self, store: Store, run: Run) -> None:
        (key,) = _filled(store, 1, owner="ann")
        slow = present(store, key)
        run(_tasks.end, key, WRITERS)
        assert store.get(key) is None, "what was ended is alive"
        assert store.swap(key, slow, successor(slow)) is False
        assert store.get(key) is None
        assert_owned(store, "ann")

    def test_threads_list_while_others_write(self, store: Store) -> None:
        owned = able(store, Owned)
        (kept,) = _filled(store, 1, owner="ann")
        done = threading.Event()

        def write() -> None:
            for _ in range(self.rounds):
                key, record = new_key(), new_record(owner="ann")
                assert store.swap(key, None, record)
                assert key in owned.owned_by("ann", time.time()), "a live session is hidden"
                assert store.delete(key, record)
            done.set()

        def refresh() -> None:
            while not done.is_set():
                record = present(store, kept)
                store.swap(kept, record, successor(record))
                assert kept in owned.owned_by("ann", time.time()), "a live session is hidden"

        in_threads([write, refresh])
        assert_owned(store, "ann", kept)

    def test_threads_clear_while_others_write(self, store: Store) -> None:
        owned, enumerable = able(store, Owned), able(store, Enumerable)
        done = threading.Event()

        def write() -> None:
            try:
                for _ in range(self.rounds):
                    key = new_key()
                    assert store.swap(key, None, new_record(owner="ann"))
                    named = owned.owned_by("ann", time.time())
                    assert key in named or store.get(key) is None, "a live session is hidden"
            finally:
                done.set()

        def clear() -> None:
            while not done.is_set():
                enumerable.clear()

        in_threads([write, clear])

    # -- a process that is killed

    def test_killed_writers(self, store: Store) -> None:
        opener = self._opener(store)
        context = multiprocessing.get_context("spawn")
        seeds = [new_key() for _ in range(6)]
        pipes = [context.Pipe(duplex=False) for _ in seeds]
        workers = [
            context.Process(
                target=_tasks.work_until_killed, args=(opener, seed, sender), daemon=True
            )
            for seed, (_, sender) in zip(seeds, pipes, strict=True)
        ]
        for worker, (_, sender) in zip(workers, pipes, strict=True):
            worker.start()
            sender.close()
        try:
            for worker, (receiver, _) in zip(workers, pipes, strict=True):
                assert receiver.poll(PATIENCE), "a writer hangs"
                receiver.recv()
                receiver.poll(random.uniform(0.0, 0.05))  # noqa: S311 - at any moment
                worker.kill()
                worker.join()
                receiver.close()
        finally:
            for worker in workers:
                worker.kill()
                worker.join()
                worker.close()
        for seed in seeds:
            self._check_what_the_killed_left(store, seed)

    def _check_what_the_killed_left(self, store: Store, seed: str) -> None:
        owned = store if isinstance(store, Owned) else None
        listed = {name: set(owned.owned_by(name, 0.0)) for name in ("ann", "bob")} if owned else {}
        missing = turn = 0
        while missing < 4:
            key, target = (
                _tasks.scripted_key(seed, turn),
                _tasks.scripted_key(f"{seed} moved", turn),
            )
            record, moved = store.get(key), store.get(target)
            if turn % 3 != 1:  # those it deletes say nothing about where it was killed
                missing = missing + 1 if record is None else 0
            for name, found in ((key, record), (target, moved)):
                if found is not None:
                    assert found.payload == b"%d" % turn, "a record is torn"
                    if owned and found.owner:
                        assert name in listed[found.owner], "a live session is hidden"
            if isinstance(store, Moving) and record is not None and turn % 3 == 2:
                assert (moved is not None) == (record.owner is None), "both or neither"
            if record is not None:
                assert store.swap(key, record, successor(record, b"%d" % turn)), "a key is stuck"
            turn += 1
        assert turn > 4, "the writer wrote nothing"

    # -- forks

    def test_fork(self, store: Store) -> None:
        if not hasattr(os, "fork"):
            skip("no fork")
        shared = self.opener(store) is not None
        before, record = new_key(), new_record(b"parent", owner="ann")
        assert store.swap(before, None, record)
        keys = [new_key() for _ in range(4)]

        def child(key: str) -> None:
            for _ in range(20):
                assert fields(store.get(before)) == fields(record)
                assert store.swap(key, None, record)
                assert store.swap(key, record, successor(record))
                assert store.delete(key, successor(record))
            assert store.swap(key, None, record)

        children = [_fork(functools.partial(child, key)) for key in keys]
        for _ in range(50):  # both use it at once
            assert fields(store.get(before)) == fields(record)
            key = new_key()
            assert store.swap(key, None, record)
            assert store.delete(key, record)
        for pid in children:
            _wait(pid)
        assert fields(store.get(before)) == fields(record)
        for key in keys:
            assert (store.get(key) is not None) == shared

    def test_fork_while_threads_write(self, store: Store) -> None:
        if not hasattr(os, "fork"):
            skip("no fork")
        (key,) = _filled(store, 1)
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                record = present(store, key)
                store.swap(key, record, successor(record))

        def child() -> None:
            for _ in range(10):
                record, own = new_record(), new_key()
                assert store.swap(own, None, record)
                assert store.get(own) is not None
                assert store.delete(own, record)

        def fork() -> None:
            try:
                for _ in range(5):
                    _wait(_fork(child))
            finally:
                done.set()

        in_threads([fork, write, write])
        assert store.swap(new_key(), None, new_record())

    def _opener(self, store: Store) -> Opener:
        return self.opener(store) or skip("it cannot be opened from another process")


class Run(t.Protocol):
    """Runs a task so many times at once."""

    def __call__(self, task: Task, argument: t.Any, count: int, /) -> list[t.Any]: ...


def _with_threads(store: Store, task: Task, argument: object, count: int) -> list[t.Any]:
    meeting: Meeting = threading.Barrier(count)
    return in_threads(
        [functools.partial(task, store, meeting, number, argument) for number in range(count)]
    )


def _filled(store: Store, count: int, owner: str | None = None) -> list[str]:
    keys = [new_key() for _ in range(count)]
    for key in keys:
        assert store.swap(key, None, new_record(b"first", owner=owner))
    return keys


def _one_winner_each(results: list[list[bool]]) -> list[int]:
    """Return which of the contestants won each round; exactly one must have."""
    for verdicts in zip(*results, strict=True):
        assert all(type(verdict) is bool for verdict in verdicts)
        assert sum(verdicts) == 1, f"{sum(verdicts)} winners"
    return [verdicts.index(True) for verdicts in zip(*results, strict=True)]


def _fork(function: t.Callable[[], None]) -> int:
    with warnings.catch_warnings():  # 3.12 warns where there are threads; that is what is tested
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        function()
        status = 0
    except BaseException:  # noqa: BLE001 - told to the parent by the status
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def _wait(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    assert status == 0, "it hangs in a child" if status == signal.SIGALRM else "it fails in a child"
