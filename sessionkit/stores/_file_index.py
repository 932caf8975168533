"""Which sessions an owner has: an empty file for each, named by the owner's digest and the key.

An entry is made before the record and removed after it. So each record has its entry whoever was
killed, and also after a power cut: file systems keep the order in which files are made and removed.
What is left over leads to no record.

They are in 4096 folders, so that a million take no longer to list than a hundred. A folder for each
owner would take ten times as long to make.
"""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import hashlib
import os
import re

from ._file_folder import Folder
from ._file_folder import create
from ._file_folder import names_in

NAME = "owners"

_is_part = re.compile(r"[0-9a-f]{3}").fullmatch
_is_entry = re.compile(r"[0-9a-f]{64}[0-9a-fA-F]{64}").fullmatch


# Every system reads so many names from a folder in one step, and more in several.
_AT_ONCE = 10


class Entry(str):
    """The name of the file: the owner's digest and the key."""

    __slots__ = ()

    @property
    def key(self) -> str:
        """Return the key."""
        return self[64:]


class OwnerIndex:
    """The index in *folder*. Each key's entries are changed with the lock of its record only."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def add(self, owner: str, key: str) -> None:
        """Enter *key*, if it is not there.

        :raises FileNotFoundError: the store's folder has been taken away meanwhile.
        """
        name = _digest(owner) + key
        with self._folder.open(NAME, name[:3], make=True) as descriptor:
            with contextlib.suppress(FileExistsError):
                os.close(create(name, descriptor))
            if self._folder.durable:
                os.fsync(descriptor)

    def discard(self, owner: str, key: str) -> None:
        """Remove *key*, if it is there."""
        self.remove(Entry(_digest(owner) + key))

    def entries_of(self, owner: str) -> list[Entry]:
        """Return the entries of an owner."""
        digest = _digest(owner)
        found = self._entries(digest[:3])
        if len(found) > _AT_ONCE:
            # A session that was renewed meanwhile is missed if its new entry was made among those
            # that were read already, and its old one removed from those that were not.
            found = list(dict.fromkeys(found + self._entries(digest[:3])))
        return [entry for entry in found if entry.startswith(digest)]

    def entries(self) -> cabc.Iterator[Entry]:
        """Yield every entry."""
        for part in filter(_is_part, self._list(NAME)):
            yield from self._entries(part)

    def remove(self, entry: Entry) -> None:
        """Remove an entry, if it is there."""
        with (
            contextlib.suppress(FileNotFoundError),
            self._folder.open(NAME, entry[:3]) as descriptor,
        ):
            os.unlink(entry, dir_fd=descriptor)

    def _entries(self, part: str) -> list[Entry]:
        return [Entry(name) for name in self._list(NAME, part) if _is_entry(name)]

    def _list(self, *names: str) -> list[str]:
        try:
            with self._folder.open(*names) as descriptor:
                return names_in(descriptor)
        except FileNotFoundError:
            return []


def _digest(owner: str) -> str:
    return hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()
