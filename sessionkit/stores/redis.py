"""Sessions in Redis or Valkey: one key a record, one command or script a write."""

from __future__ import annotations

import collections.abc as cabc
import hashlib
import math
import re
import struct
import typing as t
import urllib.parse
import weakref

import redis
import redis.exceptions

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from . import _redis_scripts as scripts
from ._redis_connections import Command
from ._redis_connections import Connection
from ._redis_connections import connections_of
from ._url import Kinds
from ._url import parameters
from ._url import split_url

# A record: version, expires_at, format, length of the owner; then the owner and the payload.
_HEAD = struct.Struct(">QdBH")
_VERSION = struct.Struct(">Q")
_FORMAT = 1

# The end of the year 9999: what never expires does not overflow the server's milliseconds.
_FAR_FUTURE = 253402300799.0

_PAGE = 1000


class RedisStore:
    """Keeps sessions in one Redis (7.0 or later) or Valkey (7.2 or later) server.

    :param source: a URL (``redis://``, ``rediss://``, ``unix://``), or a ready client or connection
        pool of redis-py. From a client only the settings of its connections are taken, and the
        store makes its own, which is faster and retries no write; one that asks Sentinel for its
        master, or that does something of its own to make a connection, is borrowed from.
    :param prefix: what all keys begin with. Another one is another store.
    :param margin: seconds that the server keeps a record beyond its ``expires_at``.
    :param connect_timeout: seconds to wait for a connection; 1 unless a client says something else.
    :param timeout: seconds to wait for an answer, likewise.
    :param max_idle: connections that are kept open.

    What the server forgets is gone: set ``maxmemory-policy`` to ``noeviction`` or ``volatile-ttl``,
    since the other policies may drop the index of an owner alone, and persistence as you need it.
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
        if margin < 0 or max_idle < 0:
            raise ConfigurationError("margin and max_idle must not be negative")
        if prefix.endswith("owner:"):
            raise ConfigurationError("the prefix 'owner:' is that of the store's own indexes")
        for name, value in (("connect_timeout", connect_timeout), ("timeout", timeout)):
            if value is not None and value <= 0:
                raise ConfigurationError(f"{name} must be more than 0 seconds")
        self.prefix = prefix
        self.margin = margin
        self._connections = connections_of(
            source, connect_timeout=connect_timeout, timeout=timeout, max_idle=max_idle
        )
        self._ours = re.compile(re.escape(prefix) + "(owner:)?([0-9a-f]{64})")
        weakref.finalize(self, self._connections.close)

    @classmethod
    def from_url(cls, url: str) -> RedisStore:
        """Return the store for a URL; its query may hold redis-py's parameters besides ours."""
        kinds: Kinds = {
            "prefix": str,
            "margin": float,
            "connect_timeout": float,
            "timeout": float,
            "max_idle": int,
        }
        ours, others = parameters(split_url(url).query, kinds)
        return cls(f"{url.partition('?')[0]}?{urllib.parse.urlencode(others)}", **ours)

    def __repr__(self) -> str:
        return f"<RedisStore {self._connections.address} prefix={self.prefix!r}>"

    def get(self, key: str, /) -> Record | None:
        try:
            value = self._read("GET", self.prefix + key)
        except StoreUnavailable as error:
            if str(error.__cause__).startswith("WRONGTYPE"):
                return None  # somebody else's key, and no session
            raise
        return None if value is None else _unpack(value)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        name = self.prefix + key
        value = _pack(record)
        deadline = self._deadline(record)
        if expected is None:
            if record.owner is None:
                return self._write("SET", name, value, "NX", "PXAT", deadline) is not None
            index = self._index(record.owner)
            return self._run(scripts.CREATE_OWNED, (name, index), (value, deadline, key))
        version = _VERSION.pack(expected.version)
        if expected.owner is None and record.owner is None:
            return self._run(scripts.REPLACE, (name,), (version, value, deadline))
        before = name if expected.owner is None else self._index(expected.owner)
        after = name if record.owner is None else self._index(record.owner)
        return self._run(
            scripts.REPLACE_OWNED, (name, before, after), (version, value, deadline, key)
        )

    def delete(self, key: str, expected: Record, /) -> bool:
        name = self.prefix + key
        names = (name,) if expected.owner is None else (name, self._index(expected.owner))
        return self._run(scripts.DELETE, names, (_VERSION.pack(expected.version), key))

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        old = self.prefix + old_key
        before, between, after = (
            old if owner is None else self._index(owner)
            for owner in (expected.owner, stub.owner, record.owner)
        )
        return self._run(
            scripts.MOVE,
            (old, before, between, self.prefix + new_key, after),
            (
                _VERSION.pack(expected.version),
                _pack(stub),
                self._deadline(stub),
                old_key,
                _pack(record),
                self._deadline(record),
                new_key,
            ),
        )

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        # It goes by the server's time, as the members' scores do.
        members = self._evaluate(
            self._read, scripts.OWNED_BY, (self._index(owner),), (self.prefix,)
        )
        return [member.decode() for member in members]

    def keys(self) -> cabc.Iterator[str]:
        seen: set[str] = set()  # a scan may name a key twice while the server's table grows
        for names, _ in self._scan():
            for name in names:
                key = name[len(self.prefix) :]
                if key not in seen:
                    seen.add(key)
                    yield key

    def count(self, now: float, /) -> int:
        live = 0
        seen: set[str] = set()
        for names, _ in self._scan():
            new = [name for name in names if name not in seen]
            seen.update(new)
            # One round trip a page, and of each record only its head.
            for value in self._read_all([("GETRANGE", name, 8, 15) for name in new]):
                if isinstance(value, bytes) and len(value) == 8:
                    live += struct.unpack(">d", value)[0] > now
        return live

    def clear(self) -> int:
        removed = 0
        for names, indexes in self._scan():
            if names:
                removed += self._write("UNLINK", *names)
            if indexes:
                self._write("UNLINK", *indexes)
        return removed

    def close(self) -> None:
        self._connections.close()

    def _index(self, owner: str) -> str:
        return f"{self.prefix}owner:{hashlib.sha256(owner.encode()).hexdigest()}"

    def _deadline(self, record: Record) -> int:
        """Return the millisecond at which the server may drop *record*; 0 would be an error."""
        return max(1, math.ceil((min(record.expires_at, _FAR_FUTURE) + self.margin) * 1000))

    def _scan(self) -> cabc.Iterator[tuple[list[str], list[str]]]:
        """Yield the names of records and of indexes, page by page."""
        pattern = re.sub(r"([*?\[\]\\])", r"\\\1", self.prefix) + "*"
        cursor: t.Any = b"0"
        while True:
            cursor, page = self._read("SCAN", cursor, "MATCH", pattern, "COUNT", _PAGE)
            found = [self._ours.fullmatch(name.decode("utf-8", "replace")) for name in page]
            names = [match.group() for match in found if match and not match[1]]
            yield names, [match.group() for match in found if match and match[1]]
            if cursor in (b"0", "0", 0):
                return

    def _run(self, script: scripts.Script, names: tuple[str, ...], values: Command) -> bool:
        return bool(self._evaluate(self._write, script, names, values))

    def _evaluate(
        self,
        send: cabc.Callable[..., t.Any],
        script: scripts.Script,
        names: tuple[str, ...],
        values: Command,
    ) -> t.Any:
        try:
            return send("EVALSHA", script.digest, len(names), *names, *values)
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, redis.exceptions.NoScriptError):
                raise
        # A restart or SCRIPT FLUSH; nothing has been run. EVAL also makes it known again.
        return send("EVAL", script.text, len(names), *names, *values)

    def _read(self, *command: bytes | str | int) -> t.Any:
        """Send a command that may be sent twice."""
        return self._only(self._read_all([command]))

    def _read_all(self, commands: cabc.Sequence[Command]) -> list[t.Any]:
        """Send commands that may be sent twice; the errors are among the answers."""
        connections = self._connections
        try:
            connection = connections.idle()
            if connection is not None:
                try:
                    return self._ask(connection, commands)
                except redis.ConnectionError:
                    # The server was restarted, or closed it as idle; the others will be dead too.
                    connections.close()
            return self._ask(connections.fresh(), commands)
        except redis.RedisError as error:
            raise _translate(error, connections.address) from error

    def _write(self, *command: bytes | str | int) -> t.Any:
        """Send a command that may not be sent twice.

        If it was carried out and the answer got lost, the second one would find its own change and
        report a conflict; the core would then merge, and count twice what is counted.
        """
        connections = self._connections
        try:
            while (connection := connections.idle()) is not None:
                if _is_alive(connection):
                    break
                connections.drop(connection)
            else:
                connection = connections.fresh()
            return self._only(self._ask(connection, (command,)))
        except redis.RedisError as error:
            if isinstance(error, redis.ConnectionError):
                connections.close()
            raise _translate(error, connections.address) from error

    def _ask(self, connection: Connection, commands: cabc.Sequence[Command]) -> list[t.Any]:
        try:
            if len(commands) == 1:
                connection.send_command(*commands[0])
            else:
                # As one text: redis-py makes a system call for each item of the list.
                connection.send_packed_command([b"".join(connection.pack_commands(commands))])
            answers = [_answer(connection) for _ in commands]
        except BaseException:
            self._connections.drop(connection)  # an answer may still be under way
            raise
        self._connections.give(connection)
        return answers

    def _only(self, answers: list[t.Any]) -> t.Any:
        (answer,) = answers
        if isinstance(answer, redis.ResponseError):
            raise _translate(answer, self._connections.address) from answer
        return answer


def _answer(connection: Connection) -> t.Any:
    """Return the next answer, which may be an error: the connection is as good as before."""
    try:
        return connection.read_response(disable_decoding=True)
    except redis.ResponseError as error:
        return error


def _is_alive(connection: Connection) -> bool:
    """Whether the other end is still there, and has nothing to say that nobody asked for."""
    try:
        return not connection.can_read(timeout=0)
    except (redis.RedisError, OSError):
        return False


def _pack(record: Record) -> bytes:
    owner = b"" if record.owner is None else record.owner.encode()
    head = _HEAD.pack(record.version, record.expires_at, _FORMAT, len(owner))
    return b"".join((head, owner, record.payload))


def _unpack(value: bytes) -> Record | None:
    """Return the record in *value*; None if it is none, or one that was cut off."""
    if len(value) < _HEAD.size:
        return None
    version, expires_at, form, length = _HEAD.unpack_from(value)
    start = _HEAD.size + length
    if form != _FORMAT or len(value) < start:
        return None
    if not length:
        return Record(value[start:], version, expires_at)
    try:
        return Record(value[start:], version, expires_at, value[_HEAD.size : start].decode())
    except UnicodeDecodeError:
        return None


def _translate(error: redis.RedisError, address: str) -> StoreUnavailable:
    text = str(error)
    alive = (
        redis.AuthenticationError,
        redis.exceptions.AuthorizationError,
        redis.BusyLoadingError,
    )
    unreachable = isinstance(error, (redis.ConnectionError, redis.TimeoutError)) and not isinstance(
        error, alive
    )
    # The server quotes the beginning of a command that it does not know.
    text = re.sub(r"[0-9a-f]{64}", "...", text.partition(", with args")[0])[:300]
    return StoreUnavailable(f"{address}: {text or type(error).__name__}", unreachable=unreachable)
