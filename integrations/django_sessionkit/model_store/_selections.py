"""Which rows are what, told by the database: of 100,000 payloads none is fetched for it."""

from __future__ import annotations

import math
import struct
import typing as t

from django.db.models import BinaryField
from django.db.models import Q
from django.db.models.functions import Substr

from sessionkit.base_manager import BaseManager
from sessionkit.payload import Header
from sessionkit.payload import Stub
from sessionkit.payload import pack_live
from sessionkit.payload import pack_stub

from ._facts import State

if t.TYPE_CHECKING:
    from django.db.models import QuerySet

    from .models import Session

_KIND: t.Final = 2
_LIVE: t.Final = pack_live(Header("-" * 22, 1.0, 2.0, 3.0, until=4.0), {}, {})
_STUB: t.Final = pack_stub(Stub("", None, {}))


def _bytes(moment: float) -> bytes:
    # As in a payload. Those of positive numbers are in their order, and NaN comes last.
    return struct.pack(">d", moment)


def _part(start: int, length: int) -> Substr:
    return Substr("payload", start + 1, length, output_field=BinaryField())


def _moment(like: float) -> Substr:
    return _part(_LIVE.index(_bytes(like)), 8)


def in_state(rows: QuerySet[Session], state: State, manager: BaseManager) -> QuerySet[Session]:
    """Return those in *state*, of sessions that are not encrypted."""
    now = manager.clock()
    limit = t.cast("float | None", manager.policy.absolute_timeout)
    rows = rows.alias(kind=_part(0, _KIND), started=_moment(2.0), until=_moment(4.0))
    is_live, is_stub = Q(kind=_LIVE[:_KIND]), Q(kind=_STUB[:_KIND])
    # What was stored before a limit was set is over, too.
    is_over = Q(expires_at__lte=now) | Q(until__lte=_bytes(now))

    if limit is not None and not math.isinf(limit):
        is_over |= Q(started__lte=_bytes(max(now - limit, 0.0)))

    conditions: dict[State, Q] = {
        "live": is_live & ~is_over,
        "expired": is_live & is_over,
        "ended": is_stub,
        # Of no bytes at all SQLite has no part.
        "unreadable": ~(is_live | is_stub) | Q(kind=None),
    }
    found: QuerySet[Session] = rows.filter(conditions[state])
    return found


def seen_since(rows: QuerySet[Session], moment: float) -> QuerySet[Session]:
    """Return the sessions, live or expired, that were last seen at *moment* or later.

    :param moment: POSIX seconds.
    """
    rows = rows.alias(kind=_part(0, _KIND), seen=_moment(3.0))
    found: QuerySet[Session] = rows.filter(kind=_LIVE[:_KIND], seen__gte=_bytes(moment))
    return found
