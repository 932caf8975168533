"""How many sessions there are, and how many of them nobody has logged in to. For operators."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .errors import DecodeError
from .errors import NewerFormat
from .payload import Live
from .payload import unpack
from .policy import SessionPolicy
from .store import Record

#: The second byte of what any version writes in the place of an ended session.
_STUB: t.Final = b"S"


class Count(t.NamedTuple):
    """How many sessions have not ended.

    :param live: all of them.
    :param owned: those that somebody has logged in to.
    :param ownerless: the others.
    """

    live: int
    owned: int
    ownerless: int


def count_sessions(
    keys: cabc.Iterable[str],
    get: cabc.Callable[[str], Record | None],
    clock: cabc.Callable[[], float],
    policy: SessionPolicy | None = None,
) -> Count:
    """Read each record, one at a time, and count what is a session that lives.

    :param keys: those of the store, as it comes across them.
    :param get: reads a record.
    :param clock: returns POSIX seconds.
    :param policy: limits that may have become stricter since a session was written; None: unknown.
    """
    owned = ownerless = 0

    for key in keys:
        record = get(key)

        if record is None or not _lives(record, clock(), policy):
            continue

        if record.owner is None:
            ownerless += 1
        else:
            owned += 1

    return Count(owned + ownerless, owned, ownerless)


def _lives(record: Record, now: float, policy: SessionPolicy | None) -> bool:
    if record.expires_at <= now:
        return False

    try:
        content = unpack(record.payload)
    except NewerFormat:
        # Encrypted ones, too: without their keys all that is known is when they end, and of whom.
        return record.payload[1:2] != _STUB
    except DecodeError:
        return False

    return isinstance(content, Live) and (policy is None or policy.deadline(content.header) > now)
