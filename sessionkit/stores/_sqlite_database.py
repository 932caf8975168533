"""Connections to an SQLite file that may be taken away and that others write to."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import math
import os
import pathlib
import sqlite3
import time
import typing as t

from sessionkit.errors import StoreUnavailable

from ._freelist import FreeList
from ._sqlite_file import Identity
from ._sqlite_file import companions
from ._sqlite_file import folder_lock
from ._sqlite_file import identity
from ._sqlite_file import make_file

T = t.TypeVar("T")

# Seconds for which a file that was found need not be looked for again by who goes on with it.
_MOMENT = 0.01


class Database:
    """The file *path*.

    :param make_tables: makes what is missing in it.
    """

    def __init__(
        self,
        path: str,
        make_tables: cabc.Callable[[sqlite3.Connection], object],
        *,
        busy_timeout: float,
        durable: bool,
        max_idle: int,
    ) -> None:
        self._path = path
        self._make_tables = make_tables
        self._busy_timeout = busy_timeout
        self._synchronous = "FULL" if durable else "NORMAL"
        self._ready: Identity | None = None
        self._connections = FreeList(
            self._connect, _Connection.close, max_idle=max_idle, empty_before_fork=True
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.drain()

    def run(self, work: cabc.Callable[..., T], *arguments: t.Any, goes_on: bool = False) -> T:
        """Return ``work(sqlite3_connection, *arguments)``.

        If it fails because the file has become another one, it is done once more on that: whatever
        it did the first time, it did to a file that is gone.

        :param goes_on: whether it changes what was read a moment ago, from the same file: whether
            that is still the one under this path needs no second look then.
        """
        for is_last in (False, True):
            connection = self._take(goes_on)
            try:
                result = work(connection.handle, *arguments)
            except BaseException as error:
                self._connections.drop(connection)
                if not isinstance(error, sqlite3.Error):
                    raise
                if is_last or not self._is_gone(connection, error):
                    raise self._unavailable(error) from error
                self._ready = None
            else:
                self._connections.give(connection)
                return result
        raise AssertionError

    def _take(self, goes_on: bool) -> _Connection:
        connection = self._connections.idle()
        now = time.monotonic()
        if connection is not None and goes_on and now - connection.found_at < _MOMENT:
            return connection
        current = identity(self._path)
        if connection is not None and connection.identity == current is not None:
            connection.found_at = now
            return connection
        try:
            return self._search(connection, current)
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        except OSError as error:
            raise StoreUnavailable(
                f"cannot make {self._path} ({error.strerror})", unreachable=True
            ) from error

    def _search(self, connection: _Connection | None, current: Identity | None) -> _Connection:
        """Find or make another connection than this one, to the file that is there now."""
        stale: list[_Connection] = []
        try:
            while connection is not None:
                stale.append(connection)
                connection = self._connections.idle()
                if connection is not None and connection.identity == current is not None:
                    return connection
            for _ in range(3):
                if current is None or current != self._ready:
                    self._prepare(stale)
                connection = self._connections.new()
                current = identity(self._path)
                if connection.identity == current is not None:
                    return connection
                stale.append(connection)
        finally:
            # Not before the file has been made again: see make_file.
            for connection in stale:
                self._connections.drop(connection)
        raise StoreUnavailable(f"{self._path} is taken away again and again", unreachable=True)

    def _prepare(self, stale: cabc.Collection[_Connection]) -> None:
        path = os.path.realpath(self._path)
        with folder_lock(path, self._busy_timeout):
            current = identity(path)
            make_file(path, [old.companions for old in stale if old.identity != current])
            connection = self._connections.new()
            try:
                connection.handle.execute("PRAGMA journal_mode = WAL")
                self._make_tables(connection.handle)
                self._ready = identity(path)
            finally:
                self._connections.drop(connection)

    def _connect(self) -> _Connection:
        path = os.path.realpath(self._path)
        before = identity(path)
        # mode=rw: SQLite itself would make the file readable by everybody.
        handle = sqlite3.connect(
            f"{pathlib.Path(path).as_uri()}?mode=rw",
            uri=True,
            timeout=self._busy_timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            handle.execute(f"PRAGMA synchronous = {self._synchronous}")
            handle.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # opens the log too
        except BaseException:
            handle.close()
            raise
        found = identity(path)
        return _Connection(handle, found if found == before else None, companions(path))

    def _is_gone(self, connection: _Connection, error: sqlite3.Error) -> bool:
        return connection.identity != identity(self._path) or str(error).startswith("no such table")

    def _unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        text = str(error)  # its code is not known before Python 3.11
        if "is locked" in text or "locking protocol" in text:
            # Counts as a time-out: whoever comes next would wait as long.
            return StoreUnavailable(
                f"{self._path}: other writers did not let us in for {self._busy_timeout:g} s "
                f"({text})",
                unreachable=True,
            )
        if text.startswith("unable to open"):
            return StoreUnavailable(f"cannot open {self._path} ({text})", unreachable=True)
        if "malformed" in text or "not a database" in text:
            return StoreUnavailable(
                f"{self._path} is damaged ({text}); remove it and its -wal and -shm files, which "
                "ends all sessions, or put a backup in their place"
            )
        return StoreUnavailable(f"{self._path}: {text}")


class _Connection:
    """A connection, and which files it is a connection to."""

    def __init__(
        self,
        handle: sqlite3.Connection,
        identity: Identity | None,
        companions: dict[str, Identity],
    ) -> None:
        self.handle = handle
        self.identity = identity
        self.companions = companions
        #: By the monotonic clock, when the file was last found under its path.
        self.found_at = -math.inf

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # the next one is a new connection anyhow
            self.handle.close()
