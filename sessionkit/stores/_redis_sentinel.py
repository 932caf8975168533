"""Connections to the master that Sentinel names.

Sentinel is asked whenever a connection is made, and once a second beside that: a master that the
others have lost does not break the connections that it has, and what it is told is lost.
Connections to a server that is not the master any more are not used again. No lock is held
meanwhile, so that a fork cannot inherit one.
"""

from __future__ import annotations

import contextlib
import time
import typing as t
import urllib.parse

import redis
import redis.exceptions
import redis.sentinel

from sessionkit.errors import ConfigurationError

from ._redis_connections import Check
from ._redis_connections import Connection
from ._redis_connections import DirectConnections
from ._redis_connections import Limits
from ._redis_connections import can_be_copied
from ._redis_connections import disconnect
from ._redis_connections import parse_redis_url
from ._redis_urls import split_hosts
from ._redis_wire import is_down

Address = tuple[str, int]

#: Seconds after which Sentinel is asked again, and after which if none has answered.
ASK_AGAIN = 1.0
_NO_ANSWER = 10.0

_REFUSALS = (redis.AuthenticationError, redis.ResponseError)

# What is a connection's own, and not what Sentinel needs to be asked.
_OF_THE_MASTER = ("host", "port", "db", "username", "password", "client_name")


class Sentinels(t.NamedTuple):
    """Where to ask for the master of a service: the arguments of a connection to each Sentinel."""

    service: str
    connection_class: t.Any
    arguments: tuple[dict[str, t.Any], ...]


class SentinelConnections(DirectConnections):
    """Connections of our own to the master of a service."""

    def __init__(
        self,
        connection_class: t.Any,
        arguments: dict[str, t.Any],
        sentinels: Sentinels,
        limits: Limits,
        check: Check,
    ) -> None:
        super().__init__(connection_class, arguments, limits, check)
        self._service = sentinels.service
        asked = Limits(self._arguments["socket_connect_timeout"], self.timeout, max_idle=1)
        #: The one that answered last comes first.
        self._sentinels = [
            DirectConnections(sentinels.connection_class, one, asked, _unchecked)
            for one in sentinels.arguments
        ]
        self._master: Address | None = None
        self._ask_at = 0.0
        hosts = ",".join(one.address.split("/")[2] for one in self._sentinels)
        self.address = f"redis+sentinel://{hosts}/{self._service}/{arguments.get('db') or 0}"
        self.give = self._give
        self.idle = self._idle
        self.close = self._drain

    def failed(self, error: redis.RedisError) -> None:
        # A master that hangs is replaced, too.
        if isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
            self.close()

    def refused(self, error: redis.ResponseError) -> bool:
        if not isinstance(error, redis.ReadOnlyError) and not is_down(error):
            return False
        self.close()  # it was the master
        return True

    def _idle(self) -> Connection | None:
        now = time.monotonic()
        if now >= self._ask_at:
            self._ask_at = now + _NO_ANSWER  # others need not wait for this
            try:
                self._follow(self._ask_for_master())
            except redis.RedisError:
                pass  # those that we have may still be good
            else:
                self._ask_at = now + ASK_AGAIN
        return self._list.idle()

    def _drain(self) -> None:
        for connections in (self._list, *(one._list for one in self._sentinels)):
            connections.drain()

    def _follow(self, master: Address) -> None:
        if self._master != master:
            self._master = master
            self.close()

    def _give(self, connection: Connection) -> None:
        if _address(connection) == self._master:
            self._list.give(connection)
        else:
            self._list.drop(connection)

    def _connect(self) -> Connection:
        host, port = master = self._ask_for_master()
        connection = self._connected(
            self._make(host=host, port=port), f"redis://{host}:{port} ({self._service})"
        )
        self._follow(master)
        self._ask_at = time.monotonic() + ASK_AGAIN
        return connection

    def _connected(self, connection: Connection, address: str) -> Connection:
        super()._connected(connection, address)
        try:
            _check_role(connection, address)
        except BaseException:
            disconnect(connection)
            raise
        return connection

    def _ask_for_master(self) -> Address:
        """Return the master's address from the first Sentinel that knows it."""
        trouble: list[redis.RedisError] = []
        for sentinel in tuple(self._sentinels):
            try:
                answer = _ask(sentinel, self._service)
            except redis.RedisError as error:
                trouble.append(error)
                continue
            if answer is not None:
                if sentinel is not self._sentinels[0]:
                    others = [one for one in self._sentinels if one is not sentinel]
                    self._sentinels = [sentinel, *others]
                return answer
        if trouble:
            first = trouble[0]
            kind = type(first) if isinstance(first, _REFUSALS) else redis.ConnectionError
            raise kind(f"no Sentinel names a master: {first}") from first
        raise redis.ResponseError(f"no Sentinel knows a service {self._service!r}")


def sentinels_of(pool: t.Any) -> Sentinels | None:
    """Return what the pool of ``Sentinel.master_for`` asks; None if it does so in its own way."""
    manager = pool.sentinel_manager
    if not pool.is_master:
        raise ConfigurationError("sessions need the master: use Sentinel.master_for")
    if (
        type(pool) is not redis.sentinel.SentinelConnectionPool
        or type(manager) is not redis.sentinel.Sentinel
        or pool.connection_class not in _PLAIN
        or manager.min_other_sentinels
        or getattr(manager, "_force_master_ip", None)
        or not can_be_copied(pool.connection_kwargs)
    ):
        return None
    pools = [one.connection_pool for one in manager.sentinels]
    return Sentinels(
        str(pool.service_name),
        pools[0].connection_class,
        tuple(dict(one.connection_kwargs) for one in pools),
    )


def plain_class(managed: t.Any) -> t.Any:
    """Return the class of connections that do without their pool."""
    return _PLAIN[managed]


def parse_sentinel_url(url: str) -> tuple[t.Any, dict[str, t.Any], Sentinels]:
    """Take ``redis+sentinel://user:password@host:port,host:port/service/db`` apart."""
    parts, hosts = split_hosts(url, "sentinel", 26379)
    _, _, path = parts.path.partition("/")
    service, _, database = path.partition("/")
    service = urllib.parse.unquote(service)
    if not service:
        raise ConfigurationError(
            "the path of a Sentinel URL is the name of the service that Sentinel watches"
        )
    query, own = [], {}
    for item in parts.query.split("&") if parts.query else []:
        name, _, value = item.partition("=")
        if name in ("sentinel_username", "sentinel_password"):
            own[name.removeprefix("sentinel_")] = urllib.parse.unquote_plus(value)
        else:
            query.append(item)
    login, at, _ = parts.netloc.rpartition("@")
    connection_class, arguments = parse_redis_url(
        f"{parts.scheme}://{login}{at}localhost/{database}?{'&'.join(query)}"
    )
    common = {name: value for name, value in arguments.items() if name not in _OF_THE_MASTER}
    asked = tuple({**common, **own, "host": host, "port": port} for host, port in hosts)
    return connection_class, arguments, Sentinels(service, connection_class, asked)


_PLAIN: dict[t.Any, t.Any] = {
    redis.sentinel.SentinelManagedConnection: redis.Connection,
    redis.sentinel.SentinelManagedSSLConnection: redis.SSLConnection,
}


def _ask(sentinel: DirectConnections, service: str) -> Address | None:
    connection = sentinel.idle()
    if connection is not None:
        with contextlib.suppress(redis.ConnectionError):  # it was closed as idle
            return _ask_on(sentinel, connection, service)
    return _ask_on(sentinel, sentinel.fresh(), service)


def _ask_on(sentinel: DirectConnections, connection: Connection, service: str) -> Address | None:
    try:
        connection.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)
        answer = connection.read_response(disable_decoding=True)
    except BaseException:
        sentinel.drop(connection)
        raise
    sentinel.give(connection)
    return None if answer is None else (answer[0].decode(), int(answer[1]))


def _check_role(connection: Connection, address: str) -> None:
    """Refuse a server that is not yet, or not any more, what Sentinel says."""
    connection.send_command("ROLE")
    try:
        role = connection.read_response(disable_decoding=True)[0]
    except redis.exceptions.NoPermissionError:
        return  # who may not ask it has only Sentinel's word
    if role != b"master":
        raise redis.ConnectionError(f"{address} is no master yet, or not any more")


def _address(connection: t.Any) -> Address:
    return connection.host, connection.port


def _unchecked(connection: Connection, address: str) -> None:
    """Accept any Sentinel."""
