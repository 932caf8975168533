"""What can go wrong with an SQLite file, each as a context in which it does."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.stores.sqlite import SQLiteStore

_LOCKER = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], isolation_level=None).execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""
_NOBODY = 65534
_BLOCK = 64 * 1024


class Scene(t.NamedTuple):
    """A store, that of another worker, their file, and a folder of that file alone."""

    store: SQLiteStore
    other_worker: SQLiteStore
    folder: Path
    path: Path


Trouble = cabc.Callable[[Scene], contextlib.AbstractContextManager[object]]


@contextlib.contextmanager
def unprivileged() -> cabc.Generator[None, None, None]:
    """Do without root's right to read and write everything."""
    if os.geteuid() != 0:
        yield
        return

    os.seteuid(_NOBODY)

    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def locked_by_another_process(scene: Scene) -> cabc.Generator[None, None, None]:
    command = [sys.executable, "-c", _LOCKER, str(scene.path)]

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"

        try:
            yield
        finally:
            other.communicate()


@contextlib.contextmanager
def disk_full(scene: Scene) -> cabc.Generator[None, None, None]:
    with disk_nearly_full(scene):
        _use_up(scene.store)
        yield


@contextlib.contextmanager
def disk_nearly_full(scene: Scene) -> cabc.Generator[None, None, None]:
    """There is room in the files that are there, but for small writes only."""
    ballast = scene.folder.parent / "ballast"

    with ballast.open("wb", buffering=0) as file:
        for size in (_BLOCK, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass

    try:
        yield
    finally:
        ballast.unlink()


@contextlib.contextmanager
def file_may_not_grow(scene: Scene) -> cabc.Generator[None, None, None]:
    """As with a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in scene.folder.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))

    try:
        _use_up(scene.store)
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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
        os.chown(scene.path, _NOBODY, -1)

    path.chmod(mode)

    try:
        yield
    finally:
        path.chmod(before)
        scene.store.close()


@contextlib.contextmanager
def small_disk() -> cabc.Generator[Path, None, None]:
    """A small disk; the test is skipped where none can be mounted."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a disk; see file_may_not_grow")

    with own_folder() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=777", "tmpfs", str(folder)]

        if subprocess.run(command, check=False, capture_output=True).returncode != 0:
            pytest.skip("this root may not mount a disk; see file_may_not_grow")

        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.contextmanager
def own_folder() -> cabc.Generator[Path, None, None]:
    """A folder that the unprivileged can reach too; pytest's are closed to others."""
    folder = Path(tempfile.mkdtemp())

    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, -1)

    try:
        yield folder
    finally:
        shutil.rmtree(folder)


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
