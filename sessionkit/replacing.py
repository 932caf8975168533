"""Changing a stored session in its place, whatever others change in it at the same time.

Every write is a compare-and-swap against what was read, so whatever happened in between shows.
"""

from __future__ import annotations

import collections.abc as cabc

from . import signals
from .base_committer import BaseCommitter
from .cookie import Instruction
from .draft import Draft
from .draft import Stored
from .errors import StoreUnavailable
from .gateway import Gateway
from .line import Offer
from .patience import Lines
from .payload import Live
from .payload import Stub
from .policy import SessionPolicy
from .records import Records
from .records import content_of
from .records import ended_reason
from .records import no_shorter
from .store import Record

#: What is stored now, and what to tell the browser.
Written = tuple[Stored, Instruction]


class ReplacingCommitter(BaseCommitter):
    """Replaces a session's record, and merges with what others have put there.

    :param gateway: the way to the store.
    :param policy: limits.
    :param records: makes what is written.
    :param clock: returns POSIX seconds.
    :param lines: where the requests of this process wait that change the same session.
    :param sender: who sends the signals.
    """

    def __init__(
        self,
        gateway: Gateway,
        policy: SessionPolicy,
        records: Records,
        clock: cabc.Callable[[], float],
        lines: Lines,
        sender: object,
    ) -> None:
        super().__init__(policy, sender)
        self._gateway = gateway
        self._records = records
        self._clock = clock
        self._lines = lines

    def _write(self, session: object, draft: Draft) -> Instruction:
        written = None if draft.origin.key in self._lines else self._replace(draft)

        if written is None:
            # Others change it at the same time.
            written = self._replace_in_turn(session, draft)

        if written is None:
            return None

        stored, instruction = written
        self._saved(session, draft, stored, signals.saved)
        return instruction

    def _replace(self, draft: Draft, offers: cabc.Collection[Offer] = ()) -> Written | None:
        """Write over the record that the draft was made of; None if there is another one.

        :param offers: what others have changed, to be written with it.
        """
        session_id, key, old = draft.origin
        now = self._clock()
        instruction = self._records.announce_again(draft, session_id, now)
        others = [offer.changes for offer in offers] if offers else ()
        record = no_shorter(draft, old, self._records.record(draft, old.version + 1, now, others))

        if others and len(record.payload) > self._policy.max_payload:
            return self._replace(draft)  # who is too large turns out when each writes its own

        self._records.check_size(draft, record)

        if not self._gateway.swap(key, old, record):
            return None

        for offer in offers:
            offer.written = record

        return Stored(session_id, key, _unread(record, old) if others else record), instruction

    def _replace_in_turn(self, session: object, draft: Draft) -> Written | None:
        """Try until it is written, with what others have changed; None if the session is over."""
        offer = self._offer(draft)

        with self._lines.patience(draft.origin.key) as patience:
            while True:
                patience.wait(offer)

                if offer is not None and offer.written is not None:
                    patience.leave()
                    return self._was_written(session, draft, offer.written), None

                if not self._catch_up(session, draft):
                    return None

                # What was offered during the reading is there, too.
                offers = patience.take_offers() if self._may_write_for_others(draft) else ()

                if (written := self._replace(draft, offers)) is not None:
                    return written

    def _offer(self, draft: Draft) -> Offer | None:
        """Return what another request may write for this one; None: it must do so itself."""
        if self._gateway.in_transaction():
            return None

        changes = draft.plain_changes(self._policy.queues)
        return None if changes is None else Offer(changes)

    def _may_write_for_others(self, draft: Draft) -> bool:
        return draft.counts_as_use and not self._gateway.in_transaction()

    def _was_written(self, session: object, draft: Draft, record: Record) -> Stored:
        """Take note that another request has written what this one has changed."""
        self._lost(session, draft)

        if signals.merged.receivers:
            keys = draft.changed_keys()
            signals.emit(signals.merged, self._sender, session=session, keys=keys)

        session_id, key, old = draft.origin
        return Stored(session_id, key, _unread(record, old))

    def _refresh(self, session: object, draft: Draft) -> Instruction:
        """Extend the life of a session that was only read: once, and silently."""
        session_id, key, old = draft.origin
        now = self._clock()
        instruction = self._records.announce_again(draft, session_id, now)
        is_due = self._policy.is_refresh_due(draft.header, draft.owner, old.expires_at, now)

        if instruction is None and not is_due:
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

    def _catch_up(self, session: object, draft: Draft) -> bool:
        """Merge with what another request has stored, if one has; False if the session is over."""
        record = self._gateway.get(draft.origin.key)

        if record is not None and record.version == draft.origin.record.version:
            return True

        self._lost(session, draft)
        return self._merge(session, draft, record)

    def _reload(self, session: object, draft: Draft, *, quietly: bool = False) -> bool:
        """Merge with what another request has stored; False if the session is over."""
        return self._merge(session, draft, self._gateway.get(draft.origin.key), quietly=quietly)

    def _merge(
        self, session: object, draft: Draft, record: Record | None, *, quietly: bool = False
    ) -> bool:
        theirs = None if record is None else content_of(record)

        if record is None or not isinstance(theirs, Live):
            draft.ended_reason = ended_reason(theirs) if isinstance(theirs, Stub) else "unknown"

            if not quietly:
                self._drop(session, draft, draft.lost_reason)
                draft.state = "superseded"

            return False

        keys = draft.changed_keys() if signals.merged.receivers else set()
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


def _unread(record: Record, old: Record) -> Record:
    """Return a record as one that must be read again before it is replaced.

    What others have changed is in it, and is not in the draft of the request that wrote it.
    """
    return record._replace(version=old.version)
