"""The table of a store, and what is done to it, in every dialect of SQLAlchemy."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import oracle
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex
from sqlalchemy.schema import CreateTable
from sqlalchemy.schema import ExecutableDDLElement

from sessionkit.errors import ConfigurationError

# 64 hexadecimal digits; the character set is that of the comparison too.
_KEY = (
    sa.String(64)
    .with_variant(mysql.CHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
    .with_variant(sa.String(64, collation="C"), "postgresql")
)

# BLOB holds 64 kB in MySQL, and cuts off what is longer unless it is told to be strict.
_PAYLOAD = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")

# The UTF-8 of up to 255 characters. As text 'ann' would be equal to 'ANN' or to 'ann ' wherever the
# collation says so, and a character that the database does not have would be lost.
_OWNER = (
    sa.VARBINARY(1020)
    .with_variant(postgresql.BYTEA(), "postgresql")
    .with_variant(sa.BLOB(), "sqlite")
    .with_variant(oracle.RAW(1020), "oracle")
)


class Table:
    """The table called *name*."""

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,53}", name):
            raise ConfigurationError(
                f"{name!r} is no table name: up to 54 letters, digits and underscores"
            )
        self.name = name
        self.table = sa.Table(
            name,
            sa.MetaData(),
            sa.Column("key", _KEY, primary_key=True),
            sa.Column("payload", _PAYLOAD, nullable=False),
            sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
            sa.Column("expires_at", sa.Double(), nullable=False),
            sa.Column("owner", _OWNER),
            mysql_engine="InnoDB",  # the others have no transactions
            mariadb_engine="InnoDB",
        )
        column = self.table.c
        self.indexes = [
            sa.Index(f"{name}_expiry", column.expires_at),
            sa.Index(f"{name}_owner", column.owner),
        ]
        record = (column.payload, column.version, column.expires_at, column.owner)
        this = column.key == sa.bindparam("name")
        unchanged = column.version == sa.bindparam("expected")
        some = column.key.in_(sa.bindparam("names", expanding=True))
        expired = column.expires_at < sa.bindparam("before")

        self.get = sa.select(*record).where(this)
        self.exists = sa.select(column.version).where(this)
        self.create = sa.insert(self.table)
        self.replace = sa.update(self.table).where(this, unchanged)
        self.delete = sa.delete(self.table).where(this, unchanged)
        self.owned = sa.select(column.key).where(column.owner == sa.bindparam("whose"))
        # First which ones, then those: in this order no two lock each other's rows, and MySQL has
        # no LIMIT in a subquery of the same table.
        self.expired = (
            sa.select(column.key)
            .where(expired)
            .order_by(column.expires_at)
            .limit(sa.bindparam("count"))
        )
        self.delete_expired = sa.delete(self.table).where(some, expired)
        self.delete_some = sa.delete(self.table).where(some)
        self.page = (
            sa.select(column.key)
            .where(column.key > sa.bindparam("after"))
            .order_by(column.key)
            .limit(sa.bindparam("count"))
        )
        self.count = (
            sa.select(sa.func.count())
            .select_from(self.table)
            .where(column.expires_at > sa.bindparam("now"))
        )

    def schema(self, dialect: sa.Dialect) -> str:
        """Return the SQL that makes it."""
        elements: list[ExecutableDDLElement] = [CreateTable(self.table)]
        elements += [CreateIndex(index) for index in self.indexes]
        return "".join(f"{str(e.compile(dialect=dialect)).strip()};\n" for e in elements)

    def make(self, connection: sa.Connection) -> None:
        """Make what of it is not there yet."""
        self.table.create(connection, checkfirst=True)
        found = {column["name"].lower() for column in sa.inspect(connection).get_columns(self.name)}
        missing = [column.name for column in self.table.columns if column.name not in found]
        if missing:
            raise ConfigurationError(
                f"there is a table {self.name!r} without {', '.join(missing)}; give the store "
                "another name for its own"
            )
        for index in self.indexes:
            index.create(connection, checkfirst=True)
