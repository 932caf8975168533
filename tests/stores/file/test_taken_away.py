"""The folder is taken away while it is used."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.forks import fork
from tests.forks import wait
from tests.stores.file.support import assert_works
from tests.stores.file.support import write


def remove(path: Path) -> None:
    shutil.rmtree(path)


def rename(path: Path) -> None:
    path.rename(path.with_name(f"before {os.urandom(4).hex()}"))


def empty(path: Path) -> None:
    for folder in path.iterdir():
        shutil.rmtree(folder)


def replace_by_another(path: Path) -> None:
    other = FileStore(path.with_name("other"))
    write(other)
    rename(path)
    Path(other.path).rename(path)


@pytest.mark.parametrize("damage", [remove, rename, empty, replace_by_another])
class TestTheFolderIsTakenAway:
    """Everybody is anonymous then, and nobody gets an error."""

    def test_while_a_store_uses_it(
        self, store: FileStore, path: Path, damage: t.Callable[[Path], None]
    ) -> None:
        for _ in range(3):
            keys = [write(store) for _ in range(50)]
            damage(path)
            assert store.get(new_key()) is None
            assert_works(store, *keys)
        assert stat.S_IMODE(path.stat().st_mode) == 0o700

    def test_while_several_stores_use_it(
        self, store: FileStore, path: Path, damage: t.Callable[[Path], None]
    ) -> None:
        others = [FileStore(path) for _ in range(2)]
        keys = [write(one) for one in (store, *others) for _ in range(20)]
        damage(path)
        new = write(others[0])
        for one in (store, *others):
            assert one.get(new) is not None
            assert_works(one, *keys)


def test_the_folder_is_taken_away_while_other_processes_write(store: FileStore, path: Path) -> None:
    keys = [write(store) for _ in range(50)]
    done = path.with_name("done")

    def keep_writing() -> None:
        while not done.exists():
            key, record = new_key(), new_record(bytes(3000), owner="ann")
            assert store.swap(key, None, record)
            store.swap(key, record, successor(record, bytes(5)))
        assert not any(store.get(key) for key in keys)
        assert write(store) in store.owned_by("ann", 0.0)

    children = [fork(keep_writing) for _ in range(3)]
    for _ in range(10):
        time.sleep(0.03)
        with contextlib.suppress(FileNotFoundError):  # nobody has written since
            rename(path)
    done.touch()
    for child in children:
        wait(child)
    assert_works(store, *keys)
