"""Damage, strangers, locks, and a disk that is full or read-only."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.stores.sqlite import SQLiteStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.privileges import own_folder
from tests.privileges import unprivileged
from tests.stores.sqlite.support import assert_works
from tests.stores.sqlite.support import write


class TestTrouble:
    def test_a_file_that_is_no_database(self, path: Path) -> None:
        path.write_bytes(b"what is this? " * 1000)
        store = SQLiteStore(path)
        with pytest.raises(StoreUnavailable, match=r"damaged.*remove it") as caught:
            store.get(new_key())
        assert caught.value.unreachable is False
        assert isinstance(caught.value.__cause__, sqlite3.Error)
        path.unlink()
        assert_works(store)

    def test_a_file_that_is_damaged_while_it_is_used(self, path: Path) -> None:
        store = SQLiteStore(path)
        key = write(store)
        store.close()
        with path.open("r+b") as file:
            file.seek(100)
            file.write(os.urandom(path.stat().st_size - 100))
        for operation in (
            lambda: store.get(key),
            lambda: store.swap(new_key(), None, new_record()),
            lambda: store.sweep(time.time()),
        ):
            with pytest.raises(StoreUnavailable) as caught:
                operation()
            assert key not in str(caught.value)
        path.unlink()
        assert_works(store, key)

    def test_no_folder(self, path: Path) -> None:
        store = SQLiteStore(path.parent / "missing" / "sessions.db")
        with pytest.raises(StoreUnavailable, match=r"cannot make .*No such file") as caught:
            store.get(new_key())
        assert caught.value.unreachable is True
        (path.parent / "missing").mkdir()
        assert_works(store)

    def test_a_folder_in_place_of_the_file(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(StoreUnavailable, match="cannot open"):
            SQLiteStore(path).get(new_key())

    def test_another_table_of_that_name(self, path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE sessionkit_sessions (x, expires_at, owner)")
        connection.close()
        with pytest.raises(StoreUnavailable, match="no such column"):
            SQLiteStore(path).get(new_key())

    def test_what_somebody_else_put_there_is_no_session(self, path: Path) -> None:
        store = SQLiteStore(path)
        key = write(store)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE sessionkit_sessions SET payload = 'text'")
        assert store.get(key) is None
        with connection:
            connection.execute("UPDATE sessionkit_sessions SET payload = x'00', version = 'x'")
        connection.close()
        assert store.get(key) is None
        assert store.swap(key, None, new_record()) is False

    def test_the_wait_for_another_writer_is_bounded(self, path: Path) -> None:
        store = SQLiteStore(path, busy_timeout=0.2)
        key = write(store)
        record = store.get(key)
        assert record is not None
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        operations: list[t.Callable[[], object]] = [
            lambda: store.swap(key, record, successor(record)),
            lambda: store.delete(key, record),
            lambda: store.move(key, record, successor(record), new_key(), new_record()),
        ]
        for operation in operations:
            with pytest.raises(StoreUnavailable, match=r"did not let us in for 0\.2 s") as caught:
                operation()
            assert caught.value.unreachable is True
        assert 0.6 <= time.monotonic() - started < 2
        assert store.get(key) == record, "a reader does not wait for a writer"
        other.execute("COMMIT")
        other.close()
        assert store.swap(key, record, successor(record))

    def test_a_writer_waits_for_another_one(self, path: Path) -> None:
        store = SQLiteStore(path)
        write(store)
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.3, other.execute, ("COMMIT",))
        timer.start()
        write(store)
        timer.join()
        other.close()

    def test_a_full_disk(self, path: Path) -> None:
        store = SQLiteStore(path)
        key = write(store)
        connection = store._database._connections.idle()
        assert connection is not None
        connection.handle.execute("PRAGMA max_page_count = 8")
        store._database._connections.give(connection)
        with pytest.raises(StoreUnavailable, match="full") as caught:
            store.swap(new_key(), None, new_record(bytes(2**20)))
        assert caught.value.unreachable is False
        assert store.get(key) is not None

    def test_a_folder_that_is_read_only(self) -> None:
        with own_folder() as folder, unprivileged():
            folder.chmod(0o500)
            with pytest.raises(StoreUnavailable, match=r"cannot make .*denied"):
                SQLiteStore(folder / "sessions.sqlite3").get(new_key())
