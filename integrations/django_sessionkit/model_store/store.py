"""Sessions in one of the project's own databases, over Django's own connection to it."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import math
import typing as t
import urllib.parse

from django.conf import settings
from django.db import DataError
from django.db import Error
from django.db import IntegrityError
from django.db import router
from django.db import transaction
from django.db.transaction import TransactionManagementError

from django_sessionkit.transactions import note_ending
from sessionkit.errors import ConfigurationError
from sessionkit.errors import SessionConflict
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from ._connections import connected
from ._connections import in_application_transaction
from ._connections import lost_a_race
from ._connections import thread_lock
from ._connections import unavailable
from ._statements import KeyIsTaken
from ._statements import Statements
from ._statements import statements_of

if t.TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import QuerySet

    from .models import Session

_SWEEP_BATCH = 500
_PAGE = 1000

T = t.TypeVar("T")
Connection: t.TypeAlias = "BaseDatabaseWrapper"


class ModelStore:
    """Keeps sessions in a table of the project, over Django's connection of the current thread.

    Outside of transactions every write is committed at once. Inside of an ``atomic`` block of the
    application it is part of that block, which it neither commits nor rolls back, and a write that
    lost against another request raises :class:`~sessionkit.errors.SessionConflict`, since inside of
    a transaction the session cannot be read anew. Under this package's middleware the session of
    the request is not written in the block but after it.

    :param using: the database. None: what the routers name for writes. Reads go there too, since a
        replica that lags would lose updates.
    :param margin: seconds that :meth:`sweep` keeps a record beyond its ``expires_at``.
    :raises ConfigurationError: if there is no such database.
    """

    def __init__(self, *, using: str | None = None, margin: float = EXPIRY_MARGIN) -> None:
        if using is not None and using not in settings.DATABASES:
            raise ConfigurationError(f"DATABASES has no {using!r} for the sessions")

        if not 0 <= margin < math.inf:
            raise ConfigurationError("margin must not be negative")

        self.using = using
        self.margin = margin

    @classmethod
    def from_url(cls, url: str) -> ModelStore:
        """Return the store for ``django:``, with parameters as in ``django:?using=sessions``."""
        scheme, _, rest = url.partition(":")
        path, _, query = rest.partition("?")

        if scheme.lower() != "django" or path:
            raise ConfigurationError("write django: or django:?using=name_of_a_database")

        given = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))

        if unknown := sorted(given.keys() - {"using", "margin"}):
            raise ConfigurationError(f"django: has no {', '.join(unknown)}; it has margin, using")

        try:
            margin = float(given.get("margin", EXPIRY_MARGIN))
        except ValueError:
            raise ConfigurationError("margin must be a number of seconds") from None

        return cls(using=given.get("using"), margin=margin)

    def __repr__(self) -> str:
        return f"<ModelStore using={self.using!r}>"

    def get(self, key: str, /) -> Record | None:
        row = self._read(lambda connection, sql: sql.get(connection, key))

        if row is None:
            return None

        payload, version, expires_at, owner = row

        if not isinstance(payload, bytes | memoryview):
            return None  # SQLite lets anybody put anything there; it is no session then

        return Record(bytes(payload), version, expires_at, owner)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        if expected is None:
            return self._write(lambda connection, sql: sql.create(connection, key, record))

        if not self._write(lambda connection, sql: sql.replace(connection, key, expected, record)):
            return self._lost(key)

        # Nobody's now: somebody has ended it, and left the reason.
        if record.owner is None and expected.owner is not None and self.in_transaction():
            note_ending(key, self, "revoked")

        return True

    def delete(self, key: str, expected: Record, /) -> bool:
        if not self._write(lambda connection, sql: sql.delete(connection, key, expected)):
            return self._lost(key)

        if self.in_transaction():
            note_ending(key, self)

        return True

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        return self._write(
            lambda connection, sql: sql.move(connection, old_key, expected, stub, new_key, record),
            together=True,
        ) or self._lost(old_key)

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        # In an order, so that two who end the same sessions do not wait for each other.
        return self._keys(lambda rows: rows.filter(owner=owner).order_by("key"))

    def sweep(self, now: float, /, limit: int | None = None) -> int:
        # In batches, so that a request waits for a few milliseconds at most.
        removed = 0

        while True:
            size = _SWEEP_BATCH if limit is None else min(_SWEEP_BATCH, limit - removed)
            found, gone = self._sweep(now - self.margin, size)
            removed += gone

            if found < size or size < _SWEEP_BATCH:
                return removed

    def _sweep(self, before: float, size: int) -> tuple[int, int]:
        """Remove up to *size* records; return how many were found, and how many removed."""
        dead = self._keys(
            lambda rows: rows.filter(expires_at__lt=before).order_by("expires_at")[:size]
        )
        # One that somebody else has prolonged or removed in between stays, or is not counted.
        return len(dead), self._remove(
            lambda rows: rows.filter(key__in=dead, expires_at__lt=before)
        )

    def keys(self) -> cabc.Iterator[str]:
        # In pages: an open query would hold the connection, which is the application's.
        after = ""

        while page := self._page(after):
            yield from page
            after = page[-1]

    def _page(self, after: str) -> list[str]:
        return self._keys(lambda rows: rows.filter(key__gt=after).order_by("key")[:_PAGE])

    def count(self, now: float, /) -> int:
        found: int = self._read(
            lambda connection, _: _rows(connection).filter(expires_at__gt=now).count()
        )
        return found

    def clear(self) -> int:
        return self._remove(lambda rows: rows)

    # --- transactions ---

    def in_transaction(self) -> bool:
        """Say whether what is written now is part of a transaction of the application."""
        return in_application_transaction(connected(self.alias))

    def when_committed(self, function: cabc.Callable[[], object], /) -> None:
        """Call *function* when the application's transaction has been committed."""
        connection = connected(self.alias)

        if connection.in_atomic_block:
            connection.on_commit(function)

    def _lost(self, key: str) -> bool:
        """Return False, but raise if the application's transaction hides what has happened."""
        if self.in_transaction() and self.get(key) is not None:
            raise _conflict()

        return False

    # --- the database ---

    @property
    def alias(self) -> str:
        """The database that is used now, as ``DATABASES`` calls it."""
        from .models import Session

        return self.using or router.db_for_write(Session)

    def _read(self, work: cabc.Callable[[Connection, Statements], T]) -> T:
        connection = connected(self.alias)
        lock = thread_lock(connection)

        try:
            with lock or contextlib.nullcontext():
                return work(connection, statements_of(connection))
        except TransactionManagementError:
            raise  # the application goes on after an error in its transaction, which it must know
        except Error as error:
            raise unavailable(connection, error) from _cause(error)

    def _write(
        self, work: cabc.Callable[[Connection, Statements], T], *, together: bool = False
    ) -> T | t.Literal[False]:
        """Return what *work* returns. False: nothing was changed.

        :param together: all of its statements take effect or none.
        """
        connection = connected(self.alias)
        inside = in_application_transaction(connection)

        def write(connection: Connection, statements: Statements) -> T | t.Literal[False]:
            try:
                if not inside and not together:
                    return work(connection, statements)

                # A savepoint, in a transaction: what fails must not break the application's.
                with transaction.atomic(using=connection.alias):
                    return work(connection, statements)
            except (IntegrityError, KeyIsTaken):
                return False
            except Error as error:
                if not lost_a_race(connection, error):
                    raise

                if inside:
                    raise _conflict() from _cause(error)

                return False

        return self._read(write)

    def _remove(self, query: cabc.Callable[[QuerySet[Session]], QuerySet[Session]]) -> int:
        removed: int = self._write(lambda connection, _: query(_rows(connection)).delete()[0])
        return removed

    def _keys(self, query: cabc.Callable[[QuerySet[Session]], QuerySet[Session]]) -> list[str]:
        return self._read(
            lambda connection, _: list(query(_rows(connection)).values_list("key", flat=True))
        )


def _rows(connection: Connection) -> QuerySet[Session]:
    from .models import Session

    rows: QuerySet[Session] = Session._base_manager.using(connection.alias)
    return rows


def _conflict() -> SessionConflict:
    return SessionConflict(
        "another request has changed this session; inside of a transaction of the application it "
        "cannot be read anew, so it was not tried again"
    )


def _cause(error: Error) -> Error | None:
    # The texts of these may quote what was to be written.
    return None if isinstance(error, DataError | IntegrityError) else error
