"""Carrying out what a request wants of its session: the algorithms behind the promises.

Every write is a compare-and-swap against what was read, so whatever happened in between shows.
"""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from . import signals
from .base_committer import BaseCommitter
from .cookie import Delete
from .cookie import Instruction
from .draft import Draft
from .draft import Intent
from .draft import Stored
from .endings import Endings
from .errors import SessionConflict
from .errors import StoreUnavailable
from .gateway import Gateway
from .housekeeping import Housekeeping
from .patience import Patience
from .payload import Header
from .payload import Live
from .payload import Stub
from .policy import REFRESH_AFTER
from .policy import SessionPolicy
from .records import Records
from .records import content_of
from .records import ended_reason
from .records import is_stub
from .records import no_shorter
from .store import Record

#: How often a new id is drawn when a store says that it is taken.
NEW_ID_ATTEMPTS: t.Final = 8


class Committer(BaseCommitter):
    """Writes drafts to the store. Sessions are only named to the receivers of signals.

    :param gateway: the way to the store.
    :param policy: limits.
    :param records: makes what is written.
    :param endings: ends what a request has logged out of.
    :param clock: returns POSIX seconds.
    :param patience: makes the pauses of one request, which wants to change what is under a key.
    :param housekeeping: is told of every new record.
    :param sender: who sends the signals.
    """

    def __init__(
        self,
        gateway: Gateway,
        policy: SessionPolicy,
        records: Records,
        endings: Endings,
        clock: cabc.Callable[[], float],
        patience: cabc.Callable[[str], Patience],
        housekeeping: Housekeeping,
        sender: object,
    ) -> None:
        super().__init__(policy, sender)
        self._gateway = gateway
        self._records = records
        self._endings = endings
        self._clock = clock
        self._patience = patience
        self._housekeeping = housekeeping
        #: Called with the owner and the header of a session when somebody has logged in to it.
        self.when_bound: cabc.Callable[[str, Header], None] | None = None

    def _carry_out(self, session: object, draft: Draft) -> Instruction:
        if draft.intent is Intent.END:
            return self._end_or_tell(session, draft)

        if draft.stored is None:
            return self._create(session, draft)

        if draft.intent is Intent.KEEP:
            return self._write(session, draft)

        return self._renew(session, draft)

    def _create(self, session: object, draft: Draft) -> Instruction:
        now = self._clock()
        draft.header = draft.header.begun(now)

        for _ in range(NEW_ID_ATTEMPTS):
            stored, instruction = self._records.draw(draft, now)

            in_the_way = self._dead_record(stored.key) if draft.chosen_id is not None else None

            if self._gateway.swap(stored.key, in_the_way, stored.record):
                self._saved(session, draft, stored, signals.created)
                return instruction

        raise SessionConflict("a new session could not be created: its id is in use")

    def _dead_record(self, key: str) -> Record | None:
        """Return what is left under an id that server code has chosen, if it is over."""
        record = self._gateway.get(key)
        is_over = record is not None and (
            record.expires_at <= self._clock() or content_of(record) is None
        )
        return record if is_over else None

    def _write(self, session: object, draft: Draft) -> Instruction:
        patience = self._patience(draft.origin.key)

        while True:
            session_id, key, old = draft.origin
            now = self._clock()
            instruction = self._records.announce_again(draft, session_id, now)
            record = no_shorter(draft, old, self._records.record(draft, old.version + 1, now))
            self._records.check_size(draft, record)

            if self._gateway.swap(key, old, record):
                self._saved(session, draft, Stored(session_id, key, record), signals.saved)
                return instruction

            self._lost(session, draft)
            # Before the reload: what is known would be stale after a pause, and the swap in vain.
            patience.wait()

            if not self._reload(session, draft):
                return None

    def _refresh(self, session: object, draft: Draft) -> Instruction:
        """Extend the life of a session that was only read: once, and silently."""
        session_id, key, old = draft.origin
        now = self._clock()
        gained = self._policy.expires_at(draft.header, draft.owner, now) - old.expires_at
        limit = self._policy.idle_limit(draft.header, draft.owner)
        instruction = self._records.announce_again(draft, session_id, now)

        if gained < limit * REFRESH_AFTER and instruction is None:
            return None

        record = no_shorter(draft, old, self._records.record(draft, old.version + 1, now))

        try:
            refreshed = self._gateway.swap(key, old, record)
        except StoreUnavailable:
            # The gateway has reported it; whoever only reads need not know.
            refreshed = False

        if not refreshed:
            return None

        self._refreshed(session, draft, Stored(session_id, key, record))
        return instruction

    def _renew(self, session: object, draft: Draft) -> Instruction:
        if draft.state == "superseded":
            return self._create(session, draft)

        stands_down = draft.intent is Intent.RENEW
        patience = self._patience(draft.origin.key)

        while True:
            old = draft.origin
            now = self._clock()
            new, instruction = self._records.draw(draft, now)
            new = new._replace(record=no_shorter(draft, old.record, new.record))

            if self._gateway.move(
                old.key, old.record, self._records.stub(draft, new.key, now), new.key, new.record
            ):
                self._saved(session, draft, new, signals.renewed)
                return instruction

            self._lost(session, draft)
            patience.wait()

            if not self._reload(session, draft, quietly=not stands_down):
                if not stands_down:
                    return self._create_beside(session, draft)

                # Else the commit that follows an early save would try once more, and succeed.
                draft.intent = Intent.KEEP
                return None

    def _create_beside(self, session: object, draft: Draft) -> Instruction:
        """Log in although the session was renewed or ended elsewhere: in a session of our own."""
        draft.header = draft.header.named("")
        return self._create(session, draft)

    def _end_or_tell(self, session: object, draft: Draft) -> Instruction:
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

    def _end(self, session: object, draft: Draft) -> Instruction:
        patience = self._patience(draft.stored.key if draft.stored else "")

        while draft.stored is not None:
            old = draft.stored
            now = self._clock()

            if draft.is_empty or is_stub(old.record):
                ended = self._endings.end(old.key, old.record)

                if ended:
                    self._tell_end(session, "ended")

                if not draft.is_empty:
                    break

                draft.ended()
                return None if ended is None else Delete()

            draft.header = draft.header._replace(created_at=now)
            new, instruction = self._records.draw(draft, now)

            if self._gateway.move(
                old.key, old.record, self._records.stub(draft, new.key, now), new.key, new.record
            ):
                self._tell_end(session, "replaced")
                self._saved(session, draft, new, signals.created)
                return instruction

            self._lost(session, draft)
            patience.wait()
            found = self._gateway.get(old.key)
            draft.stored = None if found is None else old._replace(record=found)

        if draft.is_empty:
            draft.ended()
            return Delete() if draft.was_ended else None

        return self._create(session, draft)

    def _reload(self, session: object, draft: Draft, *, quietly: bool = False) -> bool:
        """Merge with what another request has stored; False if the session is over."""
        record = self._gateway.get(draft.origin.key)
        theirs = None if record is None else content_of(record)

        if record is None or not isinstance(theirs, Live):
            draft.ended_reason = ended_reason(theirs) if isinstance(theirs, Stub) else "unknown"

            if not quietly:
                self._drop(session, draft, draft.lost_reason)
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

    def _lost(self, session: object, draft: Draft) -> None:
        """Tell that another request has written the session since this one has read it."""
        if signals.conflict.receivers:
            keys = draft.changed_keys()
            signals.emit(signals.conflict, self._sender, session=session, keys=keys)

    def _saved(self, session: object, draft: Draft, stored: Stored, signal: signals.Signal) -> None:
        owner = draft.owner if self.when_bound is not None and draft.binds else None
        super()._saved(session, draft, stored, signal)

        if signal is not signals.saved:
            self._housekeeping.session_created()

        if self.when_bound is not None and owner is not None:
            self.when_bound(owner, draft.header)
