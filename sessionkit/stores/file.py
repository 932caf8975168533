"""Sessions in files, one each: for every worker process of one machine, with nothing to install."""

from __future__ import annotations

import bisect
import collections.abc as cabc
import contextlib
import math
import os
import pathlib
import types
import urllib.parse

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from . import _file_lock
from ._file_folder import READ
from ._file_folder import Folder
from ._file_folder import is_key
from ._file_folder import names_in
from ._file_index import Entry
from ._file_index import OwnerIndex
from ._file_record import NOTHING
from ._file_record import Contents
from ._file_record import read
from ._file_shard import MISSING
from ._file_shard import Shard
from ._file_shard import open_file
from ._settings import check_not_negative
from ._url import Kinds
from ._url import boolean
from ._url import only_parameters
from ._url import split_url

_TRIES = 10
# How many files are removed while a lock is held.
_BATCH = 100
# How many a sweep with a limit looks at, beside two for each that it may remove.
_LOOKS = 500
_GONE = Record(b"", 0, -math.inf)


class FileStore:
    """Keeps each session in a file of its own, in a folder that all processes of a machine share.

    The folder makes itself, for this user alone, and is refused if others can write to it. Readers
    take no lock; writers take that of one of 256 folders. Whoever is killed at whatever moment
    leaves the old record or the new one. A file that is not whole, or is not ours, is no session.
    If the folder is removed or replaced while it is in use, the store goes on with what it then
    finds: everybody is anonymous. Not for network file systems, and not for Windows.

    Expired records stay until somebody calls :meth:`sweep`. That reads every file; with a limit it
    goes on where the last one stopped, and looks at so few that a request can wait for it.

    :param path: the folder, relative to the current directory. The folder that it is in must exist.
    :param margin: seconds that :meth:`sweep` keeps a record beyond its ``expires_at``.
    :param busy_timeout: seconds to wait for another writer; then it is ``StoreUnavailable``,
        *unreachable*, since whoever comes next would wait as long.
    :param durable: whether every write is flushed to the disk before it is acknowledged. Without it
        a crash of the process loses nothing, but a power cut may lose the last seconds, logouts
        included.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        margin: float = EXPIRY_MARGIN,
        busy_timeout: float = 5.0,
        durable: bool = False,
    ) -> None:
        if not _file_lock.available():
            raise ConfigurationError(
                "FileStore needs the file locks of a POSIX system, which this one does not have; "
                "use SQLiteStore (sqlite:///sessions.sqlite3), which is one file too"
            )
        given = os.fspath(path)
        if not given or "\0" in given:
            raise ConfigurationError("FileStore needs the path of a folder")
        check_not_negative(margin=margin, busy_timeout=busy_timeout)
        self.path: str = str(pathlib.Path(given).absolute())
        self.margin = margin
        self.busy_timeout = busy_timeout
        self.durable = durable
        self._folder = Folder(self.path, durable=durable)
        self._index = OwnerIndex(self._folder)
        self._trouble = _Trouble(self.path)
        # The key at which the last sweep with a limit stopped; at first any, since other processes
        # sweep too.
        self._swept = os.urandom(1).hex()

    @classmethod
    def from_url(cls, url: str) -> FileStore:
        """Return the store for ``file:///relative/folder`` or ``file:////absolute/folder``."""
        parts = split_url(url)
        if not url.partition(":")[2].startswith("///"):
            raise ConfigurationError(
                "write file:///relative/folder with three slashes, or file:////absolute/folder "
                "with four"
            )
        path = urllib.parse.unquote(parts.path[1:])
        if not path:
            raise ConfigurationError("file:/// needs the path of a folder")
        kinds: Kinds = {"margin": float, "busy_timeout": float, "durable": boolean}
        return cls(path, **only_parameters(parts.query, kinds))

    def __repr__(self) -> str:
        return f"<FileStore {self.path!r}>"

    def get(self, key: str, /) -> Record | None:
        try:
            found = self._look(key)
            if found is None:
                return None
            if found.settled:
                return found.record
            # Somebody is writing it, or was killed while writing it.
            with self._shard(key) as shard:
                return None if shard is None else shard.get(key)
        except OSError as error:
            raise _unavailable(self.path, error) from error

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        with self._trouble:
            for _ in range(_TRIES):
                # It fails if the folder is taken away meanwhile.
                with contextlib.suppress(FileNotFoundError):
                    if expected is None:
                        self._folder.make(_shard_of(key))
                    with self._shard(key) as shard:
                        if shard is not None:
                            return shard.swap(key, expected, record)
                if expected is not None:
                    return False
            raise StoreUnavailable(f"{self.path} is taken away again and again")

    def delete(self, key: str, expected: Record, /) -> bool:
        with self._trouble, self._shard(key) as shard:
            return shard is not None and shard.delete(key, expected)

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        with self._trouble:
            self._folder.check()
            return [entry.key for entry in self._index.entries_of(owner) if self._is_live(entry)]

    def sweep(self, now: float, /, limit: int | None = None) -> int:
        due = now - self.margin
        with self._trouble:
            return self._sweep_all(due) if limit is None else self._sweep_some(due, limit)

    def keys(self) -> cabc.Iterator[str]:
        with self._trouble:
            for name in self._folder.shards():
                for key in self._names(name):
                    if self.get(key) is not None:
                        yield key

    def count(self, now: float, /) -> int:
        with self._trouble:
            keys = (key for name in self._folder.shards() for key in self._names(name))
            return sum((self.get(key) or _GONE).expires_at > now for key in keys)

    def clear(self) -> int:
        with self._trouble:
            return self._sweep_all(math.inf)

    def _shard(self, key: str) -> Shard:
        return self._shard_named(_shard_of(key))

    def _shard_named(self, name: str) -> Shard:
        self._folder.has(name)
        return Shard(
            f"{self.path}/{name}", self._index, patience=self.busy_timeout, durable=self.durable
        )

    def _look(self, key: str) -> Contents | None:
        """Read a file without a lock; None if there is none."""
        name = _shard_of(key)
        if not self._folder.has(name):
            return None
        descriptor = open_file(f"{self.path}/{name}/{key}", READ)
        if descriptor < 0:
            return None if descriptor == MISSING else NOTHING
        try:
            return read(descriptor, key, locked=False)
        except IsADirectoryError:
            return NOTHING
        finally:
            os.close(descriptor)

    def _names(self, name: str) -> list[str]:
        """Return the keys of the files in one of the folders, whatever they are."""
        with contextlib.suppress(FileNotFoundError), self._folder.open(name) as descriptor:
            return [key for key in names_in(descriptor) if key.startswith(name) and is_key(key)]
        return []

    def _sweep_all(self, due: float) -> int:
        removed = 0
        for name in self._folder.shards():
            names = self._names(name)
            with self._shard_named(name) as shard:
                if shard is not None:
                    shard.tidy()
            while batch := names[-_BATCH:]:
                del names[-_BATCH:]
                removed += self._sweep(batch, due)
        for entry in self._index.entries():
            self._is_live(entry)
        return removed

    def _sweep_some(self, due: float, limit: int) -> int:
        """Go on where the last one stopped, and look at so many files that nobody waits for it."""
        shards = self._folder.shards()
        last = self._swept
        begun = bisect.bisect_left(shards, last[:2])
        removed, looks = 0, limit * 2 + _LOOKS
        # The folder that it is in the middle of comes first, and last what was left out then.
        for turn, name in enumerate(shards[begun:] + shards[: begun + 1]):
            names = sorted(self._names(name))
            if name == last[:2]:
                middle = bisect.bisect_right(names, last)
                names = names[:middle] if turn else names[middle:]
            while names and looks > 0 and removed < limit:
                batch = names[: min(_BATCH, looks, limit - removed)]
                del names[: len(batch)]
                removed += self._sweep(batch, due)
                looks -= len(batch)
                self._swept = batch[-1]
            if looks <= 0 or removed >= limit:
                break
        return removed

    def _sweep(self, keys: cabc.Iterable[str], due: float) -> int:
        """Sweep some files of one folder: so many that nobody waits long for its lock."""
        due_keys = [key for key in keys if self._is_due(key, due)]
        if not due_keys:
            return 0
        with self._shard(due_keys[0]) as shard:
            return 0 if shard is None else sum(shard.sweep(key, due) for key in due_keys)

    def _is_due(self, key: str, due: float) -> bool:
        found = self._look(key)
        return found is not None and (found.record is None or found.record.expires_at < due)

    def _is_live(self, entry: Entry) -> bool:
        """Say whether an entry of the index leads to a file; removes it if not."""
        name = _shard_of(entry.key)
        if self._folder.has(name) and os.path.lexists(f"{self.path}/{name}/{entry.key}"):
            return True
        self._folder.make(name)
        with self._shard(entry.key) as shard:
            if shard is None or shard.has(entry.key):
                return True
            self._index.remove(entry)
        return False


def _shard_of(key: str) -> str:
    """Return the name of the folder that *key* is in."""
    if len(key) != 64 or not key.isalnum():
        raise ValueError("a key has 64 hexadecimal characters")  # and is nobody's path
    return key[:2]


class _Trouble:
    """A block in which what the system says becomes StoreUnavailable."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            raise _unavailable(self._path, error) from error


def _unavailable(path: str, error: OSError) -> StoreUnavailable:
    # Without the names of files, which are keys: also of what has led to it.
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError):
            del found.filename, found.filename2
        found = found.__cause__ or found.__context__
    return StoreUnavailable(f"{path}: {error.strerror}")
