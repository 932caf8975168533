"""How many connections there are, and whose."""

from __future__ import annotations

import functools
import gc
import sqlite3
import threading
import time
import weakref
from pathlib import Path

import pytest

from sessionkit.stores.sqlite import SQLiteStore
from tests.forks import fork
from tests.forks import wait
from tests.stores.sqlite.support import write


class TestConnections:
    def test_idle_ones_are_bounded(self, path: Path) -> None:
        store = SQLiteStore(path, max_idle=2)
        write(store)
        barrier = threading.Barrier(6)

        def hold(handle: sqlite3.Connection) -> None:
            barrier.wait()

        threads = [threading.Thread(target=store._database.run, args=(hold,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store._database._connections._idle) == 2

    def test_one_that_raised_is_not_used_again(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)

        def interrupted(handle: sqlite3.Connection) -> None:
            handle.execute("BEGIN IMMEDIATE")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store._database.run(interrupted)
        assert len(store._database._connections._idle) == 0
        write(SQLiteStore(path, busy_timeout=0))

    def test_a_store_that_is_forgotten_closes_its_own(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)
        gone = weakref.ref(store)
        del store
        gc.collect()
        assert gone() is None
        assert [file.name for file in path.parent.iterdir()] == [path.name]

    def test_a_child_inherits_none(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)

        def look() -> None:
            connections = store._database._connections
            assert len(connections._idle) == 0
            assert connections._open == set()

        wait(fork(look))
        write(store)

    def test_a_fork_waits_for_a_write(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)
        writing = threading.Event()

        def slow(handle: sqlite3.Connection) -> None:
            handle.execute("BEGIN IMMEDIATE")
            writing.set()
            time.sleep(0.2)
            handle.execute("COMMIT")

        thread = threading.Thread(target=store._database.run, args=(slow,))
        thread.start()
        writing.wait()
        child = fork(lambda: write(store))  # SQLite would think that we are still writing
        thread.join()
        wait(child)

    @pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
    def test_durability(self, path: Path, durable: bool, level: int) -> None:
        store = SQLiteStore(path, durable=durable)
        write(store)
        pragma = functools.partial(
            store._database.run, lambda handle, name: handle.execute(f"PRAGMA {name}").fetchone()
        )
        assert pragma("synchronous") == (level,)
        assert pragma("journal_mode") == ("wal",)


def test_a_store_that_is_forgotten_closes_its_connections(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "sessions.sqlite3")
    assert store.get("0" * 64) is None
    before = len([*Path("/proc/self/fd").iterdir()])
    del store
    gc.collect()
    assert len([*Path("/proc/self/fd").iterdir()]) < before
