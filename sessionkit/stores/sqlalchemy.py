"""Sessions in any database that SQLAlchemy speaks to: MariaDB, MySQL and others."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
import urllib.parse

from sqlalchemy.exc import IntegrityError

from sessionkit.errors import StoreUnavailable
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from ._settings import check_not_negative
from ._settings import check_positive
from ._sqlalchemy_connections import Connections
from ._sqlalchemy_connections import Session
from ._sqlalchemy_engine import engine_of
from ._sqlalchemy_table import Table
from ._url import Kinds
from ._url import parameters
from ._url import split_url

if t.TYPE_CHECKING:
    from sqlalchemy import Executable

    from ._sqlalchemy_connections import Values

_BATCH = 500
_PAGE = 1000

# How often the making of the table is tried while others make it too.
_ATTEMPTS = 5


class SQLAlchemyStore:
    """Keeps sessions in a table of any database that SQLAlchemy 2 speaks to.

    For MariaDB 10.6, MySQL 8 or later with ``pymysql``, and for what has no store of its own here.
    The table has to be made once, by :meth:`create_schema` or by the SQL of :meth:`schema`. Every
    read and write is one statement in a transaction of its own, on connections of the store's own:
    it never sees, commits or rolls back a transaction of the application.

    Expired records stay until somebody calls :meth:`sweep`; so do the stubs that every login and
    logout leaves for a minute.

    :param source: SQLAlchemy's URL, or an ``Engine``. Of an engine everything but its pool is
        taken: what it connects to and how, its events for connecting among it.
    :param table: the table. Another one is another store.
    :param margin: seconds that :meth:`sweep` keeps a record beyond its ``expires_at``.
    :param connect_timeout: seconds to wait for a connection.
    :param timeout: seconds to wait for an answer; the server gives up a little earlier. Both hold
        for ``pymysql``, ``psycopg`` (2 seconds at least for connecting) and ``sqlite3``; other
        drivers, and those of an engine, have arguments of their own.
    :param max_idle: connections that are kept open.
    """

    def __init__(
        self,
        source: object,
        *,
        table: str = "sessionkit_sessions",
        margin: float = EXPIRY_MARGIN,
        connect_timeout: float = 2.0,
        timeout: float = 2.0,
        max_idle: int = 16,
    ) -> None:
        check_not_negative(margin=margin, max_idle=max_idle)
        check_positive(connect_timeout=connect_timeout, timeout=timeout)
        self.table = table
        self.margin = margin
        self._sql = Table(table)
        engine = engine_of(source, connect_timeout=connect_timeout, timeout=timeout)
        self._connections = Connections(engine, table, max_idle=max_idle)
        self._read = self._connections.read
        self._write = self._connections.write

    @classmethod
    def from_url(cls, url: str) -> SQLAlchemyStore:
        """Return the store for ``sqlalchemy+`` and SQLAlchemy's URL; its query may hold our
        parameters besides the driver's."""
        kinds: Kinds = {
            "table": str,
            "margin": float,
            "connect_timeout": float,
            "timeout": float,
            "max_idle": int,
        }
        ours, others = parameters(split_url(url).query, kinds)
        base = url.partition("?")[0].partition("+")[2]
        drivers = urllib.parse.urlencode(others)
        return cls(f"{base}?{drivers}" if drivers else base, **ours)

    def __repr__(self) -> str:
        return f"<SQLAlchemyStore {self._connections.address} table={self.table!r}>"

    def schema(self) -> str:
        """Return the SQL of :meth:`create_schema`, for those who migrate by hand."""
        return self._sql.schema(self._connections.engine.dialect)

    def create_schema(self) -> None:
        """Make the table and its indexes if they are not there; any process may, at any time.

        :raises StoreUnavailable: also if the user may not create them.
        :raises ConfigurationError: if there is another table of this name.
        """
        for left in reversed(range(_ATTEMPTS)):
            try:
                self._write(lambda session: session.run(self._sql.make))
                break
            except StoreUnavailable as error:
                # Others may have made it between our look and our statement; then look again.
                if error.unreachable or not left:
                    raise

    def get(self, key: str, /) -> Record | None:
        row = self._read(lambda session: session.row(self._sql.get, {"name": key}))
        return None if row is None else _record(row)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        size = len(record.payload)
        if expected is None:
            return self._write(lambda session: self._create(session, key, record), size)
        return self._write(lambda session: self._replace(session, key, expected, record), size)

    def delete(self, key: str, expected: Record, /) -> bool:
        values = {"name": key, "expected": expected.version}
        return self._write(lambda session: session.change(self._sql.delete, values)) == 1

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        def both(session: Session) -> bool:
            # In this order nobody waits for us whom we wait for: who else knows the new key?
            session.begin()
            if not self._replace(session, old_key, expected, stub):
                session.roll_back()
                return False
            try:
                session.change(self._sql.create, _values(new_key, record))
            except IntegrityError:
                session.roll_back()
                if not self._exists(session, new_key):
                    raise
                return False
            session.commit()
            return True

        return self._write(both, max(len(stub.payload), len(record.payload)))

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        return self._keys(self._sql.owned, {"whose": owner.encode()})

    def sweep(self, now: float, /, limit: int | None = None) -> int:
        # In batches, so that nobody waits for a row for long.
        removed = 0
        before = now - self.margin
        while limit is None or removed < limit:
            batch = _BATCH if limit is None else min(_BATCH, limit - removed)
            keys = self._keys(self._sql.expired, {"before": before, "count": batch})
            removed += self._remove(self._sql.delete_expired, keys, before=before)
            if len(keys) < batch:
                break
        return removed

    def keys(self) -> cabc.Iterator[str]:
        # In pages: an open transaction would keep what was replaced from being cleaned away.
        after = ""
        while page := self._keys(self._sql.page, {"after": after, "count": _PAGE}):
            yield from page
            after = page[-1]

    def count(self, now: float, /) -> int:
        row = self._read(lambda session: session.row(self._sql.count, {"now": now}))
        return 0 if row is None else int(row[0])

    def clear(self) -> int:
        # In batches: one statement for a million rows may take longer than we wait.
        removed = 0
        while keys := self._keys(self._sql.page, {"after": "", "count": _BATCH}):
            removed += self._remove(self._sql.delete_some, keys)
        return removed

    def close(self) -> None:
        self._connections.close()

    def _create(self, session: Session, key: str, record: Record) -> bool:
        again = False
        while True:
            try:
                session.change(self._sql.create, _values(key, record))
                return True
            except IntegrityError:
                session.roll_back()
                if self._exists(session, key):
                    return False
                if again:
                    raise  # a constraint of somebody else's
                again = True  # the record has just been removed

    def _replace(self, session: Session, key: str, expected: Record, record: Record) -> bool:
        values = {**_values(key, record), "name": key, "expected": expected.version}
        return session.change(self._sql.replace, values) == 1

    def _exists(self, session: Session, key: str) -> bool:
        return session.row(self._sql.exists, {"name": key}) is not None

    def _keys(self, statement: Executable, values: Values) -> list[str]:
        rows = self._read(lambda session: session.rows(statement, values))
        return [row[0] for row in rows]

    def _remove(self, statement: Executable, keys: list[str], **values: object) -> int:
        # Those locked by the same order wait for each other, and not in a circle.
        named = {"names": sorted(keys), **values}
        return self._write(lambda session: session.change(statement, named)) if keys else 0


def _values(key: str, record: Record) -> Values:
    return {
        "key": key,
        "payload": record.payload,
        "version": record.version,
        "expires_at": record.expires_at,
        "owner": None if record.owner is None else record.owner.encode(),
    }


def _record(row: tuple[t.Any, ...]) -> Record | None:
    """Return the record in *row*; None if somebody else has put it there."""
    payload, version, expires_at, owner = row
    if type(payload) is not bytes or type(version) is not int:
        return None
    if type(owner) is not bytes and owner is not None:
        return None
    try:
        name = None if owner is None else owner.decode()
        return Record(payload, version, float(expires_at), name)
    except (TypeError, ValueError):
        return None
