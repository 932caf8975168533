"""Which sessions an owner has: a folder for each owner, with an empty file for each session.

An entry is made before the record and removed after it. So each record has its entry whenever
somebody was killed, or the power was cut: file systems keep the order in which files are made and
removed. What is left over leads to no record, and is found by :meth:`OwnerIndex.entries`.
"""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import hashlib
import os
import re
import typing as t

from sessionkit.errors import StoreUnavailable

from ._file_folder import Folder
from ._file_folder import create
from ._file_folder import is_key
from ._file_folder import is_shard
from ._file_folder import names_in

NAME = "owners"
_TRIES = 100

_is_digest = re.compile(r"[0-9a-f]{64}").fullmatch


class Entry(t.NamedTuple):
    """Where a key is entered, and the key."""

    names: tuple[str, str, str]
    key: str


class OwnerIndex:
    """The index in *folder*. Each key's entries are changed with the lock of its record only."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def add(self, owner: str, key: str) -> None:
        """Enter *key*, if it is not there."""
        names = _names(owner)
        for _ in range(_TRIES):
            # Whoever removes the last entry of an owner also removes the folder.
            with contextlib.suppress(FileNotFoundError):
                with self._folder.open(*names, make=True) as descriptor:
                    with contextlib.suppress(FileExistsError):
                        os.close(create(key, descriptor))
                    if self._folder.durable:
                        os.fsync(descriptor)
                return
        raise StoreUnavailable(f"{self._folder.path} is taken away again and again")

    def discard(self, owner: str, key: str) -> None:
        """Remove *key*, if it is there."""
        self._remove(_names(owner), key)

    def entries_of(self, owner: str) -> list[Entry]:
        """Return the entries of an owner."""
        return self._entries(_names(owner))

    def entries(self) -> cabc.Iterator[Entry]:
        """Yield every entry, with where it is; removes empty folders."""
        for shard in filter(is_shard, self._list((NAME,))):
            for digest in filter(_is_digest, self._list((NAME, shard))):
                names = (NAME, shard, digest)
                entries = self._entries(names)
                if not entries:
                    self._remove_folder(names)
                yield from entries

    def remove(self, entry: Entry) -> None:
        """Remove an entry."""
        self._remove(entry.names, entry.key)

    def _entries(self, names: tuple[str, str, str]) -> list[Entry]:
        return [Entry(names, name) for name in self._list(names) if is_key(name)]

    def _list(self, names: tuple[str, ...]) -> list[str]:
        try:
            with self._folder.open(*names) as descriptor:
                return names_in(descriptor)
        except FileNotFoundError:
            return []

    def _remove(self, names: tuple[str, str, str], key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            with self._folder.open(*names) as descriptor:
                os.unlink(key, dir_fd=descriptor)
            self._remove_folder(names)

    def _remove_folder(self, names: tuple[str, str, str]) -> None:
        with contextlib.suppress(OSError), self._folder.open(*names[:2]) as descriptor:
            os.rmdir(names[2], dir_fd=descriptor)  # says so if it is not empty


def _names(owner: str) -> tuple[str, str, str]:
    digest = hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()
    return NAME, digest[:2], digest
