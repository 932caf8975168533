"""The SQL of what requests do: Django's ORM costs many times as much as the query itself."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from sessionkit.store import Record

#: Where a key that is taken can be skipped, so that nothing is raised and no transaction broken.
_ON_CONFLICT: t.Final = ("postgresql", "sqlite")

Connection: t.TypeAlias = "BaseDatabaseWrapper"

_made: dict[tuple[str, str], Statements] = {}


class KeyIsTaken(Exception):
    """What was done before in this transaction must be rolled back."""


class Statements:
    """What is done on one database. Each returns whether it has changed something."""

    def __init__(self, connection: Connection) -> None:
        # Not before: models can be imported only when all applications are there.
        from .models import Session

        options: t.Any = Session._meta
        names = ("payload", "version", "expires_at", "owner", "key")
        quote = connection.ops.quote_name
        table = quote(options.db_table)
        *columns, key = (quote(options.get_field(name).column) for name in names)
        payload, version = columns[:2]
        binary = "_binary %s" if connection.vendor == "mysql" else "%s"
        self._binary: t.Any = t.cast(t.Any, connection).Database.Binary
        self._get = f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = %s"  # noqa: S608
        self._create = (
            f"INSERT INTO {table} ({payload}, {', '.join(columns[1:])}, {key}) "  # noqa: S608
            f"VALUES ({binary}, %s, %s, %s, %s)"
        )
        if connection.vendor in _ON_CONFLICT:
            self._create += f" ON CONFLICT ({key}) DO NOTHING"

        assigned = ", ".join(f"{column} = %s" for column in columns[1:])
        seen = f"WHERE {key} = %s AND {version} = %s"
        self._replace = f"UPDATE {table} SET {payload} = {binary}, {assigned} {seen}"  # noqa: S608
        self._delete = f"DELETE FROM {table} {seen}"  # noqa: S608

    def get(self, connection: Connection, key: str) -> t.Any:
        with connection.cursor() as cursor:
            cursor.execute(self._get, (key,))
            return cursor.fetchone()

    def create(self, connection: Connection, key: str, record: Record) -> bool:
        return _changed(connection, self._create, (*self._row(record), key))

    def replace(self, connection: Connection, key: str, expected: Record, record: Record) -> bool:
        values = (*self._row(record), key, expected.version)
        return _changed(connection, self._replace, values)

    def delete(self, connection: Connection, key: str, expected: Record) -> bool:
        return _changed(connection, self._delete, (key, expected.version))

    def move(
        self,
        connection: Connection,
        old_key: str,
        expected: Record,
        stub: Record,
        new_key: str,
        record: Record,
    ) -> bool:
        """Do both; to be called in a transaction, which ``KeyIsTaken`` must roll back."""
        if not self.replace(connection, old_key, expected, stub):
            return False

        if not self.create(connection, new_key, record):
            raise KeyIsTaken

        return True

    def _row(self, record: Record) -> tuple[t.Any, int, float, str | None]:
        return self._binary(record.payload), record.version, record.expires_at, record.owner


def statements_of(connection: Connection) -> Statements:
    """Return the statements of this database."""
    key = connection.alias, connection.vendor
    found = _made.get(key)

    if found is None:
        found = _made[key] = Statements(connection)

    return found


def _changed(connection: Connection, sql: str, values: tuple[t.Any, ...]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return bool(cursor.rowcount == 1)
