"""Sessions in the memory of one process: for development, tests and single-process servers."""

from __future__ import annotations

import collections
import collections.abc as cabc
import heapq
import time

from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreFull
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Record

from ._forklock import fork_lock
from ._settings import check_not_negative
from ._url import integer_or_none
from ._url import only_parameters
from ._url import split_url

_SWEEP_BATCH = 1000


class MemoryStore:
    """Keeps sessions in this process and nowhere else.

    **For one process.** A second worker process has other sessions, a restart has none, and a
    forked child goes on with a copy of its own. Threads share it safely.

    When a session would be one too many, room is made: first goes what has expired (longest ago
    first), then the session without an owner that was written longest ago. A session with an owner
    is never dropped for room; if there are only those, :class:`~sessionkit.errors.StoreFull` is
    raised. Everything else expired goes with :meth:`sweep`.

    :param max_sessions: the bound; None for none. The default holds about 40 MB of sessions of a
        user id and a CSRF token, and about 110 MB of sessions of a kilobyte.
    :param margin: seconds that :meth:`sweep` keeps a record beyond its ``expires_at``.
    :param clock: asked only when the store is full, for what has expired. Stores have no clock
        otherwise, but at the bound nobody else can tell the dead from the living.
    """

    def __init__(
        self,
        *,
        max_sessions: int | None = 100_000,
        margin: float = EXPIRY_MARGIN,
        clock: cabc.Callable[[], float] = time.time,
    ) -> None:
        if max_sessions is not None and max_sessions < 1:
            raise ConfigurationError("max_sessions must be at least 1, or None for no bound")
        check_not_negative(margin=margin)
        self.max_sessions = max_sessions
        self.margin = margin
        self._clock = clock
        self._lock = fork_lock()
        self._records: dict[str, Record] = {}
        self._owners: dict[str, set[str]] = {}
        # In the order of their last write. A plain dict walks over every gap to find its first key.
        self._ownerless: collections.OrderedDict[str, None] = collections.OrderedDict()
        # May hold times that a record no longer has; they are skipped when they come up.
        self._expiries: list[tuple[float, str]] = []

    @classmethod
    def from_url(cls, url: str) -> MemoryStore:
        """Return the store for ``memory:`` or ``memory:?max_sessions=1000``."""
        parts = split_url(url)
        if parts.netloc or parts.path.strip("/"):
            raise ConfigurationError("memory: takes no host and no path")
        values = only_parameters(parts.query, {"max_sessions": integer_or_none, "margin": float})
        return cls(**values)

    def __repr__(self) -> str:
        return f"<MemoryStore: {len(self._records)} sessions>"

    def get(self, key: str, /) -> Record | None:
        return self._records.get(key)

    def swap(self, key: str, expected: Record | None, record: Record, /) -> bool:
        with self._lock:
            if not self._is(key, expected):
                return False
            if expected is None:
                self._make_room()
            self._put(key, record)
            return True

    def delete(self, key: str, expected: Record, /) -> bool:
        with self._lock:
            if not self._is(key, expected):
                return False
            self._remove(key)
            return True

    def move(
        self, old_key: str, expected: Record, stub: Record, new_key: str, record: Record, /
    ) -> bool:
        with self._lock:
            if not self._is(old_key, expected) or new_key in self._records:
                return False
            self._make_room(keep=old_key)
            self._put(old_key, stub)
            self._put(new_key, record)
            return True

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        with self._lock:
            return list(self._owners.get(owner, ()))

    def sweep(self, now: float, /, limit: int | None = None) -> int:
        removed = 0
        due = now - self.margin
        while limit is None or removed < limit:
            # A request must not wait for a million.
            batch = _SWEEP_BATCH if limit is None else min(_SWEEP_BATCH, limit - removed)
            with self._lock:
                for _ in range(batch):
                    key = self._first_to_expire()
                    if key is None or self._records[key].expires_at >= due:
                        return removed
                    self._remove(key)
                    removed += 1
        return removed

    def keys(self) -> cabc.Iterator[str]:
        return iter(list(self._records))

    def count(self, now: float, /) -> int:
        return sum(record.expires_at > now for record in list(self._records.values()))

    def clear(self) -> int:
        with self._lock:
            removed = len(self._records)
            for table in (self._records, self._owners, self._ownerless, self._expiries):
                table.clear()
            return removed

    # All that follows is called with the lock held.

    def _is(self, key: str, expected: Record | None) -> bool:
        record = self._records.get(key)
        if record is None or expected is None:
            return record is expected
        return record.version == expected.version

    def _put(self, key: str, record: Record) -> None:
        before = self._records.get(key)
        self._records[key] = record
        if before is not None and before.owner is not None and before.owner != record.owner:
            self._disown(key, before.owner)
        if record.owner is None:
            self._ownerless[key] = None
            self._ownerless.move_to_end(key)
        elif before is None or before.owner != record.owner:
            self._ownerless.pop(key, None)
            self._owners.setdefault(record.owner, set()).add(key)
        if before is None or before.expires_at != record.expires_at:
            heapq.heappush(self._expiries, (record.expires_at, key))
            if len(self._expiries) > 2 * len(self._records) + 1000:
                self._expiries = [(kept.expires_at, k) for k, kept in self._records.items()]
                heapq.heapify(self._expiries)

    def _remove(self, key: str) -> None:
        owner = self._records.pop(key).owner
        if owner is None:
            del self._ownerless[key]
        else:
            self._disown(key, owner)

    def _disown(self, key: str, owner: str) -> None:
        keys = self._owners[owner]
        keys.discard(key)
        if not keys:
            del self._owners[owner]

    def _first_to_expire(self, keep: str | None = None) -> str | None:
        """Return the key of the record that expires first, other than *keep*."""
        kept = None
        while self._expiries:
            expires_at, key = self._expiries[0]
            record = self._records.get(key)
            if record is None or record.expires_at != expires_at:
                heapq.heappop(self._expiries)
            elif key == keep:
                kept = heapq.heappop(self._expiries)
            else:
                break
        found = self._expiries[0][1] if self._expiries else None
        if kept is not None:
            heapq.heappush(self._expiries, kept)
        return found

    def _make_room(self, keep: str | None = None) -> None:
        if self.max_sessions is None or len(self._records) < self.max_sessions:
            return
        key = self._first_to_expire(keep)
        if key is None or self._records[key].expires_at > self._clock():
            key = next((key for key in self._ownerless if key != keep), None)
        if key is None:
            raise StoreFull(
                f"MemoryStore(max_sessions={self.max_sessions}) is full of sessions that have an "
                "owner; raise the bound, or use a store that is not bounded by memory"
            )
        self._remove(key)
