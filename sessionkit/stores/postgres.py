"""Sessions in PostgreSQL: one row a record, one prepared statement a read or write."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import math
import struct
import time
import typing as t
import urllib.parse
import weakref

import psycopg

from sessionkit.errors import ConfigurationError
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from ._postgres_connection import Connection
from ._postgres_connection import Statement
from ._postgres_connection import Timeout
from ._postgres_connections import Connections
from ._postgres_connections import connections_of
from ._postgres_errors import unavailable
from ._postgres_sql import COMMITS
from ._postgres_sql import Statements
from ._postgres_sql import Table
from ._settings import check_not_negative
from ._settings import check_positive
from ._url import Kinds
from ._url import boolean
from ._url import parameters

if t.TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

Values = list[bytes | None]

_INT8 = struct.Struct(">q")
_FLOAT8 = struct.Struct(">d")

_SWEEP_BATCH = 500
_PAGE = 1000

# Somebody else's change came first: nothing was changed, and whoever looks again sees it. Only
# where a pool or a role has another isolation than READ COMMITTED, and for a move to a taken key.
_OVERTAKEN = ("40001", "40P01", "23505")

_READ_ONLY = "25006"

# Seconds until connections to a server that cannot be written are given up once more.
_LOOK_AGAIN = 1.0


class PostgresStore:
    """Keeps sessions in a table of one PostgreSQL database, 13 or later.

    The table has to be made once, by :meth:`create_schema` or by the SQL of :meth:`schema`. Every
    read and write is one statement in a transaction of its own, on connections of the store's own:
    it never sees, commits or rolls back a transaction of the application.

    Expired records stay until somebody calls :meth:`sweep`; so do the stubs that every login and
    logout leaves for a minute.

    :param source: a URL with libpq's parameters, or a ``psycopg_pool.ConnectionPool``. Of several
        hosts the one that can be written is taken. A pool is borrowed from and stays the caller's:
        it bounds the number of connections, but nothing is prepared or set in them, which makes a
        read and a write slower, and it cannot be used in a process that was forked after it was
        opened.
    :param table: the table, or ``schema.table``. Another one is another store.
    :param margin: seconds that :meth:`sweep` keeps a record beyond its ``expires_at``.
    :param connect_timeout: seconds to wait for a connection, for each address of the host; or for
        one of a pool.
    :param timeout: seconds to wait for an answer. The server gives up a little earlier.
    :param max_idle: connections that are kept open.
    :param prepare: False for PgBouncer and others that give each transaction another connection:
        nothing is prepared or set in a connection then.
    :param synchronous_commit: what PostgreSQL's setting of this name is for every write; None
        leaves it as it is. With ``off`` a write returns before it is on the disk: a crash of the
        server forgets the last half second, except logins, logouts and renewals.
    """

    def __init__(
        self,
        source: object,
        *,
        table: str = "sessionkit_sessions",
        margin: float = EXPIRY_MARGIN,
        connect_timeout: float = 1.0,
        timeout: float = 2.0,
        max_idle: int = 16,
        prepare: bool = True,
        synchronous_commit: str | None = None,
    ) -> None:
        check_not_negative(margin=margin, max_idle=max_idle)
        check_positive(connect_timeout=connect_timeout, timeout=timeout)
        if synchronous_commit is not None and synchronous_commit not in COMMITS:
            raise ConfigurationError(
                f"synchronous_commit cannot be {synchronous_commit!r}, only {', '.join(COMMITS)}"
            )
        self.table = table
        self.margin = margin
        self._table = Table(table)
        self._sql = Statements(self._table, synchronous_commit)
        self._connections: Connections = connections_of(
            source,
            connect_timeout=connect_timeout,
            timeout=timeout,
            max_idle=max_idle,
            prepare=prepare,
        )
        self._next_look = 0.0
        weakref.finalize(self, self._connections.close)

    @classmethod
    def from_url(cls, url: str) -> PostgresStore:
        """Return the store for a URL; its query may hold libpq's parameters besides ours."""
        kinds: Kinds = {
            "table": str,
            "margin": float,
            "connect_timeout": float,
            "timeout": float,
            "max_idle": int,
            "prepare": boolean,
            "synchronous_commit": str,
        }
        if "#" in url:
            raise ConfigurationError("the store URL has a '#'; write it as %23")
        base, _, query = url.partition("?")
        # Not a blank: libpq takes it as it is, and it may stand in a password.
        ours, others = parameters(query.replace("+", "%2B"), kinds)
        libpqs = urllib.parse.urlencode(others, quote_via=urllib.parse.quote)
        return cls(f"{base}?{libpqs}" if libpqs else base, **ours)

    def __repr__(self) -> str:
        return f"<PostgresStore {self._connections.address} table={self.table!r}>"

    @classmethod
    def schema(cls, table: str = "sessionkit_sessions") -> str:
        """Return the SQL of :meth:`create_schema`, for those who migrate by hand."""
        return Table(table).schema

    def create_schema(self) -> None:
        """Make the table and its indexes if they are not there; any process may, at any time.

        :raises StoreUnavailable: also if the user may not create them.
        """
        with self._patient() as connection:
            if _number(connection.execute(self._table.missing, [])):
                connection.run(self._table.create)

    def get(self, key: str, /) -> Record | None:
        result = self._read(self._sql.get, [bytes.fromhex(key)])
        if not result.ntuples:
            return None
        value = result.get_value
        payload, version, expires_at, owner = value(0, 0), value(0, 1), value(0, 2), value(0, 3)
        if payload is None or version is None or expires_at is None:
            return None  # not from us, whose columns cannot be empty
        return Record(
            payload,
            _INT8.unpack(version)[0],
            _FLOAT8.unpack(expires_at)[0],
            None if owner is None else owner.decode(),
        )

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        name = bytes.fromhex(key)
        if expected is None:
            return self._change(self._sql.create, [name, *_pack(record)]) == 1
        version = _INT8.pack(expected.version)
        return self._change(self._sql.replace, [*_pack(record), name, version]) == 1

    def delete(self, key: str, expected: Record, /) -> bool:
        version = _INT8.pack(expected.version)
        return self._change(self._sql.delete, [bytes.fromhex(key), version]) == 1

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        old = bytes.fromhex(old_key), _INT8.pack(expected.version)
        new = bytes.fromhex(new_key), *_pack(record)
        return self._change(self._sql.move, [*_pack(stub), *old, *new]) == 1

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        return _keys(self._read(self._sql.owned, [owner.encode()]))

    def sweep(self, now: float, /, limit: int | None = None) -> int:
        # In batches, so that nobody waits for a row for long.
        removed = 0
        expired = _FLOAT8.pack(now - self.margin)
        looks = math.inf if limit is None else 2 * limit + _SWEEP_BATCH
        while looks > 0 and (limit is None or removed < limit):
            batch = _SWEEP_BATCH if limit is None else min(_SWEEP_BATCH, limit - removed)
            values: Values = [expired, _INT8.pack(batch)]
            put_off = self._change(self._sql.put_off, values)
            swept = self._change(self._sql.sweep, values)
            removed += swept
            looks -= put_off + swept
            if put_off + swept < batch:
                break
        return removed

    def keys(self) -> cabc.Iterator[str]:
        # In pages: an open transaction would keep what was replaced from being vacuumed.
        after = b""
        while page := _keys(self._read(self._sql.page, [after, _INT8.pack(_PAGE)])):
            yield from page
            after = bytes.fromhex(page[-1])

    def count(self, now: float, /) -> int:
        with self._patient() as connection:
            return _number(connection.execute(self._sql.count, [_FLOAT8.pack(now)]))

    def clear(self) -> int:
        with self._patient() as connection:
            return connection.execute(self._sql.clear, []).command_tuples or 0

    def close(self) -> None:
        self._connections.close()

    def _read(self, statement: Statement, values: Values) -> PGresult:
        """Execute a statement that may be executed twice."""
        connections = self._connections
        try:
            connection = connections.idle()
            if connection is not None:
                try:
                    return self._ask(connection, statement, values)
                except Timeout:
                    raise
                except psycopg.Error:
                    if not connection.is_lost():
                        raise
                    # The server was restarted, or ended it; the others will be dead too.
                    connections.close()
            return self._ask(connections.fresh(), statement, values)
        except psycopg.Error as error:
            raise unavailable(error, connections.address, self._table.name) from error

    def _change(self, statement: Statement, values: Values) -> int:
        """Execute a statement that may not be executed twice; return how many rows it changed.

        If it was carried out and the answer got lost, the second one would find its own change and
        report a conflict; the core would then merge, and count twice what is counted.
        """
        connections = self._connections
        try:
            while (connection := connections.idle()) is not None:
                if connection.is_alive():
                    break
                connections.drop(connection)
            else:
                connection = connections.fresh()
            return self._ask(connection, statement, values).command_tuples or 0
        except psycopg.Error as error:
            if error.sqlstate in _OVERTAKEN:
                return 0
            if error.sqlstate is None or (error.sqlstate == _READ_ONLY and self._may_look_again()):
                connections.close()  # behind the same name there may be another server by now
            raise unavailable(error, connections.address, self._table.name) from error

    def _may_look_again(self) -> bool:
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + _LOOK_AGAIN
        return True

    def _ask(self, connection: Connection, statement: Statement, values: Values) -> PGresult:
        try:
            return connection.execute(statement, values)
        finally:
            if connection.is_fit():
                self._connections.give(connection)
            else:
                self._connections.drop(connection)

    @contextlib.contextmanager
    def _patient(self) -> cabc.Generator[Connection, None, None]:
        connections = self._connections
        try:
            connection = connections.patient()
            try:
                yield connection
            finally:
                connections.drop(connection)
        except psycopg.Error as error:
            raise unavailable(error, connections.address, self._table.name) from error


def _pack(record: Record) -> tuple[bytes, bytes, bytes, bytes | None]:
    payload, version, expires_at, owner = record
    packed = _INT8.pack(version), _FLOAT8.pack(expires_at)
    return payload, *packed, None if owner is None else owner.encode()


def _keys(result: PGresult) -> list[str]:
    found = (result.get_value(row, 0) for row in range(result.ntuples))
    return [key.hex() for key in found if key is not None]


def _number(result: PGresult) -> int:
    value = result.get_value(0, 0)
    return 0 if value is None else int(_INT8.unpack(value)[0])
