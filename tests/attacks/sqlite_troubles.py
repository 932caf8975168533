"""What can go wrong with an SQLite file, each as a context in which it does."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import time
import typing as t
from pathlib import Path

from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.stores.sqlite import SQLiteStore
from tests.privileges import NOBODY
from tests.privileges import unprivileged

from . import disk_troubles

_LOCKER = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], isolation_level=None).execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


class Scene(t.NamedTuple):
    """A store, that of another worker, their file, and a folder of that file alone."""

    store: SQLiteStore
    other_worker: SQLiteStore
    folder: Path
    path: Path


Trouble = cabc.Callable[[Scene], contextlib.AbstractContextManager[object]]


def locked_by_another_process(scene: Scene) -> contextlib.AbstractContextManager[None]:
    return disk_troubles.locked_by(_LOCKER, scene.path)


@contextlib.contextmanager
def disk_full(scene: Scene) -> cabc.Generator[None, None, None]:
    with disk_nearly_full(scene):
        _use_up(scene.store)
        yield


def disk_nearly_full(scene: Scene) -> contextlib.AbstractContextManager[None]:
    """There is room in the files that are there, but for small writes only."""
    return disk_troubles.filled_up(scene.folder.parent)


@contextlib.contextmanager
def file_may_not_grow(scene: Scene) -> cabc.Generator[None, None, None]:
    """As with a quota."""
    largest = max(file.stat().st_size for file in scene.folder.iterdir())

    with disk_troubles.files_of_at_most(largest):
        _use_up(scene.store)
        yield


def _use_up(store: SQLiteStore) -> None:
    """Use up what is left in files that cannot grow."""
    for size in (20_000, 10):
        with contextlib.suppress(StoreUnavailable):
            while True:
                store.swap(os.urandom(32).hex(), None, Record(bytes(size), 1, time.time()))


@contextlib.contextmanager
def read_only_file(scene: Scene) -> cabc.Generator[None, None, None]:
    with _mode(scene, scene.path, 0o400), unprivileged():
        yield


@contextlib.contextmanager
def unreadable_file(scene: Scene) -> cabc.Generator[None, None, None]:
    with _mode(scene, scene.path, 0o000), unprivileged():
        yield


@contextlib.contextmanager
def unreadable_folder(scene: Scene) -> cabc.Generator[None, None, None]:
    with _mode(scene, scene.folder, 0o000), unprivileged():
        yield


@contextlib.contextmanager
def folder_gone(scene: Scene) -> cabc.Generator[None, None, None]:
    away = scene.folder.with_suffix(".away")
    scene.folder.rename(away)

    try:
        yield
    finally:
        away.rename(scene.folder)


@contextlib.contextmanager
def _mode(scene: Scene, path: Path, mode: int) -> cabc.Generator[None, None, None]:
    before = path.stat().st_mode

    # A file that is open stays readable; a worker that starts now finds it closed.
    scene.store.close()

    if os.geteuid() == 0:
        os.chown(scene.path, NOBODY, -1)

    path.chmod(mode)

    try:
        yield
    finally:
        path.chmod(before)
        scene.store.close()


#: Nothing can be read or written.
EVERYTHING: tuple[Trouble, ...] = (
    unreadable_file,
    unreadable_folder,
    folder_gone,
    # SQLite keeps a file beside it that readers write to.
    read_only_file,
)

#: What is there can be read.
READ_ONLY: tuple[Trouble, ...] = (locked_by_another_process, disk_full, file_may_not_grow)
