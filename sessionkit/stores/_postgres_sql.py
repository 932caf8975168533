"""The SQL of the PostgreSQL store."""

# ruff: noqa: S608 - the name of the table has been checked

from __future__ import annotations

import hashlib
import re

from sessionkit.errors import ConfigurationError

from ._postgres_connection import Statement

_BYTEA, _INT8, _TEXT, _FLOAT8 = 17, 20, 25, 701
_RECORD = (_BYTEA, _INT8, _FLOAT8, _TEXT)

#: What ``synchronous_commit`` can be.
COMMITS = ("on", "off", "local", "remote_write", "remote_apply")


class Table:
    """A table, or one in a schema: ``schema.table``."""

    def __init__(self, name: str) -> None:
        # 63 bytes are what a name may have; those of the indexes are longer.
        if not re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,55}", name):
            raise ConfigurationError(
                f"{name!r} is no table name: at most 56 letters, digits and underscores, and a "
                "schema before a dot"
            )
        schema, _, table = name.rpartition(".")
        place = f'"{schema}".' if schema else ""
        self.name = f'{place}"{table}"'
        sweep, owner = f"{table}_sweep", f"{table}_owner"
        # Owners are compared byte by byte: the order of a language changes with the system's
        # library, and an index in that order then hides rows.
        # A row that changes no index is put beside the old one, and needs no entry in any of them.
        # So rows are swept by a time that stays where it is while a session is prolonged. The first
        # tables had no such time, and an index on the expiry.
        self.schema = f"""\
CREATE TABLE IF NOT EXISTS {self.name} (
    key bytea NOT NULL PRIMARY KEY,
    payload bytea NOT NULL,
    version bigint NOT NULL CHECK (version >= 0),
    expires_at double precision NOT NULL,
    owner text COLLATE "C",
    sweep_at double precision NOT NULL DEFAULT 0
);
ALTER TABLE {self.name} ADD COLUMN IF NOT EXISTS sweep_at double precision NOT NULL DEFAULT 0;
DROP INDEX IF EXISTS {place}"{table}_expiry";
CREATE INDEX IF NOT EXISTS "{sweep}" ON {self.name} (sweep_at);
CREATE INDEX IF NOT EXISTS "{owner}" ON {self.name} (owner) WHERE owner IS NOT NULL;
"""
        names = ", ".join(f"'{place}\"{name}\"'" for name in (table, sweep, owner))
        self.missing = Statement.of(
            "missing",
            f"SELECT count(*) FROM unnest(ARRAY[{names}]) AS name WHERE to_regclass(name) IS NULL",
        )
        # IF NOT EXISTS does not wait for somebody else who is creating the same.
        lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        self.create = f"SELECT pg_advisory_xact_lock({lock}); {self.schema}"


class Statements:
    """The statements for one table.

    :param commit: what ``synchronous_commit`` is while they commit; None: as the server says.
    """

    def __init__(self, table: Table, commit: str | None) -> None:
        self.get = Statement.of(
            "get",
            "SELECT payload::bytea, version::int8, expires_at::float8, owner::text "
            f"FROM {table.name} WHERE key = $1",
            _BYTEA,
        )
        # In the statement, since it ends with the transaction: nothing is set in a connection.
        always = _committing(commit)
        # Not for the end of a session: a power cut would take it back.
        ending = _committing(None if commit == "off" else commit)
        self.create = Statement.of(
            "create",
            f"INSERT INTO {table.name} (key, payload, version, expires_at, owner, sweep_at) "
            f"SELECT $1, $2, $3, $4, $5, $4 WHERE true{always} ON CONFLICT (key) DO NOTHING",
            _BYTEA,
            *_RECORD,
        )
        changes = (
            "payload = $1, version = $2, expires_at = $3, owner = $4, "
            "sweep_at = least(sweep_at, $3)"
        )
        self.replace = Statement.of(
            "replace",
            f"UPDATE {table.name} SET {changes} WHERE key = $5 AND version = $6{always}",
            *_RECORD,
            _BYTEA,
            _INT8,
        )
        self.delete = Statement.of(
            "delete",
            f"DELETE FROM {table.name} WHERE key = $1 AND version = $2{ending}",
            _BYTEA,
            _INT8,
        )
        # No ON CONFLICT: where something is, the error undoes the first half.
        self.move = Statement.of(
            "move",
            f"WITH ended AS (UPDATE {table.name} SET {changes} "
            f"WHERE key = $5 AND version = $6{ending} RETURNING 1) "
            f"INSERT INTO {table.name} (key, payload, version, expires_at, owner, sweep_at) "
            "SELECT $7, $8, $9, $10, $11, $10 FROM ended",
            *_RECORD,
            _BYTEA,
            _INT8,
            _BYTEA,
            *_RECORD,
        )
        self.owned = Statement.of("owned", f"SELECT key FROM {table.name} WHERE owner = $1", _TEXT)
        # By the key: the place of a row that somebody else is prolonging changes.
        due = (
            f"key = ANY (ARRAY(SELECT key FROM {table.name} WHERE sweep_at < $1 "
            "ORDER BY sweep_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
        )
        self.put_off = Statement.of(
            "put_off",
            f"UPDATE {table.name} SET sweep_at = expires_at WHERE {due} AND expires_at >= $1",
            _FLOAT8,
            _INT8,
        )
        self.sweep = Statement.of(
            "sweep", f"DELETE FROM {table.name} WHERE {due} AND expires_at < $1", _FLOAT8, _INT8
        )
        self.page = Statement.of(
            "page",
            f"SELECT key FROM {table.name} WHERE key > $1 ORDER BY key LIMIT $2",
            _BYTEA,
            _INT8,
        )
        # Most are counted in the index.
        self.count = Statement.of(
            "count",
            f"SELECT (SELECT count(*) FROM {table.name} WHERE sweep_at > $1) + (SELECT count(*) "
            f"FROM {table.name} WHERE sweep_at <= $1 AND expires_at > $1)",
            _FLOAT8,
        )
        self.clear = Statement.of("clear", f"DELETE FROM {table.name}")


def _committing(commit: str | None) -> str:
    if commit is None:
        return ""
    return f" AND set_config('synchronous_commit', '{commit}', true) IS NOT NULL"
