"""Where the PostgreSQL store takes its connections from."""

from __future__ import annotations

import collections.abc as cabc
import os
import re
import socket
import time
import typing as t

import psycopg
import psycopg_pool
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict
from psycopg.conninfo import make_conninfo

from sessionkit.errors import ConfigurationError

from ._freelist import FreeList
from ._postgres_connection import Connection
from ._postgres_connection import Timeout
from ._postgres_connection import check
from ._postgres_connection import connect

Parameters = dict[str, t.Any]

#: Seconds for what goes through the whole table, which nobody does on a request's path.
PATIENCE = 300.0

_ENCODE = "characters such as / # ? @ : % in a user name or password must be percent-encoded"
_PORTS = re.compile(r"[0-9,]*")
_HOSTS = re.compile(r"[^@?#\s]*|/[^?#\s]*|@[^?#\s]*")


class Connections(t.Protocol):
    """Where connections are taken from, and given back to."""

    #: Where the server is, without its password.
    address: str

    def fresh(self) -> Connection:
        """Take a connection that has not been idle, or has been found alive."""
        ...

    def idle(self) -> Connection | None:
        """Take one that has been idle and may be dead, if there is one."""
        ...

    def patient(self) -> Connection:
        """Take one for what takes long; it is not to be given back, but dropped."""
        ...

    def give(self, connection: Connection, /) -> None:
        """Give a connection back that is fit for further use."""
        ...

    def drop(self, connection: Connection, /) -> None:
        """Give a connection back that must not be used again."""
        ...

    def close(self) -> None:
        """Close the idle ones."""
        ...


class DirectConnections:
    """Connections of our own.

    :param prepare: without it, nothing that lasts is made or set in a connection.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        connect_timeout: float,
        timeout: float,
        max_idle: int,
        prepare: bool,
    ) -> None:
        self._parameters = _parse(conninfo)
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._prepare = prepare
        self.address = address_of(self._parameters)
        self._list = FreeList(self._connect, Connection.close, max_idle=max_idle)
        self.fresh = self._list.new
        self.idle = self._list.idle
        self.give = self._list.give
        self.drop = self._list.drop
        self.close = self._list.drain

    def patient(self) -> Connection:
        return self._connect(PATIENCE)

    def _connect(self, timeout: float | None = None) -> Connection:
        seconds = self._timeout if timeout is None else timeout
        parameters = self._parameters
        if self._prepare:
            parameters = {**parameters, "options": _options(seconds, parameters.get("options"))}
        errors: list[str] = []
        for attempt in _attempts(parameters, errors):
            try:
                pgconn = connect(make_conninfo("", **attempt), self._connect_timeout)
            except Timeout:
                errors.append(f"no connection within {self._connect_timeout:g} s")
            except psycopg.OperationalError as error:
                errors.append(str(error))
            else:
                return Connection(pgconn, timeout=seconds, prepare=self._prepare)
        raise psycopg.OperationalError("; ".join(errors))


class PooledConnections:
    """Connections of a pool, which are left as they were: nothing is prepared or set in them."""

    def __init__(
        self, pool: psycopg_pool.ConnectionPool[t.Any], *, connect_timeout: float, timeout: float
    ) -> None:
        self._pool = pool
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        # Its threads and its sockets are those of the process that opened it.
        self._process = None if pool.closed else os.getpid()
        conninfo: object = pool.conninfo
        arguments: object = pool.kwargs
        # Either may also be a function, which is only called to connect.
        known = _parse(conninfo) if isinstance(conninfo, str) else {}
        known.update(t.cast(Parameters, arguments) if isinstance(arguments, dict) else {})
        self.address = address_of(known)

    def fresh(self) -> Connection:
        return self._take(self._timeout)

    def idle(self) -> Connection | None:
        return None

    def patient(self) -> Connection:
        return self._take(PATIENCE)

    def give(self, connection: Connection, /) -> None:
        assert connection.borrowed is not None  # noqa: S101 - they are all from here
        self._pool.putconn(connection.borrowed)

    def drop(self, connection: Connection, /) -> None:
        connection.close()
        self.give(connection)

    def close(self) -> None:
        """Leave the pool open: it is somebody else's."""

    def _take(self, timeout: float) -> Connection:
        if self._process not in (None, os.getpid()):
            raise ConfigurationError(
                "the pool was opened before this process was forked: open it after the fork, or "
                "give PostgresStore a URL"
            )
        give_up = time.monotonic() + self._connect_timeout
        while True:
            borrowed = self._pool.getconn(timeout=max(0.0, give_up - time.monotonic()))
            self._process = os.getpid()
            connection = Connection(
                borrowed.pgconn, timeout=timeout, prepare=False, borrowed=borrowed
            )
            try:
                check(borrowed.pgconn)
                if connection.is_alive():
                    return connection
            except BaseException:
                self.drop(connection)
                raise
            self.drop(connection)


def connections_of(
    source: object, *, connect_timeout: float, timeout: float, max_idle: int, prepare: bool
) -> Connections:
    """Return the connections to what *source* is: a URL or a pool."""
    if isinstance(source, str):
        return DirectConnections(
            source,
            connect_timeout=connect_timeout,
            timeout=timeout,
            max_idle=max_idle,
            prepare=prepare,
        )
    if isinstance(source, psycopg_pool.ConnectionPool):
        return PooledConnections(source, connect_timeout=connect_timeout, timeout=timeout)
    raise ConfigurationError(
        "PostgresStore needs a URL such as postgresql://host/database, or a "
        f"psycopg_pool.ConnectionPool, not {type(source).__name__}"
    )


def address_of(parameters: Parameters) -> str:
    """Return where the server is, without user and password."""
    defaults = {one.keyword: one.val for one in pq.Conninfo.get_defaults()}

    def value(name: str) -> str:
        found = parameters.get(name)
        if found is None:
            default = defaults.get(name.encode())
            found = default.decode("utf-8", "replace") if default is not None else ""
        return str(found)

    host = value("host") or value("hostaddr")
    database = value("dbname") or value("user")
    if not host or host.startswith(("/", "@")):
        return f"postgresql:///{database}?host={host}&port={value('port')}"
    if ":" in host and "," not in host:
        host = f"[{host}]"
    return f"postgresql://{host}:{value('port')}/{database}"


def _parse(conninfo: str) -> Parameters:
    wrong = ""
    try:
        parameters = _dictionary(conninfo_to_dict(conninfo))
    except psycopg.ProgrammingError as error:
        # Its text may quote a part of the password, but not where it names a parameter.
        name = re.search(r'(?:parameter:|option) "(\w+)"', str(error))
        wrong = f"{name[1]!r} is no parameter of libpq" if name else "it cannot be taken apart"
        parameters = {}
    if wrong:
        raise ConfigurationError(f"not a PostgreSQL URL: {wrong}; {_ENCODE}")
    host, port = str(parameters.get("host") or ""), str(parameters.get("port") or "")
    if not _PORTS.fullmatch(port) or not all(map(_HOSTS.fullmatch, host.split(","))):
        raise ConfigurationError(f"not a PostgreSQL URL: its host and port are none; {_ENCODE}")
    if "," in host:
        # Sessions are written: of several servers, the one that can.
        parameters.setdefault("target_session_attrs", "read-write")
    parameters.setdefault("fallback_application_name", "sessionkit")
    # A wire that was cut while a connection was idle is noticed before somebody needs it.
    parameters.setdefault("keepalives_idle", "60")
    parameters.setdefault("keepalives_interval", "10")
    parameters["client_encoding"] = "UTF8"
    return parameters


def _dictionary(parameters: cabc.Mapping[str, t.Any] | None) -> Parameters:
    return {name: value for name, value in (parameters or {}).items() if value is not None}


def _options(timeout: float, given: object) -> str:
    """Return the settings of a connection; those in the URL come last, and win."""
    # A little less than we wait: then the answer says that nothing was done.
    milliseconds = max(1, int(timeout * 900))
    return (
        f"-c statement_timeout={milliseconds} "
        f"-c default_transaction_isolation=read\\ committed {given or ''}"
    )


def _attempts(parameters: Parameters, errors: list[str]) -> cabc.Iterator[Parameters]:
    """Yield the parameters for one address after the other.

    libpq would try them all by itself, but has no time limit for each that way, and asks for a
    name's address in a way that gevent cannot replace.
    """
    hosts = str(parameters.get("host") or "").split(",")
    if parameters.get("hostaddr"):
        yield parameters
        return
    ports = str(parameters.get("port") or "").split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    if len(ports) != len(hosts):
        errors.append("the URL has another number of ports than of hosts")
        return
    for host, port in zip(hosts, ports, strict=True):
        attempt = {**parameters, "host": host, "port": port}
        if not host or host.startswith(("/", "@")):
            yield attempt
            continue
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            errors.append(f"no address of {host}: {getattr(error, 'strerror', None) or error}")
            continue
        for address in dict.fromkeys(str(one[4][0]) for one in found):
            yield {**attempt, "hostaddr": address}
