"""Carrying out what a request wants of its session: the algorithms behind the promises."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from . import signals
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
from .patience import Lines
from .payload import Header
from .policy import SessionPolicy
from .records import Records
from .records import content_of
from .records import is_stub
from .records import no_shorter
from .replacing import ReplacingCommitter
from .replacing import Written
from .store import Record

#: How often a new id is drawn when a store says that it is taken.
NEW_ID_ATTEMPTS: t.Final = 8


class Committer(ReplacingCommitter):
    """Writes drafts to the store. Sessions are only named to the receivers of signals.

    :param gateway: the way to the store.
    :param policy: limits.
    :param records: makes what is written.
    :param endings: ends what a request has logged out of.
    :param clock: returns POSIX seconds.
    :param lines: where the requests of this process wait that change the same session.
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
        lines: Lines,
        housekeeping: Housekeeping,
        sender: object,
    ) -> None:
        super().__init__(gateway, policy, records, clock, lines, sender)
        self._endings = endings
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

    def _renew(self, session: object, draft: Draft) -> Instruction:
        if draft.state == "superseded":
            return self._create(session, draft)

        stands_down = draft.intent is Intent.RENEW
        written = self._move(session, draft, quietly=not stands_down)

        if written is not None:
            new, instruction = written
            self._saved(session, draft, new, signals.renewed)
            return instruction

        if not stands_down:
            return self._create_beside(session, draft)

        # Else the commit that follows an early save would try once more, and succeed.
        draft.intent = Intent.KEEP
        return None

    def _move(self, session: object, draft: Draft, *, quietly: bool) -> Written | None:
        """Give the session a new id; None if it is over."""
        with self._lines.patience(draft.origin.key) as patience:
            while True:
                old = draft.origin
                now = self._clock()
                new, instruction = self._records.draw(draft, now)
                new = new._replace(record=no_shorter(draft, old.record, new.record))
                stub = self._records.stub(draft, new.key, now)

                if self._gateway.move(old.key, old.record, stub, new.key, new.record):
                    return new, instruction

                self._lost(session, draft)
                patience.wait()

                if not self._reload(session, draft, quietly=quietly):
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
        if not draft.is_empty:
            return self._end_and_create(session, draft)

        old = draft.stored
        ended = None if old is None else self._endings.end(old.key, old.record)

        if ended:
            self._tell_end(session, "ended")

        draft.ended()
        # Who logs out of what somebody else has ended gets the cookie deleted, too.
        return Delete() if ended is not None or (old is None and draft.was_ended) else None

    def _end_and_create(self, session: object, draft: Draft) -> Instruction:
        """End the session; what was written since is another one."""
        if (written := self._replace_by_new(session, draft)) is not None:
            new, instruction = written
            self._tell_end(session, "replaced")
            self._saved(session, draft, new, signals.created)
            return instruction

        stub = draft.stored

        if stub is not None and self._endings.end(stub.key, stub.record):
            self._tell_end(session, "ended")

        return self._create(session, draft)

    def _replace_by_new(self, session: object, draft: Draft) -> Written | None:
        """Put a new session in the place of the one that was found; None if that is over."""
        if draft.stored is None:
            return None

        with self._lines.patience(draft.stored.key) as patience:
            while (old := draft.stored) is not None and not is_stub(old.record):
                now = self._clock()
                draft.header = draft.header._replace(created_at=now)
                new, instruction = self._records.draw(draft, now)
                stub = self._records.stub(draft, new.key, now)

                if self._gateway.move(old.key, old.record, stub, new.key, new.record):
                    return new, instruction

                self._lost(session, draft)
                patience.wait()
                found = self._gateway.get(old.key)
                draft.stored = None if found is None else old._replace(record=found)

        return None

    def _saved(self, session: object, draft: Draft, stored: Stored, signal: signals.Signal) -> None:
        owner = draft.owner if self.when_bound is not None and draft.binds else None
        super()._saved(session, draft, stored, signal)

        if signal is not signals.saved:
            self._housekeeping.session_created()

        if self.when_bound is not None and owner is not None:
            self.when_bound(owner, draft.header)
