"""Sessions in an SQLite file: the embedded default, for every worker process of one machine."""

# ruff: noqa: S608 - the name of the table has been checked

from __future__ import annotations

import collections.abc as cabc
import math
import os
import pathlib
import re
import sqlite3
import typing as t
import urllib.parse
import weakref

from sessionkit.errors import ConfigurationError
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from ._settings import check_not_negative
from ._sqlite_database import Database
from ._url import Kinds
from ._url import boolean
from ._url import only_parameters
from ._url import split_url

_SWEEP_BATCH = 500
_PAGE = 1000


class SQLiteStore:
    """Keeps sessions in one SQLite file that all processes of a machine share.

    The file makes itself: with mode 0600, in WAL mode, with its table. If it is removed, emptied or
    replaced while it is in use, the store goes on with what it then finds: everybody is anonymous,
    and what a request is about to write to a session that it has read may go with the file.
    A damaged file, which emptying it in the middle of a write may leave too, is
    :class:`~sessionkit.errors.StoreUnavailable` until it is removed. Not for network file systems,
    where SQLite's locks do not work.

    Expired records stay until somebody calls :meth:`sweep`; so do the stubs that every login and
    logout leaves for a minute.

    :param path: the file, relative to the current directory. Its folder must exist.
    :param table: the table. Another one is another store.
    :param margin: seconds that :meth:`sweep` keeps a record beyond its ``expires_at``.
    :param busy_timeout: seconds to wait for another writer; then it is ``StoreUnavailable``,
        *unreachable*, since whoever comes next would wait as long.
    :param durable: whether every write is flushed to the disk before it is acknowledged. Without it
        a crash of the process loses nothing, but a power cut may lose the last seconds, logouts
        included; it never damages the file.
    :param max_idle: connections that are kept open.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        table: str = "sessionkit_sessions",
        margin: float = EXPIRY_MARGIN,
        busy_timeout: float = 5.0,
        durable: bool = False,
        max_idle: int = 16,
    ) -> None:
        given = os.fspath(path)
        if "\0" in given:
            raise ConfigurationError("SQLiteStore needs the path of a file, which has no NUL in it")
        if given == ":memory:" or not given:
            raise ConfigurationError(
                "SQLiteStore needs a file, since every connection to ':memory:' is a database of "
                "its own; use MemoryStore (memory:) for sessions that live in one process"
            )
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", table):
            raise ConfigurationError(f"{table!r} is no table name: letters, digits, underscores")
        check_not_negative(margin=margin, busy_timeout=busy_timeout, max_idle=max_idle)
        self.path: str = str(pathlib.Path(given).absolute())
        self.table = table
        self.margin = margin
        self.busy_timeout = busy_timeout
        self.durable = durable
        self._sql = _Statements(table)
        self._database = Database(
            self.path,
            self._sql.make,
            busy_timeout=busy_timeout,
            durable=durable,
            max_idle=max_idle,
        )
        self._run = self._database.run
        weakref.finalize(self, self._database.close)

    @classmethod
    def from_url(cls, url: str) -> SQLiteStore:
        """Return the store for ``sqlite:///relative/path`` or ``sqlite:////absolute/path``."""
        parts = split_url(url)
        if parts.netloc or not parts.path.startswith("/"):
            raise ConfigurationError(
                "write sqlite:///relative/path with three slashes, or sqlite:////absolute/path "
                "with four"
            )
        path = urllib.parse.unquote(parts.path[1:])
        if not path:
            raise ConfigurationError("sqlite:/// needs the path of a file; or use memory:")
        kinds: Kinds = {
            "table": str,
            "margin": float,
            "busy_timeout": float,
            "durable": boolean,
            "max_idle": int,
        }
        return cls(path, **only_parameters(parts.query, kinds))

    def __repr__(self) -> str:
        return f"<SQLiteStore {self.path!r} table={self.table!r}>"

    def get(self, key: str, /) -> Record | None:
        row = self._run(_fetch, self._sql.get, (key,))
        if row is None or type(row[0]) is not bytes or type(row[1]) is not int:
            return None  # SQLite lets anybody put anything there; it is no session then
        return Record(*row)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        if expected is None:
            values: tuple[t.Any, ...] = (key, *record, record.expires_at)
            return self._run(_change, self._sql.create, values) == 1
        payload, version, expires_at, owner = record
        if owner == expected.owner and expires_at >= expected.expires_at:
            values = (payload, version, expires_at, key, expected.version, owner, expires_at)
            if self._run(_change, self._sql.prolong, values, goes_on=True):
                return True
        values = (*record, expires_at, key, expected.version)
        return self._run(_change, self._sql.replace, values, goes_on=True) == 1

    def delete(self, key: str, expected: Record, /) -> bool:
        return self._run(_change, self._sql.delete, (key, expected.version)) == 1

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        replace = self._sql.replace, (*stub, stub.expires_at, old_key, expected.version)
        create = self._sql.create, (new_key, *record, record.expires_at)
        return self._run(_change_both, replace, create)

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        return [key for (key,) in self._run(_fetch_all, self._sql.owned, (owner,))]

    def sweep(self, now: float, /, limit: int | None = None) -> int:
        # In batches, so that a request waits for a few milliseconds at most.
        due = now - self.margin
        looks = math.inf if limit is None else 2 * limit + _SWEEP_BATCH
        removed = 0
        while looks > 0 and (limit is None or removed < limit):
            batch = _SWEEP_BATCH if limit is None else min(_SWEEP_BATCH, limit - removed)
            found, put_off = self._run(_sweep, self._sql, due, batch)
            removed += found
            looks -= found + put_off
            if found + put_off < batch:
                break
        return removed

    def keys(self) -> cabc.Iterator[str]:
        # In pages: an open query would keep the log from being written back while it lasts.
        after = ""
        while page := self._run(_fetch_all, self._sql.page, (after, _PAGE)):
            for (key,) in page:
                yield key
            after = page[-1][0]

    def count(self, now: float, /) -> int:
        row = self._run(_fetch, self._sql.count, (now, now, now))
        return 0 if row is None else int(row[0])

    def clear(self) -> int:
        return self._run(_change, self._sql.clear, ())

    def close(self) -> None:
        self._database.close()


class _Statements:
    """The SQL of one table.

    Rows are swept by ``sweep_at``, which is not after ``expires_at`` and stays where it is while a
    session is prolonged.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        columns = "payload, version, expires_at, owner"
        self.get = f"SELECT {columns} FROM {table} WHERE key = ?"
        self.create = (
            f"INSERT INTO {table} (key, {columns}, sweep_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (key) DO NOTHING"
        )
        self.replace = (
            f"UPDATE {table} SET payload = ?, version = ?, expires_at = ?, owner = ?, "
            "sweep_at = ? WHERE key = ? AND version = ?"
        )
        # What most requests want. It changes no index, each of which is a page in the log.
        self.prolong = (
            f"UPDATE {table} SET payload = ?, version = ?, expires_at = ? "
            "WHERE key = ? AND version = ? AND owner IS ? AND sweep_at <= ?"
        )
        self.delete = f"DELETE FROM {table} WHERE key = ? AND version = ?"
        self.owned = f"SELECT key FROM {table} WHERE owner = ?"
        due = f"rowid IN (SELECT rowid FROM {table} WHERE sweep_at < ? ORDER BY sweep_at LIMIT ?)"
        self.put_off = f"UPDATE {table} SET sweep_at = expires_at WHERE {due} AND expires_at >= ?"
        self.sweep = f"DELETE FROM {table} WHERE {due} AND expires_at < ?"
        self.page = f"SELECT key FROM {table} WHERE key > ? ORDER BY key LIMIT ?"
        # Most are counted in the index.
        self.count = (
            f"SELECT (SELECT count(*) FROM {table} WHERE sweep_at > ?) + "
            f"(SELECT count(*) FROM {table} WHERE sweep_at <= ? AND expires_at > ?)"
        )
        self.clear = f"DELETE FROM {table}"

    def make(self, handle: sqlite3.Connection) -> None:
        """Make the table, or bring that of an earlier version up to date."""
        table = self._table
        # The longest comes last: what follows it can only be read through all of it.
        handle.execute(
            f"""CREATE TABLE IF NOT EXISTS {table} (
                key TEXT NOT NULL PRIMARY KEY,
                version INTEGER NOT NULL,
                expires_at REAL NOT NULL,
                sweep_at REAL NOT NULL DEFAULT 0,
                owner TEXT,
                payload BLOB NOT NULL
            )"""
        )
        columns = {row[1] for row in handle.execute(f"PRAGMA table_info({table})")}
        if "sweep_at" not in columns:
            handle.execute(f"ALTER TABLE {table} ADD COLUMN sweep_at REAL NOT NULL DEFAULT 0")
            handle.execute(f"DROP INDEX IF EXISTS {table}_expiry")
        handle.execute(f"CREATE INDEX IF NOT EXISTS {table}_sweep ON {table} (sweep_at)")
        handle.execute(
            f"CREATE INDEX IF NOT EXISTS {table}_owner ON {table} (owner) WHERE owner IS NOT NULL"
        )


def _fetch(handle: sqlite3.Connection, sql: str, values: tuple[t.Any, ...]) -> t.Any:
    return handle.execute(sql, values).fetchone()


def _fetch_all(handle: sqlite3.Connection, sql: str, values: tuple[t.Any, ...]) -> list[t.Any]:
    return handle.execute(sql, values).fetchall()


def _change(handle: sqlite3.Connection, sql: str, values: tuple[t.Any, ...]) -> int:
    return handle.execute(sql, values).rowcount


def _sweep(handle: sqlite3.Connection, sql: _Statements, due: float, batch: int) -> tuple[int, int]:
    """Remove what expired before *due*; return how many, and how many were prolonged meanwhile."""
    put_off = handle.execute(sql.put_off, (due, batch, due)).rowcount
    return handle.execute(sql.sweep, (due, batch, due)).rowcount, put_off


def _change_both(handle: sqlite3.Connection, *changes: tuple[str, tuple[t.Any, ...]]) -> bool:
    """Make these changes, each of one row, or none of them."""
    handle.execute("BEGIN IMMEDIATE")
    for sql, values in changes:
        if handle.execute(sql, values).rowcount != 1:
            handle.execute("ROLLBACK")
            return False
    handle.execute("COMMIT")
    return True
