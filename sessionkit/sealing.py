"""Reading and writing sessions that are kept in their cookies."""

from __future__ import annotations

import collections.abc as cabc
import struct
import typing as t

from . import signals
from .base_committer import BaseCommitter
from .codec import Codec
from .cookie import MAX_AGE_LIMIT
from .cookie import CookieOptions
from .cookie import Delete
from .cookie import Instruction
from .cookie import Set
from .draft import Draft
from .draft import EndedReason
from .draft import Intent
from .draft import Stored
from .errors import CookieTooLarge
from .errors import DecodeError
from .errors import NewerFormat
from .payload import LATER_FORMATS
from .payload import Header
from .payload import Live
from .payload import unpack
from .policy import NEVER
from .policy import REFRESH_AFTER
from .policy import SessionPolicy
from .records import largest_keys
from .records import no_shorter
from .seals import MAX_VALUE
from .seals import Seal
from .store import Record

if t.TYPE_CHECKING:
    from .session import Session

#: The format, the expiry, the length of the owner in bytes. Owner and payload follow.
_HEAD: t.Final = struct.Struct(">BdH")
_FORMAT: t.Final = 1


def pack_sealed(record: Record) -> bytes:
    """Return what is sealed of *record*: all but its version."""
    owner = (record.owner or "").encode()
    return _HEAD.pack(_FORMAT, record.expires_at, len(owner)) + owner + record.payload


def unpack_sealed(data: bytes) -> tuple[Record, Live]:
    """Return the record, and the session in it.

    :raises NewerFormat: if a later version has written it.
    :raises DecodeError: if it is damaged.
    """
    if len(data) < _HEAD.size:
        raise DecodeError("a sealed session is damaged")

    number, expires_at, length = _HEAD.unpack_from(data)

    if number in LATER_FORMATS:
        raise NewerFormat("the session was sealed in a format of a later version")

    # NaN is not less either.
    if number != _FORMAT or not expires_at <= NEVER:
        raise DecodeError("a sealed session is damaged")

    start = _HEAD.size + length

    try:
        owner = data[_HEAD.size : start].decode() if length else None
    except UnicodeDecodeError:
        raise DecodeError("a sealed session is damaged") from None

    content = unpack(data[start:])

    if not isinstance(content, Live):
        raise DecodeError("a sealed session is damaged")

    return Record(b"", 0, expires_at, owner), content


class SealedLoader:
    """Reads sessions from cookies for a manager.

    :param seal: opens the cookies' values.
    :param policy: limits.
    :param codec: decodes values.
    :param clock: returns POSIX seconds.
    :param new_header: makes the header of a new session.
    :param sender: who sends the signals.
    """

    def __init__(
        self,
        seal: Seal,
        policy: SessionPolicy,
        codec: Codec,
        clock: cabc.Callable[[], float],
        new_header: cabc.Callable[[], Header],
        sender: object,
    ) -> None:
        self._seal = seal
        self._policy = policy
        self._codec = codec
        self._clock = clock
        self._new_header = new_header
        self._sender = sender

    def read(self, session: Session) -> Draft:
        """Load *session*; of several cookies the one that was sealed last wins."""
        given = session.session_id
        newest: Draft | None = None

        try:
            for value in session.candidates() if given is None else [given]:
                draft = self._open(value)

                if draft is not None and _wins(draft, newest):
                    newest = draft
        except NewerFormat as error:
            session.error = error
            return Draft(self._codec, "unavailable", self._new_header())

        if newest is None or newest.state == "new":
            return newest or Draft(self._codec, "new", self._new_header())

        if signals.loaded.receivers:
            session.loaded_draft = newest
            self._emit(signals.loaded, session=session, owned=newest.owner is not None)

        return newest

    def _open(self, value: str) -> Draft | None:
        data = self._seal.open(value)

        if data is None:
            self._emit(signals.rejected, session=None, reason="malformed")
            return None

        try:
            record, content = unpack_sealed(data)
        except DecodeError:
            self._emit(signals.rejected, session=None, reason="corrupt")
            return self._over("unknown")

        now = self._clock()

        if min(record.expires_at, self._policy.deadline(content.header)) <= now:
            self._emit(signals.expired, session=None, owned=record.owner is not None)
            return self._over("expired")

        return Draft(
            self._codec,
            "live",
            content.header,
            stored=Stored(value, content.header.public_id, record),
            owner=record.owner,
            values=content.values,
            flash=content.flash,
            now=now,
        )

    def _over(self, reason: EndedReason) -> Draft:
        draft = Draft(self._codec, "new", self._new_header())
        draft.ended_reason = reason
        return draft

    def _emit(self, signal: signals.Signal, **values: t.Any) -> None:
        signals.emit(signal, self._sender, **values)


def _wins(draft: Draft, other: Draft | None) -> bool:
    """Whether *draft* is the request's session rather than the *other*."""
    if other is None or draft.state != other.state:
        return other is None or draft.state == "live"

    if draft.state == "live":
        return draft.header.seen_at > other.header.seen_at

    return other.ended_reason == "unknown"


class SealedCommitter(BaseCommitter):
    """Seals drafts into cookies.

    :param seal: makes the cookies' values.
    :param policy: limits.
    :param cookie: what counts towards the size of the whole cookie.
    :param clock: returns POSIX seconds.
    :param new_public_id: draws one.
    :param sender: who sends the signals.
    """

    def __init__(
        self,
        seal: Seal,
        policy: SessionPolicy,
        cookie: CookieOptions,
        clock: cabc.Callable[[], float],
        new_public_id: cabc.Callable[[], str],
        sender: object,
    ) -> None:
        super().__init__(policy, sender)
        self._seal = seal
        self._clock = clock
        self._new_public_id = new_public_id
        # As long as it gets, so that the same session does not fit today and not tomorrow.
        self._overhead = len(cookie.set_header(Set("", MAX_AGE_LIMIT), https=True))

    def _carry_out(self, session: object, draft: Draft) -> Instruction:
        if draft.intent is Intent.END:
            return self._end(session, draft)

        signal = signals.saved if draft.intent is Intent.KEEP else signals.renewed

        if draft.stored is None:
            self._begin(draft)
            signal = signals.created

        stored, instruction = self._fitting(draft)
        self._saved(session, draft, stored, signal)
        return instruction

    def _end(self, session: object, draft: Draft) -> Instruction:
        existed = draft.stored is not None or draft.state == "unavailable"

        if draft.is_empty:
            if existed:
                self._tell_end(session, "ended")

            draft.ended()
            return Delete() if existed else None

        self._begin(draft)
        stored, instruction = self._fitting(draft)

        if existed:
            self._tell_end(session, "replaced")

        self._saved(session, draft, stored, signals.created)
        return instruction

    def _begin(self, draft: Draft) -> None:
        draft.header = draft.header.begun(self._clock())

        if not draft.header.public_id:
            draft.header = draft.header.named(self._new_public_id())

    def _refresh(self, session: object, draft: Draft) -> Instruction:
        now = self._clock()
        old = draft.origin.record.expires_at
        new = self._policy.expires_at(draft.header, draft.owner, now)
        limit = min(self._policy.idle_limit(draft.header, draft.owner), MAX_AGE_LIMIT)
        # Browsers forget it when its Max-Age is over, though the session has no limit.
        gained = min(new, now + MAX_AGE_LIMIT) - min(old, draft.header.seen_at + MAX_AGE_LIMIT)

        if gained < limit * REFRESH_AFTER:
            return None

        stored, instruction = self._sealed(draft)
        self._refreshed(session, draft, stored)
        return instruction

    def _fitting(self, draft: Draft) -> tuple[Stored, Set]:
        stored, instruction = self._sealed(draft)
        size = self._overhead + len(instruction.value)

        if size > MAX_VALUE:
            raise CookieTooLarge(size, MAX_VALUE, largest_keys(draft))

        return stored, instruction

    def _sealed(self, draft: Draft) -> tuple[Stored, Set]:
        now = self._clock()
        draft.header = draft.header.seen(now)
        expires_at = self._policy.expires_at(draft.header, draft.owner, now)
        record = Record(draft.pack(), 0, expires_at, draft.owner)

        if draft.stored is not None and not draft.counts_as_use:
            record = record._replace(expires_at=draft.stored.record.expires_at)
        elif draft.stored is not None and draft.intent is not Intent.END:
            record = no_shorter(draft, draft.stored.record, record)

        value = self._seal.seal(pack_sealed(record))
        max_age = max(0, min(MAX_AGE_LIMIT, int(record.expires_at - now)))
        instruction = Set(value, None if self._policy.is_transient(draft.header) else max_age)
        return Stored(value, draft.header.public_id, record), instruction
