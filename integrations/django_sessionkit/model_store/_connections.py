"""Django's connection of the current thread: its transaction, its process, and its errors."""

from __future__ import annotations

import os
import re
import threading
import typing as t
import weakref

from django.db import DataError
from django.db import Error
from django.db import IntegrityError
from django.db import InterfaceError
from django.db import OperationalError
from django.db import ProgrammingError
from django.db import connections
from django.db.backends.signals import connection_created

from sessionkit.errors import StoreUnavailable
from sessionkit.stores._forklock import fork_lock

if t.TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Connection: t.TypeAlias = "BaseDatabaseWrapper"

#: The process in which each connection was opened.
_opened_in: weakref.WeakKeyDictionary[Connection, int] = weakref.WeakKeyDictionary()
#: Where those were opened that are not in it.
_first_process: t.Final = os.getpid()
#: Connections of another process. They are kept, since their end would end that one's too.
_inherited: list[object] = []
_thread = threading.local()

#: MySQL: the transaction was chosen to end a deadlock, or it cannot see what it wants to change.
_MYSQL_LOST: t.Final = (1213, 1020)
#: PostgreSQL: the same, under isolation levels above READ COMMITTED.
_SQLSTATE_LOST: t.Final = ("40001", "40P01")
#: MySQL: the server has answered, and refuses the user or has no such database.
_MYSQL_REFUSED: t.Final = (1044, 1045, 1049, 1698)
#: MySQL: the connection is lost. Asked, PyMySQL may connect anew, and say that all is well.
_MYSQL_BROKEN: t.Final = tuple((code,) for code in (1053, 1927, 2002, 2003, 2006, 2013, 2055, 4031))
_refused: t.Final = re.compile(
    r"FATAL: .*(authentication|password|role|does not exist|pg_hba|permission denied)"
).search


def connected(alias: str) -> Connection:
    """Return the current thread's connection, opened or not, never one of a parent process."""
    connection = connections[alias]

    if connection.connection is not None:
        pid = os.getpid()

        if _opened_in.get(connection, _first_process) != pid and not _in_memory(connection):
            _abandon(connection)

    return connection


def _note_process(connection: Connection, **_: t.Any) -> None:
    _opened_in[connection] = os.getpid()


connection_created.connect(_note_process, dispatch_uid="django_sessionkit.model_store")


def _in_memory(connection: Connection) -> bool:
    look: t.Any = getattr(connection, "is_in_memory_db", None)
    return look is not None and bool(look())


def _abandon(connection: Connection) -> None:
    """Forget a connection that is the parent process's, without a word to the server."""
    _inherited.append(connection.connection)
    connection.connection = None
    connection.in_atomic_block = False
    connection.atomic_blocks = []
    connection.savepoint_ids = []
    connection.needs_rollback = False
    connection.closed_in_transaction = False
    connection.run_on_commit = []


def thread_lock(connection: Connection) -> threading.Lock | None:
    """Return the lock that is to be held while an SQLite file is used, so that a fork waits.

    A child would believe that it has the locks which the parent had at that moment.
    """
    if connection.vendor != "sqlite":
        return None

    lock: threading.Lock | None = getattr(_thread, "lock", None)

    if lock is None:
        lock = _thread.lock = fork_lock()

    return lock


def in_application_transaction(connection: Connection) -> bool:
    """Say whether the application has opened a transaction; that of a ``TestCase`` is none."""
    if connection.in_atomic_block:
        return any(
            not block._from_testcase  # type: ignore[attr-defined]
            for block in connection.atomic_blocks
        )

    return connection.connection is not None and not connection.autocommit


def lost_a_race(connection: Connection, error: Error) -> bool:
    """Say whether the database has refused to change what another one is changing."""
    if connection.vendor == "mysql":
        return bool(error.args) and error.args[0] in _MYSQL_LOST

    if connection.vendor == "sqlite":
        return _is_locked(error) and in_application_transaction(connection)

    return _sqlstate(error) in _SQLSTATE_LOST


def unavailable(connection: Connection, error: Error) -> StoreUnavailable:
    """Return what *error* means, and have the next request connect anew if it must."""
    never_connected = connection.connection is None
    broken = never_connected or _is_broken(connection, error)

    if broken and not never_connected and not connection.in_atomic_block:
        connection.close()

    text = _shown(error)
    refused = _refused(str(error)) or (error.args and error.args[0] in _MYSQL_REFUSED)

    if broken:
        return StoreUnavailable(
            f"the database {connection.alias!r} does not serve sessions ({text})",
            unreachable=not refused,
        )

    if isinstance(error, ProgrammingError | OperationalError) and _is_missing(error):
        return StoreUnavailable(
            f"the database {connection.alias!r} has no table of sessions: run manage.py migrate "
            f"--database {connection.alias} ({text})"
        )

    # Whoever comes next would wait as long.
    return StoreUnavailable(
        f"the database {connection.alias!r} does not serve sessions ({text})",
        unreachable=_is_locked(error),
    )


def _is_broken(connection: Connection, error: Error) -> bool:
    if isinstance(error, DataError | IntegrityError | ProgrammingError):
        return False

    if isinstance(error, InterfaceError) or error.args[:1] in _MYSQL_BROKEN:
        return True

    # It asks the server, but only after an error that may come from a connection that is lost.
    return not _is_locked(error) and not connection.is_usable()


def _is_locked(error: Error) -> bool:
    text = str(error)
    return "database is locked" in text or "table is locked" in text or "1205" in text[:6]


def _is_missing(error: Error) -> bool:
    return "no such table" in str(error) or _sqlstate(error) == "42P01" or error.args[:1] == (1146,)


def _sqlstate(error: Error) -> str | None:
    cause: t.Any = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)


def _shown(error: Error) -> str:
    """Return what may be shown: the values of a row may stand in the others, or in later lines."""
    if isinstance(error, DataError | IntegrityError):
        return f"{type(error).__name__} {_sqlstate(error) or ''}".strip()

    text = str(error.args[1] if len(error.args) > 1 else error)
    return text.strip().partition("\n")[0] or type(error).__name__
