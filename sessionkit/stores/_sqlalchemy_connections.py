"""Connections of a store's own, used by one caller at a time and kept for the next one."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import os
import time
import typing as t

import sqlalchemy as sa
import sqlalchemy.exc

from sessionkit.errors import ConfigurationError
from sessionkit.errors import SessionError
from sessionkit.errors import StoreUnavailable

from ._freelist import FreeList
from ._sqlalchemy_engine import BEGIN
from ._sqlalchemy_engine import address_of
from ._sqlalchemy_errors import is_too_large
from ._sqlalchemy_errors import quotes_data
from ._sqlalchemy_errors import timed_out
from ._sqlalchemy_errors import unavailable
from ._sqlalchemy_errors import was_rolled_back

T = t.TypeVar("T")
Values = cabc.Mapping[str, t.Any]

#: Seconds without use after which a connection is asked whether it is still one, before a write.
TRUSTED = 0.1

_ANYTHING: sa.Executable = sa.select(sa.literal_column("1"))
_MAX_PACKET: sa.Executable = sa.text("SELECT @@max_allowed_packet")

# How often a transaction is tried that the server has undone.
_ATTEMPTS = 10

# What a child may not close: drivers would say good-bye to the server on the parent's connection.
_abandoned: list[object] = []


class Session:
    """A connection on which every statement is a transaction, unless one is begun."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._begin = BEGIN.get(connection.dialect.name)
        self._begun = False
        self._process = os.getpid()
        self._used = time.monotonic()
        self._max_packet: int | None = None
        if connection.dialect.name in ("mysql", "mariadb"):
            self._max_packet = connection.execute(_MAX_PACKET).scalar_one()

    def row(self, statement: sa.Executable, values: Values) -> t.Any:
        """Return the only row, or None."""
        return self._connection.execute(statement, values).one_or_none()

    def rows(self, statement: sa.Executable, values: Values) -> cabc.Sequence[t.Any]:
        """Return all rows."""
        return self._connection.execute(statement, values).all()

    def change(self, statement: sa.Executable, values: Values) -> int:
        """Return how many rows were changed."""
        return self._connection.execute(statement, values).rowcount

    def run(self, work: cabc.Callable[[sa.Connection], T]) -> T:
        """Return what *work* returns."""
        return work(self._connection)

    def begin(self) -> None:
        """Begin a transaction of several statements."""
        if self._begin:
            self._connection.exec_driver_sql(self._begin)
            self._begun = True

    def commit(self) -> None:
        self._end("COMMIT", self._connection.commit)

    def roll_back(self) -> None:
        """Undo what was begun, by us or by a dialect that always does."""
        self._end("ROLLBACK", self._connection.rollback)

    def _end(self, statement: str, end: cabc.Callable[[], None]) -> None:
        if not self._begin:
            end()
        elif self._begun:
            self._connection.exec_driver_sql(statement)
            self._begun = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing was begun that had to be undone."""
        return self._begin is not None and not self._begun

    def finish(self) -> None:
        """End what a dialect has begun by itself; the session is fit for further use then."""
        self.commit()
        self._used = time.monotonic()

    def ping(self) -> None:
        """Raise an error if nobody is there any more; only asked if it was not used just now."""
        if time.monotonic() - self._used > TRUSTED:
            self._connection.execute(_ANYTHING)

    def fits(self, size: int) -> bool:
        """Whether a statement with a payload of so many bytes is surely not too large."""
        # Drivers send a byte as two hexadecimal digits, or with a backslash.
        return self._max_packet is None or 2 * size + 2048 <= self._max_packet

    def close(self) -> None:
        if self._process != os.getpid():
            _abandoned.append(self)
            return
        with contextlib.suppress(Exception):  # drivers raise what they like
            # Without a good-bye that would wait for a server that hangs; it rolls back by itself.
            if not self._connection.invalidated:
                self._connection.invalidate()
            self._connection.close()


class Connections:
    """What a store does its work on.

    :param engine: keeps no connections; they are kept here, since SQLAlchemy's pools ask the server
        to roll back what is given back, which is a round trip each time.
    :param table: the name that errors tell.
    """

    def __init__(self, engine: sa.Engine, table: str, *, max_idle: int) -> None:
        self.engine = engine
        self.address = address_of(engine.url)
        self._table = table
        self._sessions = FreeList(
            self._connect,
            Session.close,
            max_idle=max_idle,
            empty_before_fork=engine.dialect.name == "sqlite",
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._sessions.drain()

    def read(self, work: cabc.Callable[[Session], T]) -> T:
        """Return ``work(session)``, which may be done twice."""
        with self._translated():
            session = self._sessions.idle()
            if session is not None:
                try:
                    return self._use(session, work)
                except sqlalchemy.exc.DBAPIError as error:
                    if not error.connection_invalidated or timed_out(error):
                        raise
                    # The server was restarted, or closed it as idle; the others are dead too.
                    self._sessions.drain()
            return self._use(self._sessions.new(), work)

    def write(self, work: cabc.Callable[[Session], T], size: int = 0) -> T:
        """Return ``work(session)``, which may not be done twice.

        If it was done and the answer got lost, the second one would find its own change and report
        a conflict; the core would then merge, and count twice what is counted. But the victim of a
        deadlock, or of an isolation level that finds it cannot be put in a row with others, has
        done nothing: the server says so, having undone all of it. Nobody need hear of that.

        :param size: bytes of the payload.
        """
        with self._translated():
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self._use(self._living(), work, size)
                except sqlalchemy.exc.DBAPIError as error:
                    if not was_rolled_back(error):
                        raise
            return self._use(self._living(), work, size)

    def _use(self, session: Session, work: cabc.Callable[[Session], T], size: int = 0) -> T:
        try:
            result = work(session)
            session.finish()
        except sqlalchemy.exc.DBAPIError as error:
            too_large = is_too_large(error) and not session.fits(size) and not timed_out(error)
            # The server has said no, and is as willing to answer as before.
            done_with = error.connection_invalidated or too_large or not session.is_idle
            (self._sessions.drop if done_with else self._sessions.give)(session)
            if too_large:
                # Not unreachable: others, with smaller sessions, need not suffer for it.
                raise StoreUnavailable(
                    f"{self.address}: the server does not take a session of {size} bytes; raise "
                    "its max_allowed_packet to more than twice policy.max_payload"
                ) from error
            raise
        except BaseException:
            self._sessions.drop(session)  # what it is in the middle of, nobody knows
            raise
        self._sessions.give(session)
        return result

    def _living(self) -> Session:
        """Take a connection that is alive."""
        session = self._sessions.idle()
        if session is not None:
            try:
                session.ping()
            except BaseException as error:
                self._sessions.drop(session)
                if not isinstance(error, sqlalchemy.exc.DBAPIError) or timed_out(error):
                    raise
                self._sessions.drain()
            else:
                return session
        return self._sessions.new()

    def _connect(self) -> Session:
        try:
            connection = self.engine.connect()
        except (sqlalchemy.exc.SQLAlchemyError, SessionError):
            raise
        except OSError as error:
            raise StoreUnavailable(
                f"{self.address}: {type(error).__name__}", unreachable=True
            ) from error
        except Exception as error:
            # A TypeError or other for a parameter of the URL, or a part of the driver's is missing.
            raise ConfigurationError(
                f"the driver of {self.address} does not connect: {error}"
            ) from error
        try:
            return Session(connection)
        except BaseException:
            connection.close()
            raise

    @contextlib.contextmanager
    def _translated(self) -> cabc.Generator[None, None, None]:
        try:
            yield
        except sqlalchemy.exc.SQLAlchemyError as error:
            raised = unavailable(error, self.address, self._table)
            # What quotes a session is not to be seen in a traceback either.
            raise raised from None if quotes_data(error) else error
