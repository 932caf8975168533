"""What the errors of SQLAlchemy and of the drivers behind it mean for a store."""

from __future__ import annotations

import re
import typing as t

import sqlalchemy.exc

from sessionkit.errors import StoreUnavailable

# A number is MySQL's, a text is an SQLSTATE; SQLite has only words.
_ROLLED_BACK = re.compile("1213|1020|40001|40P01")
_UNREACHABLE = re.compile("1040|1053|1203|1205|1927|1969|3024|4031|2...|08...|57...|53300|55P03")
_WRONG_LOGIN = re.compile("2059|2061")
_NO_TABLE = re.compile("1146|42P01")
_ANOTHER_TABLE = re.compile("1054|42703|42804|42883")
_TOO_LARGE = re.compile("1153|1301")
_QUOTES_DATA = re.compile("1062|1292|1366|1411|2[23]...")

# While a connection is made libpq tells no code, only a text that may be translated.
_REFUSED = re.compile("FATAL|no password supplied")
_BUSY = re.compile(
    "too many|connection slots|starting up|shutting down|recovery|not (yet )?accepting"
)


def was_rolled_back(error: sqlalchemy.exc.DBAPIError) -> bool:
    """Whether the server has undone the whole transaction, as that of a deadlock's victim."""
    return _ROLLED_BACK.fullmatch(_code(error)) is not None


def timed_out(error: BaseException) -> bool:
    """Whether it took as long as it may; once more would only take as long again."""
    origin = getattr(error, "orig", None) or error
    return isinstance(origin.__cause__ or origin.__context__, TimeoutError)


def is_too_large(error: sqlalchemy.exc.DBAPIError) -> bool:
    """Whether the server has refused or cut off what was sent: it says so, or it hangs up."""
    return error.connection_invalidated or _TOO_LARGE.fullmatch(_code(error)) is not None


def unavailable(
    error: sqlalchemy.exc.SQLAlchemyError, address: str, table: str
) -> StoreUnavailable:
    """Return what a store raises for *error*."""
    if not isinstance(error, sqlalchemy.exc.DBAPIError):
        return StoreUnavailable(f"{address}: {type(error).__name__}")
    code, text = _code(error), _text(error)
    if _NO_TABLE.fullmatch(code) or text.startswith("no such table"):
        text = (
            f"there is no table {table}: call create_schema() of the store once, or run the SQL of "
            f"its schema() ({text})"
        )
    elif _ANOTHER_TABLE.fullmatch(code) or " column named " in text or "no such column" in text:
        text = f"{table} is not a table of the store's schema() ({text})"
    return StoreUnavailable(f"{address}: {text}", unreachable=_is_unreachable(error, code, text))


def _is_unreachable(error: sqlalchemy.exc.DBAPIError, code: str, text: str) -> bool:
    if error.connection_invalidated or timed_out(error):
        return True
    if code:
        return bool(_UNREACHABLE.fullmatch(code)) and not _WRONG_LOGIN.fullmatch(code)
    if not isinstance(error, sqlalchemy.exc.OperationalError):
        return False
    if type(error.orig).__module__.startswith("psycopg"):
        return not _REFUSED.search(text) or _BUSY.search(text) is not None
    # SQLite: waiting for other writers counts as a time-out.
    return "is locked" in text or "unable to open" in text


def _code(error: sqlalchemy.exc.DBAPIError) -> str:
    origin: t.Any = error.orig
    if origin.args and type(origin.args[0]) is int:  # more exact than MySQL's SQLSTATE
        return str(origin.args[0] or "")
    return getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None) or ""


def _text(error: sqlalchemy.exc.DBAPIError) -> str:
    """Return what the driver says, unless it may quote what is stored."""
    code = _code(error)
    quotes = isinstance(error, (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.DataError))
    if quotes or _QUOTES_DATA.fullmatch(code):
        return f"{type(error.orig).__name__} {code}".rstrip()
    origin: t.Any = error.orig
    said = str(origin.args[-1]) if origin.args else ""
    said = re.sub("[0-9a-f]{64}", "...", said.strip().partition("\n")[0])[:300]
    return said or type(origin).__name__


def quotes_data(error: sqlalchemy.exc.SQLAlchemyError) -> bool:
    """Whether its text, or that of the driver's error behind it, may hold what is stored."""
    return isinstance(error, sqlalchemy.exc.DBAPIError) and (
        isinstance(error, (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.DataError))
        or _QUOTES_DATA.fullmatch(_code(error)) is not None
        or re.search("[0-9a-f]{64}", str(error.orig)) is not None
    )
