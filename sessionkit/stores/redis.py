"""Sessions in Redis or Valkey: one key a record, one command or script a write."""

from __future__ import annotations

import collections.abc as cabc
import weakref

from sessionkit.errors import StoreUnavailable
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from . import _redis_scripts as scripts
from ._packed import pack
from ._packed import unpack
from ._redis_connections import Limits
from ._redis_records import Names
from ._redis_records import ask_for_expiry
from ._redis_records import deadline
from ._redis_records import is_live
from ._redis_records import keys_of
from ._redis_records import pack_version
from ._redis_server import ServerCheck
from ._redis_sources import connections_of
from ._redis_urls import split_parameters
from ._redis_wire import Wire
from ._redis_wire import check_waiting
from ._settings import check_not_negative


class RedisStore:
    """Keeps sessions in one Redis (7.0 or later) or Valkey (7.2 or later) server.

    Also in the master that Sentinel names; for a cluster there is
    :class:`~sessionkit.stores.redis_cluster.RedisClusterStore`.

    :param source: a URL (``redis://``, ``rediss://``, ``unix://``, ``redis+sentinel://``), or a
        ready client or connection pool of redis-py. From a client only the settings of its
        connections are taken, and the store makes its own, which is faster and retries no write;
        one that does something of its own to make a connection is borrowed from.
    :param prefix: what all keys begin with. Another one is another store.
    :param margin: seconds that the server keeps a record beyond its ``expires_at``.
    :param connect_timeout: seconds to wait for a connection; 1 unless a client says something else.
    :param timeout: seconds to wait for an answer, likewise.
    :param max_idle: connections that are kept open.
    :param wait_replicas: how many replicas must confirm a write before it counts as done. If fewer
        do in time, the write raises ``StoreUnavailable`` although the master has it: whether it
        stays is unknown, as after a lost answer.
    :param wait_timeout: seconds that the replicas have for it.
    :param eviction: what to do where ``maxmemory-policy`` lets the server drop sessions: ``warn``
        (once, by a ``RuntimeWarning``), ``refuse`` or ``ignore``.

    What the server forgets is gone: set ``maxmemory-policy`` to ``noeviction``, and persistence as
    you need it.
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
        wait_replicas: int = 0,
        wait_timeout: float = 0.25,
        eviction: str = "warn",
    ) -> None:
        check_not_negative(margin=margin)
        limits = Limits(connect_timeout, timeout, max_idle)
        limits.check()
        self.prefix = prefix
        self.margin = margin
        self._names = Names(prefix)
        self._index = self._names.index
        self._connections = connections_of(source, limits, ServerCheck(eviction))
        check_waiting(wait_replicas, wait_timeout, self._connections.timeout)
        self._wire = Wire(self._connections, wait_replicas=wait_replicas, wait_timeout=wait_timeout)
        self._read, self._write, self._run = self._wire.read, self._wire.write, self._wire.run
        weakref.finalize(self, self._connections.close)

    @classmethod
    def from_url(cls, url: str) -> RedisStore:
        """Return the store for a URL; its query may hold redis-py's parameters besides ours."""
        ours, others = split_parameters(url)
        return cls(others, **ours)

    def __repr__(self) -> str:
        return f"<RedisStore {self._connections.address} prefix={self.prefix!r}>"

    def get(self, key: str, /) -> Record | None:
        try:
            value = self._read("GET", self.prefix + key)
        except StoreUnavailable as error:
            if str(error.__cause__).startswith("WRONGTYPE"):
                return None  # somebody else's key, and no session
            raise
        return None if value is None else unpack(value, Record)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        name = self.prefix + key
        value = pack(record)
        deadline = self._deadline(record)
        if expected is None:
            if record.owner is None:
                return self._write("SET", name, value, "NX", "PXAT", deadline) is not None
            index = self._index(record.owner)
            return self._run(scripts.CREATE_OWNED, (name, index), (deadline, key), value)
        version = pack_version(expected.version)
        if expected.owner is None and record.owner is None:
            return self._run(scripts.REPLACE, (name,), (version, deadline), value)
        names = (name, *self._indexes(name, expected, record))
        return self._run(scripts.REPLACE_OWNED, names, (version, deadline, key), value)

    def delete(self, key: str, expected: Record, /) -> bool:
        name = self.prefix + key
        names = (name,) if expected.owner is None else (name, self._index(expected.owner))
        return self._run(scripts.DELETE, names, (pack_version(expected.version), key))

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        old = self.prefix + old_key
        before, between, after = self._indexes(old, expected, stub, record)
        return self._run(
            scripts.MOVE,
            (old, before, between, self.prefix + new_key, after),
            (
                pack_version(expected.version),
                pack(stub),
                self._deadline(stub),
                old_key,
                self._deadline(record),
                new_key,
            ),
            pack(record),
        )

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        # It goes by the server's time, as the members' scores do.
        index = self._index(owner)
        return keys_of(self._wire.evaluate(self._read, scripts.OWNED_BY, (index,), (self.prefix,)))

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
            answers = self._wire.read_all([ask_for_expiry(name) for name in new])
            live += sum(is_live(answer, now) for answer in answers)
        return live

    def clear(self) -> int:
        removed = 0
        for names, _ in self._scan():
            if names:
                removed += self._write("UNLINK", *names)
        for _, indexes in self._scan():
            if indexes:
                # Not as a whole: a session that has begun meanwhile would be hidden.
                self._run(scripts.EMPTY, tuple(indexes), (self.prefix,))
        return removed

    def close(self) -> None:
        self._connections.close()

    def _indexes(self, nobodys: str, *records: Record) -> list[str]:
        """Return the names of their owners' indexes, and *nobodys* for those without an owner."""
        names: dict[str | None, str] = {None: nobodys}
        for owner in {record.owner for record in records}:
            if owner is not None:
                names[owner] = self._index(owner)
        return [names[record.owner] for record in records]

    def _deadline(self, record: Record) -> int:
        return deadline(record, self.margin)

    def _scan(self) -> cabc.Iterator[tuple[list[str], list[str]]]:
        """Yield the names of records and of indexes, page by page."""
        for page in self._wire.scan(self._names.pattern):
            yield self._names.sort(page)
