"""Sessions in memcached: one item a record, replaced and removed by its cas."""

from __future__ import annotations

import collections.abc as cabc
import math
import re
import typing as t

from pymemcache import exceptions  # type: ignore[import-untyped]

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreFull
from sessionkit.errors import StoreUnavailable
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from ._memcached_connection import Connection
from ._memcached_servers import Server
from ._memcached_servers import Servers
from ._memcached_sources import parse_url
from ._memcached_sources import templates_of
from ._packed import pack
from ._packed import unpack
from ._settings import check_not_negative
from ._settings import check_positive
from ._url import Kinds
from ._url import only_parameters

# The server takes up to 30 days as seconds from now, and holds the number in 32 bits.
_RELATIVE = 30 * 86400
_LAST_MOMENT = 2**31 - 1


class MemcachedStore:
    """Keeps sessions in one or several memcached servers (1.6 or later).

    :param source: a URL (``memcached://host:11211,host2:11211/``, ``memcached:///path/to/socket``),
        or a ``Client`` or ``PooledClient`` of pymemcache, or a list of them. From a client only the
        settings of its connections are taken, and its key prefix.
    :param prefix: what all keys begin with. Another one is another store.
    :param margin: seconds that the server keeps a record beyond its ``expires_at``.
    :param connect_timeout: seconds to wait for a connection; 1 unless a client says something else.
    :param timeout: seconds to wait for an answer, likewise.
    :param max_idle: connections to each server that are kept open.

    Which server has a session depends on the servers' names alone. One that does not answer is an
    outage for its sessions; none of them is looked for, or made, on another one. memcached forgets
    everything when it ends, and what was used longest ago when it is full: a user is logged out
    then. It has no index that would be certain to be complete, so an owner's sessions cannot be
    listed.
    """

    def __init__(
        self,
        source: object,
        *,
        prefix: str = "sessionkit:",
        margin: float = EXPIRY_MARGIN,
        connect_timeout: float | None = None,
        timeout: float | None = None,
        max_idle: int = 32,
    ) -> None:
        check_not_negative(margin=margin, max_idle=max_idle)
        check_positive(connect_timeout=connect_timeout, timeout=timeout)
        if re.search(r"[^!-~]", prefix):
            raise ConfigurationError("the prefix must be of printable ASCII characters, no spaces")
        self.prefix = prefix
        self.margin = margin
        templates, login = templates_of(source, connect_timeout=connect_timeout, timeout=timeout)
        servers = [
            Server(template, prefix=prefix.encode(), login=login, max_idle=max_idle)
            for template in templates
        ]
        self._servers = Servers(servers)
        self._server_of = self._servers.of

    @classmethod
    def from_url(cls, url: str) -> MemcachedStore:
        """Return the store for a URL; its query may hold our parameters."""
        kinds: Kinds = {
            "prefix": str,
            "margin": float,
            "connect_timeout": float,
            "timeout": float,
            "max_idle": int,
        }
        address, _, query = url.partition("?")
        parse_url(address)  # what is wrong with it may be a password with a question mark
        return cls(address, **only_parameters(query, kinds))

    def __repr__(self) -> str:
        names = ",".join(server.name for server in self._servers.all)
        return f"<MemcachedStore {names} prefix={self.prefix!r}>"

    def get(self, key: str, /) -> Record | None:
        server = self._server_of(key)
        try:
            found = server.gets(server.prefix + key.encode())
        except (OSError, exceptions.MemcacheError) as error:
            raise _translate(error, server) from error
        if found is None:
            return None
        value, cas, opened = found
        record = unpack(value, _Found)
        if record is not None:
            record.token = _Token(server, cas, opened)
        return record

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        value, deadline = pack(record), self._deadline(record)
        if expected is None:
            return self._write(key, None, lambda there, name, _: there.add(name, deadline, value))
        return self._write(
            key, expected, lambda there, name, cas: there.replace(name, cas, deadline, value)
        )

    def delete(self, key: str, expected: Record, /) -> bool:
        return self._write(key, expected, Connection.delete)

    def node_of(self, key: str, /) -> str:
        return self._server_of(key).name

    def close(self) -> None:
        for server in self._servers.all:
            server.close()

    def _deadline(self, record: Record) -> int:
        """Return the second at which the server may drop *record*."""
        # One more: the server counts its own seconds, which begin when it likes.
        deadline = math.ceil(min(record.expires_at + self.margin, _LAST_MOMENT)) + 1
        if deadline > _LAST_MOMENT:
            return 0  # never
        return deadline if deadline > _RELATIVE else -1

    def _write(
        self,
        key: str,
        expected: Record | None,
        change: cabc.Callable[[Connection, bytes, bytes], bool],
    ) -> bool:
        """Send a command that may not be sent twice.

        If it was carried out and the answer got lost, the second one would find its own change and
        report a conflict; the core would then merge, and count twice what is counted.
        """
        server = self._server_of(key)
        name = server.prefix + key.encode()
        try:
            connection = server.live()
            try:
                cas = b"" if expected is None else _cas(server, connection, name, expected)
                done = cas is not None and change(connection, name, cas)
            except BaseException:
                server.drop(connection)
                raise
        except (OSError, exceptions.MemcacheError) as error:
            raise _translate(error, server) from error
        server.give(connection)
        return done


class _Token(t.NamedTuple):
    """What a record was when it was read.

    The numbers of a server that was started again begin with 1 again. A connection that was open
    before the record was read leads to the server that it was read from, or to none.
    """

    server: Server
    cas: bytes
    opened: int


class _Found(Record):
    """A record with its token, which only lives in this object: copies are plain records."""

    token: _Token | None = None

    def __reduce__(self) -> tuple[type[Record], tuple[object, ...]]:
        return Record, tuple(self)


def _cas(server: Server, connection: Connection, name: bytes, expected: Record) -> bytes | None:
    """Return the number that *expected* has there; None if it is not there any more."""
    token = expected.token if isinstance(expected, _Found) else None
    if token and token.server is server and connection.number <= token.opened:
        return token.cas
    found = connection.gets(name)
    if found is None:
        return None
    value, cas = found
    record = unpack(value, Record)
    return cas if record and record.version == expected.version else None


def _translate(error: Exception, server: Server) -> StoreUnavailable:
    text = str(error)
    if error.args and isinstance(error.args[0], bytes):  # pymemcache's, from the server
        text = error.args[0].decode("ascii", "replace")
    lost = isinstance(error, exceptions.MemcacheUnexpectedCloseError)
    if lost:
        text = "the server closed the connection"
    message = f"{server.name}: {text or type(error).__name__}"
    if text.startswith("out of memory storing"):
        return StoreFull(message)
    return StoreUnavailable(message, unreachable=lost or isinstance(error, OSError))
