"""One connection to PostgreSQL, through libpq's own calls.

psycopg's cursor takes longer than the server for one row of four columns that are always the same.
Waiting is done here too: within a time limit, which libpq does not know, and in a way that gevent
can replace.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import typing as t

import psycopg
from psycopg import pq

from sessionkit.errors import ConfigurationError

from ._readiness import is_ready

if t.TYPE_CHECKING:
    from psycopg.pq.abc import PGconn
    from psycopg.pq.abc import PGresult

#: The first server that is tested; its age is as ``PQserverVersion`` says it.
MINIMUM = 130000

_BINARY = 1
_GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_IDLE = pq.TransactionStatus.IDLE
_BAD = pq.ConnStatus.BAD


class Statement(t.NamedTuple):
    """SQL, with the types and the formats of its parameters; lists, as psycopg 3.2 wants them.

    Its name tells which SQL it is: where something in between shares the server's connections, as
    PgBouncer does, another store may have prepared a statement of its own in this one.
    """

    name: bytes
    text: bytes
    types: list[int]
    formats: list[int]

    @classmethod
    def of(cls, name: str, text: str, *types: int) -> Statement:
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        full_name = f"sessionkit_{name}_{digest}"
        return cls(full_name.encode(), text.encode(), [*types], [_BINARY] * len(types))


class Timeout(psycopg.OperationalError):
    """The server did not answer in time; what it is doing, nobody knows."""


class Connection:
    """A connection that is used by one thread at a time.

    :param timeout: seconds for each statement.
    :param prepare: whether statements are prepared, each when it is first executed.
    :param borrowed: whose connection it is, if not our own.
    """

    def __init__(
        self,
        pgconn: PGconn,
        *,
        timeout: float,
        prepare: bool,
        borrowed: psycopg.Connection[t.Any] | None = None,
    ) -> None:
        self.pgconn = pgconn
        self.borrowed = borrowed
        self.process = os.getpid()
        self._timeout = timeout
        self._prepared: set[bytes] | None = set() if prepare else None

    def execute(self, statement: Statement, values: list[bytes | None]) -> PGresult:
        """Execute a statement in a transaction of its own; values and results are binary.

        :raises psycopg.Error: of the class that belongs to the server's code, or an
            ``OperationalError`` without a code for a connection that is lost.
        """
        name, text, types, formats = statement
        if self._prepared is None:
            self.pgconn.send_query_params(text, values, types, formats, _BINARY)
        else:
            if name not in self._prepared:
                self.prepare(statement)
            self.pgconn.send_query_prepared(name, values, formats, _BINARY)
        return self._answer()

    def prepare(self, statement: Statement) -> None:
        self.pgconn.send_prepare(statement.name, statement.text, statement.types)
        self._answer()
        if self._prepared is not None:
            self._prepared.add(statement.name)

    def run(self, script: str) -> None:
        """Execute several statements in one transaction."""
        self.pgconn.send_query(script.encode())
        self._answer()

    def _answer(self) -> PGresult:
        give_up = time.monotonic() + self._timeout
        # Up to the end, which is None: a commit may fail after the result has been announced.
        pgconn = self.pgconn
        descriptor = pgconn.socket
        while pgconn.flush():
            wait(descriptor, give_up, writing=True)
            pgconn.consume_input()
        good = bad = None
        while True:
            while pgconn.is_busy():
                wait(descriptor, give_up)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                break
            if result.status in _GOOD:
                good = result
            elif bad is None:
                bad = result
        if bad is not None:
            raise _error(bad)
        if good is None:
            raise psycopg.OperationalError("the server did not say anything")
        return good

    def is_fit(self) -> bool:
        """Whether it can be used again: no answer is under way, no transaction open."""
        return self.pgconn.transaction_status == _IDLE

    def is_lost(self) -> bool:
        return self.pgconn.status == _BAD

    def is_alive(self) -> bool:
        """Whether the other end is still there, and has nothing to say that nobody asked for."""
        try:
            return not is_ready(self.pgconn.socket, 0.0)
        except (psycopg.Error, OSError, ValueError):
            return False

    def close(self) -> None:
        with contextlib.suppress(psycopg.Error, OSError):  # it is thrown away
            if self.process == os.getpid():
                self.pgconn.finish()
            else:
                # It is the parent's: libpq would tell the server that it ends, as psycopg knows
                # when it forgets a connection that was made in another process.
                os.close(self.pgconn.socket)


def connect(conninfo: str, timeout: float) -> PGconn:
    """Return a new connection; libpq itself would wait for whole seconds, and at least two."""
    give_up = time.monotonic() + timeout
    pgconn = pq.PGconn.connect_start(conninfo.encode())
    try:
        while pgconn.status != _BAD:
            status = pgconn.connect_poll()
            if status == pq.PollingStatus.OK:
                pgconn.nonblocking = 1
                check(pgconn)
                return pgconn
            if status == pq.PollingStatus.FAILED:
                break
            writing = status == pq.PollingStatus.WRITING
            wait(pgconn.socket, give_up, reading=not writing, writing=writing)
        raise psycopg.OperationalError(pgconn.error_message.decode("utf-8", "replace"))
    except BaseException:
        pgconn.finish()
        raise


def check(pgconn: PGconn) -> None:
    """Refuse a server that cannot do what is needed; it has already said what it is."""
    version = pgconn.server_version
    if version < MINIMUM:
        raise ConfigurationError(
            f"this PostgreSQL is version {version // 10000}; sessions need {MINIMUM // 10000} "
            "or later"
        )
    encoding = pgconn.parameter_status(b"server_encoding")
    if encoding not in (b"UTF8", b"SQL_ASCII", None):
        raise ConfigurationError(
            f"this database has the encoding {encoding.decode('ascii', 'replace')}, which does not "
            "hold every owner's name; sessions need a database with UTF8"
        )


def wait(descriptor: int, give_up: float, *, reading: bool = True, writing: bool = False) -> None:
    """Wait until the socket is ready, or closed.

    :param give_up: by the monotonic clock, when to raise :class:`Timeout`.
    """
    seconds = max(0.0, give_up - time.monotonic())
    if not is_ready(descriptor, seconds, reading=reading, writing=writing):
        raise Timeout("it did not answer in time")


def _error(result: PGresult) -> psycopg.Error:
    """Return the error that *result* is, without details, which may quote a row."""
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode("ascii", "replace")
    primary = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
    text = primary.decode("utf-8", "replace")
    if not state:  # not from the server, but from libpq: the connection is lost
        return psycopg.OperationalError(text)
    try:
        error = psycopg.errors.lookup(state)(text)
    except KeyError:
        error = psycopg.DatabaseError(text)
    error.sqlstate = state
    return error
