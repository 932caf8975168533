"""Sessions in a Redis Cluster: each record on the node of its key, each index on its own."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import functools
import time
import typing as t
import weakref

from sessionkit.errors import StoreUnavailable
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from . import _redis_scripts as scripts
from ._packed import pack
from ._packed import unpack
from ._redis_cluster import Cluster
from ._redis_cluster import cluster_source
from ._redis_connections import Limits
from ._redis_records import Names
from ._redis_records import ask_for_expiry
from ._redis_records import ask_for_owner
from ._redis_records import deadline
from ._redis_records import is_live
from ._redis_records import is_nobodys
from ._redis_records import keys_of
from ._redis_records import pack_version
from ._redis_server import ServerCheck
from ._redis_urls import split_parameters
from ._redis_wire import Wire
from ._redis_wire import check_waiting
from ._settings import check_not_negative

#: Milliseconds: an index lives until a multiple of it, and a write that stays below needs not
#: prolong it.
_STEP = 3_600_000

#: Seconds between the two halves of a write after which the first one is made again.
SLOW = 60.0

#: Members from which on an index is tidied, each time that there are twice as many.
_UNTIDY = 16

_PAGE = 1000


class RedisClusterStore:
    """Keeps sessions in a Redis Cluster (7.0 or later) or a Valkey cluster (7.2 or later).

    An owner's index is on another node than most of the owner's sessions. It is written first, so
    it may name sessions that are not there, and names every one that is. A dead master makes its
    own keys unavailable and no others, and also new sessions of owners whose index it holds.

    :param source: a URL (``redis+cluster://host:port,host:port``, with ``rediss+`` for TLS), or a
        ``redis.RedisCluster``, of which the settings of its connections are taken.

    The other parameters are those of :class:`~sessionkit.stores.redis.RedisStore`.
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
        self._cluster = Cluster(
            cluster_source(source),
            limits,
            ServerCheck(eviction, clustered=True),
            functools.partial(Wire, wait_replicas=wait_replicas, wait_timeout=wait_timeout),
        )
        check_waiting(wait_replicas, wait_timeout, self._cluster.timeout)
        weakref.finalize(self, self._cluster.close)

    @classmethod
    def from_url(cls, url: str) -> RedisClusterStore:
        """Return the store for a URL; its query may hold redis-py's parameters besides ours."""
        ours, others = split_parameters(url)
        return cls(others, **ours)

    def __repr__(self) -> str:
        return f"<RedisClusterStore {self._cluster.address} prefix={self.prefix!r}>"

    def get(self, key: str, /) -> Record | None:
        name = self.prefix + key
        try:
            value = self._cluster.read(name, "GET", name)
        except StoreUnavailable as error:
            if str(error.__cause__).startswith("WRONGTYPE"):
                return None  # somebody else's key, and no session
            raise
        return None if value is None else unpack(value, Record)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        if record.owner is None or self._is_indexed(expected, record):
            return self._swap(key, expected, record)
        began = _now()
        members = self._enter(record, record.owner, key)
        try:
            done = self._swap(key, expected, record)
        finally:
            # Else somebody may have listed in between, and removed a member without a record.
            if _now() - began > SLOW:
                self._enter(record, record.owner, key)
        if members >= _UNTIDY and members & (members - 1) == 0:
            # What is left of sessions that have ended is removed by those that begin; this one is
            # stored in any case, and another will try again.
            with contextlib.suppress(StoreUnavailable):
                self.owned_by(record.owner, 0.0)
        return done

    def delete(self, key: str, expected: Record, /) -> bool:
        # Its member stays until it is seen that there is no record: another writer, who has not
        # heard of this, may have entered it again.
        name = self.prefix + key
        values = (pack_version(expected.version), key)
        return bool(self._cluster.run(scripts.DELETE, name, values))

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        return self._members(self._names.index(owner))

    def node_of(self, key: str, /) -> str:
        return self._cluster.node_of(self.prefix + key)

    def keys(self) -> cabc.Iterator[str]:
        seen: set[str] = set()  # a key may be named twice, also by two nodes while it moves
        for _, names, _ in self._scan():
            for name in names:
                key = name[len(self.prefix) :]
                if key not in seen:
                    seen.add(key)
                    yield key

    def count(self, now: float, /) -> int:
        live = 0
        seen: set[str] = set()
        for wire, names, _ in self._scan():
            new = [name for name in names if name not in seen]
            seen.update(new)
            answers = wire.read_all([ask_for_expiry(name) for name in new]) if new else []
            for name, answer in zip(new, answers, strict=True):
                # A slot on its way to another node has its keys on both.
                elsewhere = isinstance(answer, Exception)
                found = self._cluster.read(name, *ask_for_expiry(name)) if elsewhere else answer
                live += is_live(found, now)
        return live

    def clear(self) -> int:
        removed = 0
        for _, names, _ in self._scan():
            removed += sum(self._cluster.write(name, "UNLINK", name) for name in names)
        for _, _, indexes in self._scan():
            for index in indexes:
                # Not as a whole: a session that has begun meanwhile would be hidden.
                self._members(index)
        return removed

    def close(self) -> None:
        self._cluster.close()

    def _is_indexed(self, expected: Record | None, record: Record) -> bool:
        """Say whether the index has the key already, and lives as long as the record will."""
        return (
            expected is not None
            and expected.owner == record.owner
            and self._index_deadline(expected) >= self._index_deadline(record)
        )

    def _index_deadline(self, record: Record) -> int:
        return -(-deadline(record, self.margin) // _STEP) * _STEP

    def _enter(self, record: Record, owner: str, key: str) -> int:
        """Write the member; return how many there are if it is new."""
        index = self._names.index(owner)
        # The breaker takes an error for one of the record's node. That one may be well, and must
        # not pay for the trouble of another, which therefore is known here.
        shared = self._cluster.node_of(index) == self.node_of(key)
        if self._cluster.is_down(index):
            raise StoreUnavailable(
                f"{self._cluster.address}: the node with the owner's index does not serve; it is "
                "tried again soon",
                unreachable=shared,
            )
        try:
            return int(self._cluster.run(scripts.ENTER, index, (self._index_deadline(record), key)))
        except StoreUnavailable as error:
            unreachable = error.unreachable and shared
            raise StoreUnavailable(
                f"the owner's index: {error}", unreachable=unreachable
            ) from error.__cause__

    def _members(self, index: str) -> list[str]:
        """Return the keys in an index, and remove those that are surely dead."""
        # By the server's time, as the members' scores are.
        old, listed = self._cluster.look(scripts.LISTED, index)
        scores: dict[bytes, bytes] = dict(zip(listed[::2], listed[1::2], strict=True))
        doubtful = keys_of(member for member, score in scores.items() if float(score) < old)
        dead = self._dead(doubtful) if doubtful else []
        if dead:
            pairs = [(member.encode(), scores.pop(member.encode())) for member in dead]
            with contextlib.suppress(StoreUnavailable):  # the next listing removes them
                for start in range(0, len(pairs), _PAGE):
                    page = tuple(text for pair in pairs[start : start + _PAGE] for text in pair)
                    self._cluster.run(scripts.FORGET, index, page)
        return keys_of(scores)

    def _swap(self, key: str, expected: Record | None, record: Record) -> bool:
        name = self.prefix + key
        value, until = pack(record), deadline(record, self.margin)
        if expected is None:
            answer = self._cluster.write(name, "SET", name, value, "NX", "PXAT", until)
            return answer is not None
        version = pack_version(expected.version)
        return bool(self._cluster.run(scripts.REPLACE, name, (version, until, value)))

    def _dead(self, keys: list[str]) -> list[str]:
        """Return which of these keys have no record with an owner, as far as their nodes can say.

        What is left of a session that somebody has ended has none.
        """
        dead: list[str] = []
        names = [self.prefix + key for key in keys]
        for address, there in self._cluster.nodes_of(names).items():
            with contextlib.suppress(StoreUnavailable):  # they may live
                for start in range(0, len(there), _PAGE):
                    page = there[start : start + _PAGE]
                    answers = self._cluster.read_at(address, [ask_for_owner(name) for name in page])
                    dead += [
                        name
                        for name, answer in zip(page, answers, strict=True)
                        if is_nobodys(answer)
                    ]
        return [name[len(self.prefix) :] for name in dead]

    def _scan(self) -> cabc.Iterator[tuple[Wire, list[str], list[str]]]:
        """Yield the names of records and of indexes, page by page, and where they are."""
        for wire in self._cluster.masters():
            for page in wire.scan(self._names.pattern):
                yield (wire, *self._names.sort(page))


def _clock() -> t.Callable[[], float]:
    # It goes on while the machine sleeps.
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic if boot is None else functools.partial(time.clock_gettime, boot)


_now = _clock()
