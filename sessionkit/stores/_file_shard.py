"""The files in one of a store's folders, while its lock is held."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import types

from sessionkit.store import Record

from . import _file_lock
from ._file_folder import READ
from ._file_folder import WRITE
from ._file_folder import create
from ._file_folder import flush
from ._file_index import OwnerIndex
from ._file_record import NOTHING
from ._file_record import Contents
from ._file_record import encode
from ._file_record import fits
from ._file_record import read
from ._file_record import write_first
from ._file_record import write_next

#: What takes the place of another file has this name until it does.
NEW = "new"

# What the system says of a link, a folder, a socket.
_NO_FILE = frozenset({errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO})

#: What :func:`open_file` returns where there is nothing, or something that is no file.
MISSING, FOREIGN = -1, -2


def open_file(name: str, flags: int, folder: int | None = None) -> int:
    """Open a file and return its descriptor, which is not negative."""
    try:
        return os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        if error.errno in _NO_FILE:
            return FOREIGN
        raise


class Shard:
    """Holds the lock of a folder as long as its block is running.

    :param path: the folder.
    :param patience: seconds to wait for others.
    :param durable: whether what is written is flushed to the disk.
    """

    __slots__ = ("_durable", "_folder", "_index", "_path", "_patience")

    def __init__(self, path: str, index: OwnerIndex, *, patience: float, durable: bool) -> None:
        self._path = path
        self._index = index
        self._patience = patience
        self._durable = durable
        self._folder = -1

    def __enter__(self) -> Shard | None:
        """Wait for the lock; returns None if there is no such folder."""
        try:
            self._folder = _file_lock.acquire(self._path, self._patience)
        except FileNotFoundError:
            return None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if self._folder >= 0:
            _file_lock.release(self._folder)

    def has(self, name: str) -> bool:
        """Say whether there is anything under this name."""
        try:
            os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def get(self, key: str) -> Record | None:
        """Return the record of *key*."""
        descriptor = open_file(key, READ, self._folder)
        if descriptor < 0:
            return None
        try:
            return _examine(descriptor, os.fstat(descriptor), key).record
        finally:
            os.close(descriptor)

    def swap(self, key: str, expected: Record | None, record: Record) -> bool:
        """Replace the record of *key* if its version is that of *expected*.

        :raises FileNotFoundError: the folder is no more.
        """
        descriptor = open_file(key, WRITE, self._folder)
        if descriptor < 0:
            if expected is not None:
                return False
            if descriptor == MISSING:
                self._create(key, record)
            else:
                self._replace(key, None, record)
            return True
        try:
            status = os.fstat(descriptor)
            found = _examine(descriptor, status, key)
            before = found.record
            if before is None or expected is None:
                if before is not expected:
                    return False
            elif before.version != expected.version:
                return False
            # Else others may read it, or it has another name, such as that of a backup.
            intact = stat.S_IMODE(status.st_mode) == 0o600 and status.st_nlink == 1
            # A new owner needs a new file: file systems may write what is in a file later than the
            # changes to the index, but not the file's name.
            if intact and before is not None and before.owner == record.owner:
                slot = encode(key, record, found.number + 1)
                if fits(slot, found.capacity):
                    write_next(descriptor, slot, found)
                    if self._durable:
                        flush(descriptor)
                    return True
        finally:
            os.close(descriptor)
        self._replace(key, before, record)
        return True

    def delete(self, key: str, expected: Record) -> bool:
        """Remove the record of *key* if its version is that of *expected*."""
        found = self.get(key)
        if found is None or found.version != expected.version:
            return False
        self._remove(key, found.owner)
        return True

    def sweep(self, key: str, due: float) -> bool:
        """Remove the record of *key* if it expired before *due*; say whether it was removed.

        What is no record goes if it was written before *due*, and does not count.
        """
        found = self.get(key)
        if found is None:
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(key, dir_fd=self._folder, follow_symlinks=False)
                if status.st_mtime < due and not stat.S_ISDIR(status.st_mode):
                    os.unlink(key, dir_fd=self._folder)
            return False
        if found.expires_at >= due:
            return False
        self._remove(key, found.owner)
        return True

    def tidy(self) -> None:
        """Remove what somebody left who was killed."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(NEW, dir_fd=self._folder)

    def _create(self, key: str, record: Record) -> None:
        try:
            if record.owner is not None:
                self._index.add(record.owner, key)
            self._write(key, record)
        except BaseException:
            self._remove(key, record.owner)
            raise
        self._flush()

    def _replace(self, key: str, before: Record | None, record: Record) -> None:
        owner = None if before is None else before.owner
        if record.owner is not None and record.owner != owner:
            self._index.add(record.owner, key)
        self.tidy()
        try:
            self._write(NEW, record, key, safe=True)
            os.rename(NEW, key, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except BaseException:
            self.tidy()
            raise
        self._flush()
        if owner is not None and record.owner != owner:
            self._index.discard(owner, key)

    def _write(self, name: str, record: Record, key: str = "", *, safe: bool = False) -> None:
        descriptor = create(name, self._folder)
        try:
            write_first(descriptor, encode(key or name, record, 1))
            if safe or self._durable:
                flush(descriptor)
        finally:
            os.close(descriptor)

    def _remove(self, key: str, owner: str | None) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(key, dir_fd=self._folder)
            self._flush()
        if owner is not None:
            self._index.discard(owner, key)

    def _flush(self) -> None:
        if self._durable:
            os.fsync(self._folder)


def _examine(descriptor: int, status: os.stat_result, key: str) -> Contents:
    if not stat.S_ISREG(status.st_mode):
        return NOTHING
    return read(descriptor, key, locked=True)
