"""What can go wrong with a folder of files, each as a context in which it does."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import typing as t
from pathlib import Path

from sessionkit.stores.file import FileStore
from tests.privileges import NOBODY
from tests.privileges import unprivileged

from . import disk_troubles

_LOCKER = """
import fcntl, os, sys
for name in range(256):
    folder = f"{sys.argv[1]}/{name:02x}"
    os.makedirs(folder, 0o700, exist_ok=True)
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


class Scene(t.NamedTuple):
    """A store, and its folder."""

    store: FileStore
    folder: Path


Trouble = cabc.Callable[[Scene], contextlib.AbstractContextManager[object]]


def locked_by_another_process(scene: Scene) -> contextlib.AbstractContextManager[None]:
    return disk_troubles.locked_by(_LOCKER, scene.folder)


def disk_full(scene: Scene) -> contextlib.AbstractContextManager[None]:
    return disk_troubles.filled_up(scene.folder.parent)


def file_may_not_grow(scene: Scene) -> contextlib.AbstractContextManager[None]:
    """As with a quota."""
    return disk_troubles.files_of_at_most(1024)


@contextlib.contextmanager
def read_only(scene: Scene) -> cabc.Generator[None, None, None]:
    with _modes(scene, 0o500, 0o500, 0o400), unprivileged():
        yield


@contextlib.contextmanager
def unreadable_folder(scene: Scene) -> cabc.Generator[None, None, None]:
    with _modes(scene, 0o000, 0o700, 0o600), unprivileged():
        yield


@contextlib.contextmanager
def unreadable_folders_in_it(scene: Scene) -> cabc.Generator[None, None, None]:
    with _modes(scene, 0o700, 0o000, 0o600), unprivileged():
        yield


@contextlib.contextmanager
def folder_of_somebody_else(scene: Scene) -> cabc.Generator[None, None, None]:
    """Only root can give it away; for others it is one that anybody can write to."""
    if os.geteuid() == 0:
        os.chown(scene.folder, NOBODY, -1)
    else:
        scene.folder.chmod(0o777)

    try:
        yield
    finally:
        if os.geteuid() == 0:
            os.chown(scene.folder, 0, -1)
        else:
            scene.folder.chmod(0o700)


@contextlib.contextmanager
def folder_that_anybody_can_write_to(scene: Scene) -> cabc.Generator[None, None, None]:
    scene.folder.chmod(0o777)

    try:
        yield
    finally:
        scene.folder.chmod(0o700)


@contextlib.contextmanager
def link_in_place_of_the_folder(scene: Scene) -> cabc.Generator[None, None, None]:
    away = scene.folder.with_suffix(".away")
    scene.folder.rename(away)
    scene.folder.symlink_to(away)

    try:
        yield
    finally:
        scene.folder.unlink()
        away.rename(scene.folder)


@contextlib.contextmanager
def disk_not_mounted(scene: Scene) -> cabc.Generator[None, None, None]:
    """The folder that ours is in is missing."""
    parent = scene.folder.parent
    away = parent.with_suffix(".away")
    parent.rename(away)

    try:
        yield
    finally:
        away.rename(parent)


@contextlib.contextmanager
def _modes(scene: Scene, top: int, folder: int, file: int) -> cabc.Generator[None, None, None]:
    everything = [scene.folder, *scene.folder.rglob("*")]
    before = {path: path.stat().st_mode for path in everything}
    user = os.geteuid()

    for path in reversed(everything):
        path.chmod(top if path == scene.folder else folder if path.is_dir() else file)

        if user == 0:
            os.chown(path, NOBODY, -1)

    try:
        yield
    finally:
        for path in everything:
            if user == 0:
                os.chown(path, user, -1)

            path.chmod(before[path])


#: Nothing can be read or written.
EVERYTHING: tuple[Trouble, ...] = (
    unreadable_folder,
    unreadable_folders_in_it,
    folder_of_somebody_else,
    folder_that_anybody_can_write_to,
    link_in_place_of_the_folder,
    disk_not_mounted,
)

#: What is there can be read.
READ_ONLY: tuple[Trouble, ...] = (
    locked_by_another_process,
    disk_full,
    file_may_not_grow,
    read_only,
)
