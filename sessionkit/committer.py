"""Carrying out what a request wants of its session: the algorithms behind the promises.

Every write is a compare-and-swap against what was read, so whatever happened in between shows.
"""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from . import signals
from .cookie import MAX_AGE_LIMIT
from .cookie import Delete
from .cookie import Instruction
from .cookie import Set
from .draft import Draft
from .draft import Intent
from .draft import Stored
from .errors import DecodeError
from .errors import NewerFormat
from .errors import PayloadTooLarge
from .errors import SessionConflict
from .errors import StoreUnavailable
from .gateway import Gateway
from .patience import Patience
from .payload import Live
from .payload import Stub
from .payload import pack_stub
from .payload import unpack
from .policy import REFRESH_AFTER
from .policy import SessionPolicy
from .store import Record
from .tokens import Randomness
from .tokens import digest

if t.TYPE_CHECKING:
    from .session import Session

#: How often a new id is drawn when a store says that it is taken.
NEW_ID_ATTEMPTS: t.Final = 8


class Committer:
    """Writes drafts to the store.

    :param gateway: the way to the store.
    :param policy: limits.
    :param sign: turns an id into the cookie's value.
    :param clock: returns POSIX seconds.
    :param patience: makes the pauses of one request.
    :param randomness: draws ids and versions.
    :param sender: who sends the signals.
    """

    def __init__(
        self,
        gateway: Gateway,
        policy: SessionPolicy,
        sign: cabc.Callable[[str], str],
        clock: cabc.Callable[[], float],
        patience: cabc.Callable[[], Patience],
        randomness: Randomness,
        sender: object,
    ) -> None:
        self._gateway = gateway
        self._policy = policy
        self._sign = sign
        self._clock = clock
        self._patience = patience
        self._randomness = randomness
        self._sender = sender

    def commit(self, session: Session, draft: Draft, *, ok: bool) -> Instruction:
        """Carry out the draft at the end of a request; return what to tell the browser.

        :param ok: False for an answer that is an error: then only an end is carried out.
        """
        if not ok and draft.intent is Intent.END:
            draft.start_afresh(draft.header)

        if ok:
            draft.settle()
        elif draft.intent is not Intent.END:
            self._drop(session, draft, "error_response")
            return draft.announced

        if draft.intent is Intent.KEEP and draft.state in ("superseded", "unavailable"):
            self._drop(session, draft, draft.state)
            return draft.announced

        beside = draft.state == "superseded" and draft.intent is Intent.BIND

        if (draft.state == "new" or beside) and not self._is_wanted(draft):
            return draft.announced

        if draft.intent is Intent.KEEP and draft.state == "live" and not draft.has_changed:
            return self._refresh(draft) or draft.announced

        try:
            return self._carry_out(session, draft) or draft.announced
        except (StoreUnavailable, SessionConflict):
            if draft.intent is not Intent.KEEP or self._policy.outage == "error":
                raise

            self._drop(session, draft, "unavailable")
            return draft.announced

    def save(self, session: Session, draft: Draft) -> bool:
        """Write now, whether or not anything changed; return False if the session is gone."""
        draft.settle()

        if draft.state == "superseded" and draft.intent is Intent.KEEP:
            self._drop(session, draft, "superseded")
            return False

        draft.announced = self._carry_out(session, draft) or draft.announced
        return draft.state == "live"

    def end(self, key: str, record: Record | None, owner: str | None = None) -> bool:
        """End what is stored under *key*, or what replaced it.

        :param owner: a session that has become somebody else's is left alone; None: end any.
        :return: False if it was over already.
        """
        patience = self._patience()
        followed: set[str] = set()

        while record is not None:
            successor = _successor(record)

            if successor is not None:
                # Only a damaged or hostile store leads back to where we were.
                followed.add(key)
                key = successor
                record = None if key in followed else self._gateway.get(key)
            elif _is_stub(record) or owner not in (None, record.owner):
                return False
            elif self._gateway.delete(key, record):
                return True
            else:
                record = self._gateway.get(key)
                patience.wait()

        return False

    def _is_wanted(self, draft: Draft) -> bool:
        return draft.forced or not draft.is_empty or draft.chosen_id is not None

    def _carry_out(self, session: Session, draft: Draft) -> Instruction:
        if draft.intent is Intent.END:
            return self._end_or_tell(session, draft)

        if draft.stored is None:
            return self._create(session, draft)

        if draft.intent is Intent.KEEP:
            return self._write(session, draft)

        return self._renew(session, draft)

    def _create(self, session: Session, draft: Draft) -> Instruction:
        now = self._clock()
        draft.header = draft.header._replace(created_at=now, started_at=now)

        for _ in range(NEW_ID_ATTEMPTS):
            stored, instruction = self._draw(draft, now)

            if self._gateway.swap(stored.key, None, stored.record):
                self._saved(session, draft, stored, signals.created)
                return instruction

            if draft.chosen_id is not None:
                break

        raise SessionConflict("a new session could not be created: its id is in use")

    def _write(self, session: Session, draft: Draft) -> Instruction:
        patience = self._patience()

        while True:
            session_id, key, old = draft.origin
            now = self._clock()
            instruction = self._cookie_again(draft, session_id, now)
            record = self._record(draft, old.version + 1, now)
            self._check_size(draft, record)

            if not draft.expiry_set:
                record = record._replace(expires_at=max(record.expires_at, old.expires_at))

            if self._gateway.swap(key, old, record):
                self._saved(session, draft, Stored(session_id, key, record), signals.saved)
                return instruction

            if not self._reload(session, draft):
                return None

            patience.wait()

    def _refresh(self, draft: Draft) -> Instruction:
        """Extend the life of a session that was only read: once, and silently."""
        session_id, key, old = draft.origin
        now = self._clock()
        gained = self._policy.expires_at(draft.header, draft.owner, now) - old.expires_at
        limit = self._policy.idle_limit(draft.header, draft.owner)
        instruction = self._cookie_again(draft, session_id, now)

        if gained < limit * REFRESH_AFTER and instruction is None:
            return None

        record = _no_shorter(draft, old, self._record(draft, old.version + 1, now))

        try:
            refreshed = self._gateway.swap(key, old, record)
        except StoreUnavailable:
            # The gateway has reported it; whoever only reads need not know.
            refreshed = False

        if not refreshed:
            return None

        draft.saved(Stored(session_id, key, record))
        return instruction

    def _renew(self, session: Session, draft: Draft) -> Instruction:
        if draft.state == "superseded":
            return self._create(session, draft)

        stands_down = draft.intent is Intent.RENEW
        patience = self._patience()

        while True:
            old = draft.origin
            now = self._clock()
            new, instruction = self._draw(draft, now)
            new = new._replace(record=_no_shorter(draft, old.record, new.record))

            if self._gateway.move(
                old.key, old.record, self._stub(draft, new.key, now), new.key, new.record
            ):
                self._saved(session, draft, new, signals.renewed)
                return instruction

            if not self._reload(session, draft, quietly=not stands_down):
                if not stands_down:
                    return self._create_beside(session, draft)

                # Else the commit that follows an early save would try once more, and succeed.
                draft.intent = Intent.KEEP
                return None

            patience.wait()

    def _create_beside(self, session: Session, draft: Draft) -> Instruction:
        """Log in although the session was renewed or ended elsewhere: in a session of our own."""
        draft.header = draft.header._replace(public_id=self._randomness.public_id())
        return self._create(session, draft)

    def _end_or_tell(self, session: Session, draft: Draft) -> Instruction:
        had_cookie = draft.stored is not None or draft.state == "unavailable"

        try:
            if draft.state == "unavailable":
                raise StoreUnavailable("the session store does not answer")

            return self._end(session, draft)
        except (StoreUnavailable, SessionConflict) as error:
            if not had_cookie:
                raise

            untold = StoreUnavailable(
                "the session store could not be told that this session has ended: its cookie is "
                "deleted, but a copy of the cookie may go on working"
            )
            untold.instruction = Delete()
            raise untold from error

    def _end(self, session: Session, draft: Draft) -> Instruction:
        patience = self._patience()

        while draft.stored is not None:
            old = draft.stored
            now = self._clock()

            if draft.is_empty or _is_stub(old.record):
                ended = self.end(old.key, old.record)

                if ended:
                    signals.emit(signals.destroyed, self._sender, session=session, reason="ended")

                if not draft.is_empty:
                    break

                draft.ended()
                return Delete() if ended else None

            draft.header = draft.header._replace(created_at=now)
            new, instruction = self._draw(draft, now)

            if self._gateway.move(
                old.key, old.record, self._stub(draft, new.key, now), new.key, new.record
            ):
                signals.emit(signals.destroyed, self._sender, session=session, reason="replaced")
                self._saved(session, draft, new, signals.created)
                return instruction

            found = self._gateway.get(old.key)
            draft.stored = None if found is None else old._replace(record=found)
            patience.wait()

        if draft.is_empty:
            draft.ended()
            return None

        return self._create(session, draft)

    def _reload(self, session: Session, draft: Draft, *, quietly: bool = False) -> bool:
        """Merge with what another request has stored; False if the session is over."""
        record = self._gateway.get(draft.origin.key)
        theirs = None if record is None else _content(record)

        if record is None or not isinstance(theirs, Live):
            if not quietly:
                self._drop(session, draft, "superseded" if record else "ended")
                draft.state = "superseded"

            return False

        keys = draft.changed_keys()
        failed = draft.rebase(theirs, record, self._policy.queues)
        signals.emit(signals.merged, self._sender, session=session, keys=keys - failed)

        if failed:
            signals.emit(
                signals.dropped, self._sender, session=session, keys=failed, reason="mutate_failed"
            )

        return True

    def _draw(self, draft: Draft, now: float) -> tuple[Stored, Set]:
        """Make a record under a new id, and the cookie that goes with it."""
        session_id = draft.chosen_id or self._randomness.session_id()
        instruction = self._set(draft, session_id, now)
        record = self._record(draft, self._randomness.first_version(), now)
        self._check_size(draft, record)
        return Stored(session_id, digest(session_id), record), instruction

    def _set(self, draft: Draft, session_id: str, now: float) -> Set:
        max_age = self._policy.max_age(draft.header, now)
        promised = None if max_age is None else now + max_age
        draft.header = draft.header._replace(promised_until=promised)
        return Set(self._sign(session_id), max_age)

    def _cookie_again(self, draft: Draft, session_id: str, now: float) -> Set | None:
        """Return the same cookie anew if its lifetime was changed, if the browser would forget it
        before the session ends, or, for a session without an end, if half of its lifetime is over.
        A new id sends it anyway."""
        policy = self._policy
        promised = draft.base_header.promised_until
        needed = min(policy.deadline(draft.header), now + MAX_AGE_LIMIT / 2)

        # What was promised was cut to whole seconds.
        if policy.is_transient(draft.header) != (promised is None) or (
            promised is not None and promised + 1 <= needed
        ):
            return self._set(draft, session_id, now)

        return None

    def _record(self, draft: Draft, version: int, now: float) -> Record:
        draft.header = draft.header._replace(seen_at=now)
        expires_at = self._policy.expires_at(draft.header, draft.owner, now)
        return Record(draft.pack(), version, expires_at, draft.owner)

    def _check_size(self, draft: Draft, record: Record) -> None:
        size = len(record.payload)

        if size > self._policy.max_payload:
            sizes = {key: len(value) for key, value in draft.values.encoded().items()}
            largest = sorted(sizes.items(), key=lambda item: -item[1])[:3]
            raise PayloadTooLarge(size, self._policy.max_payload, largest)

    def _stub(self, draft: Draft, successor: str, now: float) -> Record:
        old = draft.origin.record
        tokens: dict[str, bytes] = {}

        if self._policy.form_tokens and (content := _content(old)) is not None:
            names = content.values.keys() & set(self._policy.form_tokens)
            tokens = {key: content.values[key] for key in names}

        payload = pack_stub(Stub("renewed", successor, tokens))
        return Record(payload, old.version + 1, now + self._policy.stub_timeout)

    def _saved(
        self, session: Session, draft: Draft, stored: Stored, signal: signals.Signal
    ) -> None:
        keys = draft.changed_keys() if signal.receivers else set()
        draft.saved(stored)
        draft.written = True
        signals.emit(signal, self._sender, session=session, keys=keys)

    def _drop(self, session: Session, draft: Draft, reason: str) -> None:
        keys = draft.changed_keys()

        if keys:
            signals.emit(signals.dropped, self._sender, session=session, keys=keys, reason=reason)


def _no_shorter(draft: Draft, old: Record, record: Record) -> Record:
    """Keep a process with a slow clock from shortening a life."""
    if draft.expiry_set:
        return record

    return record._replace(expires_at=max(record.expires_at, old.expires_at))


def _content(record: Record) -> Live | Stub | None:
    try:
        return unpack(record.payload)
    except DecodeError:
        return None


def _is_stub(record: Record) -> bool:
    try:
        return isinstance(_content(record), Stub)
    except NewerFormat:
        return False


def _successor(record: Record) -> str | None:
    try:
        content = _content(record)
    except NewerFormat:
        return None

    return content.successor if isinstance(content, Stub) else None
