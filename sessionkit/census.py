"""Going through all sessions of a store: for operators and for migrations, never for a request."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .codec import Codec
from .errors import DecodeError
from .errors import NewerFormat
from .gateway import Gateway
from .payload import Live
from .payload import unpack
from .policy import SessionPolicy
from .store import Enumerable
from .store import Record
from .values import Values


class StoredSession(t.NamedTuple):
    """What is stored of a session, as :meth:`SessionManager.all` finds it.

    :param public_id: names it in :meth:`SessionManager.revoke`; never works as a cookie.
    :param owner: whose it is; None: nobody's.
    :param values: a copy; changing it changes no session.
    """

    public_id: str
    owner: str | None
    values: dict[str, t.Any]

    def __repr__(self) -> str:
        # What is in sessions does not belong into logs.
        return f"<StoredSession, {len(self.values)} keys>"


def live_sessions(
    gateway: Gateway, policy: SessionPolicy, codec: Codec, clock: cabc.Callable[[], float]
) -> cabc.Iterator[StoredSession]:
    """Yield what can be read of every session that has not ended, one read of the store each.

    :param clock: returns POSIX seconds.
    """
    keys = t.cast(Enumerable, gateway.store).keys()

    for key in keys:
        record = gateway.get(key)
        live = None if record is None else _live(record)

        if record is None or live is None:
            continue

        now = clock()

        if min(record.expires_at, policy.deadline(live.header)) > now:
            values = Values(codec, live.values, "session", now)
            readable = {name: values.get(name) for name in values.readable_keys()}
            yield StoredSession(live.header.public_id, record.owner, readable)


def _live(record: Record) -> Live | None:
    try:
        content = unpack(record.payload)
    except (DecodeError, NewerFormat):
        return None

    return content if isinstance(content, Live) else None
