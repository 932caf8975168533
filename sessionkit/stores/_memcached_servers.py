"""The servers of the memcached store: who they are, and which one has a key.

The mapping is fixed. A client that gives the keys of a server that does not answer to another one
tells everybody there that they are logged out, and brings back who logged out in the meantime.
"""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import copy
import hashlib
import itertools
import re
import struct
import typing as t

from pymemcache import exceptions  # type: ignore[import-untyped]

from sessionkit.errors import ConfigurationError

from ._freelist import FreeList
from ._memcached_connection import Connection

_MINIMUM = (1, 6)

# Three hexadecimal digits of a key; so many that the servers' shares differ by a few per cent.
_SLOTS = 4096

_KEY_LENGTH = 64
_LONGEST_NAME = 250


class Server:
    """One memcached and the connections to it.

    :param template: a client of pymemcache that is copied for each connection, never connected.
    :param login: user name and password, where the server wants them.
    :ivar name: host and port, or the path of its socket.
    :ivar prefix: what all keys begin with.
    :ivar opened: the number of a connection; those of all that were open by now are no higher.
    """

    def __init__(
        self, template: t.Any, *, prefix: bytes, login: tuple[str, str] | None, max_idle: int
    ) -> None:
        self._template = template
        self._login = login
        self._numbers = itertools.count(1)
        address: tuple[str, int] | str = template.server
        if isinstance(address, str):
            self.name = address
        else:
            host, port = address
            self.name = f"[{host}]:{port}" if ":" in host else f"{host.lower()}:{port}"
        self.prefix = bytes(template.key_prefix) + prefix
        if len(self.prefix) + _KEY_LENGTH > _LONGEST_NAME:
            raise ConfigurationError(
                f"the prefix has {len(self.prefix)} characters, and memcached allows "
                f"{_LONGEST_NAME - _KEY_LENGTH} before a session's key"
            )
        self.opened = 0
        self._list = FreeList(self._connect, Connection.close, max_idle=max_idle)
        self.give = self._list.give
        self.drop = self._list.drop
        self.close = self._list.drain

    def gets(self, name: bytes) -> tuple[bytes, bytes, int] | None:
        """Return what is stored under *name*, its cas and :attr:`opened` from before."""
        connection = self._list.idle()
        if connection is not None:
            try:
                return self._gets(connection, name)
            except TimeoutError:
                raise
            except (OSError, exceptions.MemcacheUnexpectedCloseError):
                # The server was restarted, or closed it as idle; the others will be dead too.
                self.close()
        return self._gets(self._list.new(), name)

    def _gets(self, connection: Connection, name: bytes) -> tuple[bytes, bytes, int] | None:
        opened = self.opened
        try:
            found = connection.gets(name)
        except BaseException:
            self.drop(connection)  # an answer may still be under way
            raise
        self.give(connection)
        return found and (*found, opened)

    def live(self) -> Connection:
        """Take a connection that is not dead, as far as one can know without asking."""
        while (connection := self._list.idle()) is not None:
            if connection.is_alive():
                return connection
            self.drop(connection)
        return self._list.new()

    def _connect(self) -> Connection:
        *others, last = self._addresses()
        for address in others:
            with contextlib.suppress(OSError):  # that of the last address is raised
                return self._connect_to(address)
        return self._connect_to(last)

    def _connect_to(self, address: object) -> Connection:
        client = copy.copy(self._template)
        client.server = address
        try:
            version = self._greet(client)
        except BaseException:
            client.close()
            raise
        number = next(self._numbers)
        self.opened = number
        return Connection(client, version, number)

    def _addresses(self) -> cabc.Sequence[object]:
        """Return where the server may be: pymemcache tries only the first of a name's addresses."""
        server: tuple[str, int] | str = self._template.server
        if isinstance(server, str):
            return [server]
        network = self._template.socket_module
        try:
            found = network.getaddrinfo(*server, type=network.SOCK_STREAM)
        except UnicodeError:
            raise ConfigurationError(f"{self.name} cannot be the name of a host") from None
        addresses = list(dict.fromkeys((family, where[:2]) for family, *_, where in found))
        if len({family for family, _ in addresses}) < len(addresses):
            raise ConfigurationError(
                f"{self.name} is the name of several machines, and a session would be on one of "
                "them by chance: give the store the address of each"
            )
        if len(addresses) == 1 or self._template.tls_context:
            return [server]  # TLS needs the name
        return [where for _, where in addresses]

    def _greet(self, client: t.Any) -> tuple[int, ...]:
        """Connect, and return the server's version; refuse one that is too old."""
        try:
            if self._login:
                words = " ".join(self._login).encode()
                # Expired at once, for a server that does not ask and would keep it.
                client.raw_command(b"set auth 0 -1 %d\r\n%b" % (len(words), words))
            version = client.version().decode("ascii", "replace")
        except exceptions.MemcacheUnknownCommandError:
            version = None
        if version is None:  # not in the context of that error, which quotes the password
            raise ConnectionRefusedError("too many connections, or this is no memcached")
        numbers = tuple(map(int, re.findall(r"[0-9]{1,9}", version)[:3]))
        if numbers < _MINIMUM:
            raise ConfigurationError(
                f"the memcached at {self.name} is version {version}; sessions need 1.6 or later"
            )
        return numbers


class Servers:
    """All of them, and which one has a key."""

    def __init__(self, servers: cabc.Sequence[Server]) -> None:
        names = [server.name for server in servers]
        if not names:
            raise ConfigurationError("MemcachedStore needs at least one server")
        if len(set(names)) < len(names):
            raise ConfigurationError("a memcached is named twice")
        self.all = tuple(servers)
        # Whoever has the highest number gets the slot, so that a server more or less moves no
        # sessions but its own, and the order does not matter.
        numbers = (
            struct.unpack(f">{_SLOTS}Q", hashlib.shake_256(server.name.encode()).digest(8 * _SLOTS))
            for server in servers
        )
        self._slots = [servers[slot.index(max(slot))] for slot in zip(*numbers, strict=True)]

    def of(self, key: str) -> Server:
        return self._slots[int(key[:3], 16)]
