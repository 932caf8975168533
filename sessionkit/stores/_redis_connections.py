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

from ._freelist import FreeList
from ._settings import check_not_negative
from ._settings import check_positive
from ._url import split_url

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


C = t.TypeVar("C")


class Connection(t.Protocol):
    """What is used of a connection of redis-py, whose own types say too little."""

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def can_read(self, timeout: float = 0) -> bool: ...
    def send_packed_command(self, command: list[bytes]) -> None: ...
    def send_command(self, *command: bytes | str | int) -> None: ...
    def read_response(self, disable_decoding: bool = False) -> t.Any: ...


#: Looks at a server when a connection to its address has been made.
Check = cabc.Callable[[Connection, str], None]


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

    def failed(self, error: redis.RedisError) -> None:
        """Take note that the server did not answer."""
        ...

    def refused(self, error: redis.ResponseError) -> bool:
        """Take note of an error that the server answered; whether another one is to be asked."""
        ...

    def close(self) -> None:
        """Close the idle ones."""
        ...


class Limits(t.NamedTuple):
    """How long to wait, in seconds, and how many connections to keep.

    None: what the client says, or a second.
    """

    connect_timeout: float | None = None
    timeout: float | None = None
    max_idle: int = 32

    def check(self) -> None:
        check_not_negative(max_idle=self.max_idle)
        check_positive(connect_timeout=self.connect_timeout, timeout=self.timeout)


class DirectConnections:
    """Connections of our own, which never retry anything by themselves."""

    def __init__(
        self,
        connection_class: cabc.Callable[..., Connection],
        arguments: dict[str, t.Any],
        limits: Limits,
        check: Check,
    ) -> None:
        self._class = connection_class
        self._check = check
        self._arguments: dict[str, t.Any] = {
            name: value for name, value in arguments.items() if name not in _LEFT_OUT
        } | {
            "retry": Retry(NoBackoff(), 0),
            "retry_on_timeout": False,
            "retry_on_error": [],
            "decode_responses": False,
            "health_check_interval": 0,  # a PING before a command; see RedisStore._write
        }
        for name, given in (
            ("socket_connect_timeout", limits.connect_timeout),
            ("socket_timeout", limits.timeout),
        ):
            if given is not None or self._arguments.get(name) is None:
                self._arguments[name] = 1.0 if given is None else given
        self.timeout: float = self._arguments["socket_timeout"]
        self._make()  # connects to nothing, but knows its parameters
        self.address = address_of(self._arguments, secure=connection_class is redis.SSLConnection)
        self._list = FreeList(self._connect, disconnect, max_idle=limits.max_idle)
        self.fresh = self._list.new
        self.idle = self._list.idle
        self.give = self._list.give
        self.close = self._list.drain

    def drop(self, connection: Connection) -> None:
        self._list.drop(connection)

    def failed(self, error: redis.RedisError) -> None:
        if isinstance(error, redis.ConnectionError):
            self.close()

    def refused(self, error: redis.ResponseError) -> bool:
        return False

    def _make(self, **others: t.Any) -> Connection:
        return self._class(**{**self._arguments, **others})

    def _connect(self) -> Connection:
        return self._connected(self._make(), self.address)

    def _connected(self, connection: Connection, address: str) -> Connection:
        try:
            connection.connect()
            self._check(connection, address)
        except BaseException:
            disconnect(connection)
            raise
        return connection


class PooledConnections:
    """Connections of a pool that does something of its own to make them."""

    def __init__(self, pool: t.Any, check: Check) -> None:
        self._pool = pool
        self._check = check
        wanted = inspect.signature(pool.get_connection).parameters.get("command_name")
        # Up to redis-py 5.2 it has to be told a command, which it does nothing with.
        required = wanted is not None and wanted.default is wanted.empty
        self._arguments = ("GET",) if required else ()
        self.address = address_of(pool.connection_kwargs)
        self.timeout: float | None = pool.connection_kwargs.get("socket_timeout")

    def fresh(self) -> Connection:
        # The pool has looked whether it is alive.
        connection = t.cast(Connection, self._pool.get_connection(*self._arguments))
        try:
            self._check(connection, self.address)
        except BaseException:
            self.drop(connection)
            raise
        return connection

    def idle(self) -> Connection | None:
        return None

    def give(self, connection: Connection) -> None:
        self._pool.release(connection)

    def drop(self, connection: Connection) -> None:
        disconnect(connection)
        self._pool.release(connection)

    def failed(self, error: redis.RedisError) -> None:
        if isinstance(error, redis.ConnectionError):
            self.close()

    def refused(self, error: redis.ResponseError) -> bool:
        return False

    def close(self) -> None:
        self._pool.disconnect(inuse_connections=False)


def make_direct(
    make: cabc.Callable[..., C], connection_class: t.Any, arguments: dict[str, t.Any], *more: t.Any
) -> C:
    """Return what *make* makes of a connection's class and arguments, which must fit together."""
    try:
        return make(connection_class, arguments, *more)
    except TypeError as error:
        name = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        if name is None:
            raise
        raise ConfigurationError(f"{name[1]!r} is no parameter of a Redis connection") from None


def address_of(arguments: dict[str, t.Any], *, secure: bool = False) -> str:
    """Return the address in *arguments* as a URL without user and password."""
    database = arguments.get("db") or 0
    if path := arguments.get("path"):
        return f"unix://{path}?db={database}"
    if "connection_pool" in arguments:
        return "a Redis server"  # its pool knows which
    host = str(arguments.get("host", "localhost"))
    if ":" in host:
        host = f"[{host}]"
    return f"{'rediss' if secure else 'redis'}://{host}:{arguments.get('port', 6379)}/{database}"


def parse_redis_url(url: str) -> tuple[t.Any, dict[str, t.Any]]:
    """Return the class and the arguments of the connections that a URL of redis-py describes."""
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
    if parts.scheme == "rediss" and arguments.get("ssl_cert_reqs", "required") == "required":
        arguments.setdefault("ssl_check_hostname", True)  # not so before redis-py 6
    return arguments.pop("connection_class", redis.Connection), arguments


def is_plain(pool: t.Any) -> bool:
    """Whether a connection can be made that works without its pool."""
    return (
        type(pool) in (redis.ConnectionPool, redis.BlockingConnectionPool)
        and pool.connection_class
        in (redis.Connection, redis.SSLConnection, redis.UnixDomainSocketConnection)
        and can_be_copied(pool.connection_kwargs)
    )


def can_be_copied(arguments: dict[str, t.Any]) -> bool:
    """Whether connections with these arguments need nobody who renews their credentials."""
    # A pool replaces credentials that run out on connections that are open.
    return not hasattr(arguments.get("credential_provider"), "on_next")


def disconnect(connection: Connection) -> None:
    """Close a connection that is thrown away."""
    with contextlib.suppress(Exception):  # whatever state it is in; what led here is raised
        connection.disconnect()
