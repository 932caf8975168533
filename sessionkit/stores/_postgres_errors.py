"""What PostgreSQL's errors mean for a store."""

from __future__ import annotations

import re

import psycopg

from sessionkit.errors import StoreUnavailable

# Nobody was let in, a connection was ended, or time ran out: 08 and 57 are classes of codes.
_UNREACHABLE = re.compile("08...|57...|53300|55P03")

# While a connection is made libpq tells no code, only a text that may be translated.
_REFUSED = re.compile("FATAL|no password supplied")
_BUSY = re.compile(
    "too many|connection slots|starting up|shutting down|recovery|not (yet )?accepting"
)

_NO_TABLE = ("42P01", "3F000")
_NOT_PREPARED = ("26000", "42P05")
_ANOTHER_TABLE = ("42703", "42883", "42804", "42846")

# Statements are prepared in connections that others have later, or had before.
_SHARED = "; through PgBouncer, give the store prepare=False"


def unavailable(error: psycopg.Error, address: str, table: str) -> StoreUnavailable:
    """Return what a store raises for *error*."""
    text = re.sub(r"\s+", " ", str(error)).strip()[:300] or type(error).__name__
    code = error.sqlstate
    if code is None:
        if "startup parameter" in text:
            text += _SHARED
        refused = _REFUSED.search(text) is not None and _BUSY.search(text) is None
        return StoreUnavailable(f"{address}: {text}", unreachable=not refused)
    if code in _NO_TABLE:
        text = (
            f"there is no table {table}: call create_schema() of the store once, or run the SQL of "
            f"PostgresStore.schema() ({text})"
        )
    elif code in _ANOTHER_TABLE:
        text = (
            f"{table} is not a table of PostgresStore.schema(); create_schema() brings one of an "
            f"earlier version up to date ({text})"
        )
    elif code in _NOT_PREPARED:
        text += _SHARED
    return StoreUnavailable(
        f"{address}: {text}", unreachable=_UNREACHABLE.fullmatch(code) is not None
    )
