"""Where the Redis store takes its connections from.

A connection of redis-py is used directly: its client and its pool take longer than the server.
"""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import inspect
import re
import typing as t

import redis
import redis.connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from sessionkit.errors import ConfigurationError
from sessionkit.errors import UnsupportedOperation

from ._freelist import FreeList
from ._url import split_url

#: The first server with PXAT, PEXPIRETIME and scripts that may ask for the time before they write.
MINIMUM = 7

# What a pool of redis-py adds for itself, since a connection of ours must not report to that pool;
# and what makes a connection send a command twice.
_LEFT_OUT = (
    "cache",
    "cache_config",
    "event_dispatcher",
    "himport_registry",
    "maint_notifications_config",
    "maint_notifications_pool_handler",
    "maintenance_notification_hash",
    "maintenance_state",
    "orig_host_address",
    "orig_socket_connect_timeout",
    "orig_socket_timeout",
    "oss_cluster_maint_notifications_handler",
    "retry_on_error",
    "retry_on_timeout",
)


class Connection(t.Protocol):
    """What is used of a connection of redis-py, whose own types say too little."""

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def can_read(self, timeout: float = 0) -> bool: ...
    def pack_commands(self, commands: cabc.Iterable[Command]) -> list[bytes]: ...
    def send_packed_command(self, command: list[bytes]) -> None: ...
    def send_command(self, *command: bytes | str | int) -> None: ...
    def read_response(self, disable_decoding: bool = False) -> t.Any: ...


Command = tuple[bytes | str | int, ...]


class Connections(t.Protocol):
    """Where connections are taken from, and given back to."""

    #: Where the server is, without its password.
    address: str

    def fresh(self) -> Connection:
        """Take a connection that has not been idle."""
        ...

    def idle(self) -> Connection | None:
        """Take one that has been idle and may be dead, if there is one."""
        ...

    def give(self, connection: Connection) -> None:
        """Give a connection back; all its answers have been read."""
        ...

    def drop(self, connection: Connection) -> None:
        """Give a connection back that must not be used again."""
        ...

    def close(self) -> None:
        """Close the idle ones."""
        ...


class DirectConnections:
    """Connections of our own, which never retry anything by themselves."""

    def __init__(
        self,
        connection_class: cabc.Callable[..., Connection],
        arguments: dict[str, t.Any],
        *,
        connect_timeout: float | None,
        timeout: float | None,
        max_idle: int,
    ) -> None:
        self._class = connection_class
        self._arguments = {
            name: value for name, value in arguments.items() if name not in _LEFT_OUT
        } | {
            "retry": Retry(NoBackoff(), 0),
            "retry_on_timeout": False,
            "retry_on_error": [],
            "decode_responses": False,
            "health_check_interval": 0,  # a PING before a command; see RedisStore._write
        }
        for name, given in (
            ("socket_connect_timeout", connect_timeout),
            ("socket_timeout", timeout),
        ):
            if given is not None or self._arguments.get(name) is None:
                self._arguments[name] = 1.0 if given is None else given
        self._make()  # connects to nothing, but knows its parameters
        self.address = address_of(self._arguments, secure=connection_class is redis.SSLConnection)
        self._list = FreeList(self._connect, _disconnect, max_idle=max_idle)
        self.fresh = self._list.new
        self.idle = self._list.idle
        self.give = self._list.give
        self.close = self._list.drain

    def drop(self, connection: Connection) -> None:
        self._list.drop(connection)

    def _make(self) -> Connection:
        return self._class(**self._arguments)

    def _connect(self) -> Connection:
        connection = self._make()
        try:
            connection.connect()
            check_version(connection)
        except BaseException:
            _disconnect(connection)
            raise
        return connection


class PooledConnections:
    """Connections of a pool that does more than to hold them, such as to ask Sentinel."""

    def __init__(self, pool: t.Any) -> None:
        self._pool = pool
        wanted = inspect.signature(pool.get_connection).parameters.get("command_name")
        # Up to redis-py 5.2 it has to be told a command, which it does nothing with.
        required = wanted is not None and wanted.default is wanted.empty
        self._arguments = ("GET",) if required else ()
        self.address = address_of(pool.connection_kwargs)

    def fresh(self) -> Connection:
        # The pool has looked whether it is alive.
        return t.cast(Connection, self._pool.get_connection(*self._arguments))

    def idle(self) -> Connection | None:
        return None

    def give(self, connection: Connection) -> None:
        self._pool.release(connection)

    def drop(self, connection: Connection) -> None:
        _disconnect(connection)
        self._pool.release(connection)

    def close(self) -> None:
        self._pool.disconnect(inuse_connections=False)


def connections_of(
    source: object, *, connect_timeout: float | None, timeout: float | None, max_idle: int
) -> Connections:
    """Return the connections to what *source* is: a URL, a client or a pool of redis-py."""
    connection_class: t.Any
    if isinstance(source, str):
        connection_class, arguments = _parse(source)
    else:
        pool: t.Any = getattr(source, "connection_pool", source)
        if type(pool).__module__.startswith("redis.asyncio"):
            raise ConfigurationError("RedisStore needs a synchronous client, not one of asyncio")
        if isinstance(source, redis.RedisCluster):
            raise UnsupportedOperation(
                "RedisStore takes one Redis server, or the master that Sentinel names, but no "
                "Redis Cluster: a session and its owner's index would be on different nodes"
            )
        if not isinstance(pool, redis.ConnectionPool):
            raise ConfigurationError(
                "RedisStore needs a URL such as redis://host:6379/0, or a client or a connection "
                f"pool of redis-py, not {type(source).__name__}"
            )
        connection_class = pool.connection_class
        arguments = dict(pool.connection_kwargs)
        if not _is_plain(type(pool), connection_class, arguments):
            return PooledConnections(pool)
    try:
        return DirectConnections(
            connection_class,
            arguments,
            connect_timeout=connect_timeout,
            timeout=timeout,
            max_idle=max_idle,
        )
    except TypeError as error:
        name = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        if name is None:
            raise
        raise ConfigurationError(f"{name[1]!r} is no parameter of a Redis connection") from None


def check_version(connection: Connection) -> None:
    """Refuse a server that is too old, if it said what it is (RESP3's greeting)."""
    greeting: object = getattr(connection, "handshake_metadata", None)
    if not isinstance(greeting, dict):
        return
    said = t.cast("dict[object, object]", greeting)
    version = said.get(b"version", said.get("version", ""))
    if isinstance(version, bytes):
        version = version.decode("ascii", "replace")
    major = str(version).partition(".")[0]
    if major.isdigit() and int(major) < MINIMUM:
        raise ConfigurationError(
            f"this Redis is version {version}; sessions need Redis 7.0, Valkey 7.2 or later"
        )


def address_of(arguments: dict[str, t.Any], *, secure: bool = False) -> str:
    """Return the address in *arguments* as a URL without user and password."""
    database = arguments.get("db") or 0
    if path := arguments.get("path"):
        return f"unix://{path}?db={database}"
    if "connection_pool" in arguments:
        return "a master named by Sentinel"
    host = str(arguments.get("host", "localhost"))
    if ":" in host:
        host = f"[{host}]"
    return f"{'rediss' if secure else 'redis'}://{host}:{arguments.get('port', 6379)}/{database}"


def _parse(url: str) -> tuple[t.Any, dict[str, t.Any]]:
    parts = split_url(url)
    try:
        parse_url: t.Any = redis.connection.parse_url
        arguments = dict(parse_url(url))
    except ValueError as error:
        # Its text names a parameter, never a value.
        raise ConfigurationError(f"not a Redis URL: {error}") from None
    if parts.scheme != "unix" and not re.fullmatch(r"/?|/[0-9]+", parts.path):
        raise ConfigurationError("the path of a Redis URL is the number of a database")
    for name in ("max_connections", "timeout"):
        if name in arguments:
            raise ConfigurationError(f"{name!r} is a parameter of pools, and this store has none")
    return arguments.pop("connection_class", redis.Connection), arguments


def _is_plain(pool_class: type, connection_class: t.Any, arguments: dict[str, t.Any]) -> bool:
    """Whether a connection can be made that works without its pool."""
    return (
        pool_class in (redis.ConnectionPool, redis.BlockingConnectionPool)
        and connection_class
        in (redis.Connection, redis.SSLConnection, redis.UnixDomainSocketConnection)
        # A pool replaces credentials that run out on connections that are open.
        and not hasattr(arguments.get("credential_provider"), "on_next")
    )


def _disconnect(connection: Connection) -> None:
    with contextlib.suppress(Exception):  # it is thrown away
        connection.disconnect()
