"""What a process leaves that is killed at any moment."""

# ruff: noqa: S101
# mypy: disable-error-code="type-abstract"

from __future__ import annotations

import multiprocessing
import random

from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Store

from . import _tasks
from ._processes import Reachable
from ._support import PATIENCE
from .records import new_key
from .records import successor


class CrashTests(Reachable):
    """Every record is whole, and none is hidden or stuck."""

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
