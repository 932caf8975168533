"""The database is taken away while it is used."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.stores import _sqlite_database
from sessionkit.stores.sqlite import SQLiteStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.forks import fork
from tests.forks import wait
from tests.stores.sqlite.support import assert_works
from tests.stores.sqlite.support import write


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def truncate_all(path: Path) -> None:
    for file in path.parent.iterdir():
        os.truncate(file, 0)


def replace_by_another(path: Path) -> None:
    other = path.parent.parent / "other.db"
    store = SQLiteStore(other)
    write(store)
    store.close()
    other.replace(path)


def replace_by_one_without_our_table(path: Path) -> None:
    other = path.parent.parent / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE something (x)")
    connection.close()
    other.replace(path)


def drop_the_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE sessionkit_sessions")
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        remove,
        remove_all,
        truncate,
        truncate_all,
        replace_by_another,
        replace_by_one_without_our_table,
        drop_the_table,
    ],
)
class TestTheFileIsTakenAway:
    """Everybody is anonymous then, and nobody gets an error."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        folder = tmp_path / "folder"
        folder.mkdir()
        return folder / "sessions.sqlite3"

    def test_while_a_store_has_it_open(self, path: Path, damage: t.Callable[[Path], None]) -> None:
        store = SQLiteStore(path)
        for _ in range(3):
            keys = [write(store) for _ in range(50)]
            damage(path)
            assert_works(store, *keys)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 or "replace" in damage.__name__
        _assert_sound(path)

    def test_while_several_stores_have_it_open(
        self, path: Path, damage: t.Callable[[Path], None]
    ) -> None:
        first, second, third = (SQLiteStore(path) for _ in range(3))
        keys = [write(store) for store in (first, second, third) for _ in range(50)]
        damage(path)
        assert_works(second, *keys)
        new = write(second)
        assert first.get(new) is not None
        first.close()  # nor may the older files' end hurt the new one
        assert_works(third, *keys)
        third.close()
        second.close()
        assert second.get(new) is not None
        _assert_sound(path)

    def test_while_other_processes_write(
        self, path: Path, damage: t.Callable[[Path], None]
    ) -> None:
        if damage is truncate_all:
            pytest.skip("nothing helps who has a memory-mapped file truncated while reading it")
        store = SQLiteStore(path)
        keys = [write(store) for _ in range(50)]

        # What is done in two steps, or to what a writer is writing at that moment, may leave a
        # damaged file. It says so, and is mended by removing it.
        clean = damage not in (truncate, remove_all)
        done = path.parent.with_name("done")

        def keep_writing() -> None:
            while not done.exists():
                with contextlib.suppress(StoreUnavailable):  # in the very moment
                    store.swap(new_key(), None, new_record(bytes(3000), owner="ann"))
            try:
                key = write(store)
                assert key in store.owned_by("ann", time.time())
                assert not any(store.get(key) for key in keys)
            except StoreUnavailable as error:
                if clean or "is damaged" not in str(error):
                    raise

        children = [fork(keep_writing) for _ in range(3)]
        time.sleep(0.1)
        damage(path)
        time.sleep(0.2)
        done.touch()
        for child in children:
            wait(child)
        if not clean:
            remove_all(path)
        assert_works(store, *keys)
        _assert_sound(path)

    def test_during_a_move(self, path: Path, damage: t.Callable[[Path], None]) -> None:
        store = SQLiteStore(path)
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        damage(path)
        assert store.move(key, record, successor(record), new_key(), new_record()) is False
        assert_works(store, key)


@pytest.mark.parametrize(("moment", "is_written"), [(60.0, True), (-1.0, False)])
def test_what_was_read_a_moment_ago_is_replaced_where_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch, moment: float, is_written: bool
) -> None:
    monkeypatch.setattr(_sqlite_database, "_MOMENT", moment)
    store = SQLiteStore(path)
    key = write(store)
    record = store.get(key)
    assert record is not None
    remove_all(path)
    assert store.swap(key, record, successor(record)) is is_written
    assert_works(store, key)
    _assert_sound(path)


def _assert_sound(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
