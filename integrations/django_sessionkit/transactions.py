"""What a request wants of its session while the application's transaction is open.

Such a transaction may yet be rolled back, it may not see what others write, and what it changes is
locked until it ends. So the request's own session is written after it, and what was ended in it is
ended once more.
"""

from __future__ import annotations

import typing as t
import weakref

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import signals
from sessionkit.current import current
from sessionkit.draft import EndedReason
from sessionkit.draft import Intent
from sessionkit.draft import Stored
from sessionkit.errors import SessionConflict

N = t.TypeVar("N")


class _Notes(t.Generic[N]):
    """Lists that each belong to a session, as long as it lives."""

    def __init__(self) -> None:
        self._lists: dict[int, list[N]] = {}

    def of(self, session: Session) -> list[N]:
        number = id(session)

        if number not in self._lists:
            self._lists[number] = []
            weakref.finalize(session, self._lists.pop, number, None).atexit = False

        return self._lists[number]

    def take(self, session: Session) -> list[N]:
        return self._lists.pop(id(session), [])

    def has(self, session: Session) -> bool:
        return bool(self._lists) and bool(self._lists.get(id(session)))


#: What a request has ended in a transaction that may not have been committed: keys, and the reason
#: that was left there.
_endings: _Notes[tuple[str, EndedReason | None]] = _Notes()
#: Says whether something is to be ended again after the request of a session.
has_endings: t.Final = _endings.has
#: What was saved in a transaction that may not have been committed.
_in_doubt: _Notes[Stored] = _Notes()


@t.runtime_checkable
class Transactional(t.Protocol):
    """A store whose writes may be part of a transaction of the application."""

    def in_transaction(self) -> bool:
        """Say whether what is written now can be rolled back by the application."""
        ...

    def when_committed(self, function: t.Callable[[], object], /) -> None:
        """Call *function* when the application's transaction has been committed."""
        ...


class TransactionalManager(SessionManager):
    """A manager whose store writes over the application's connection."""

    def save(self, session: Session) -> bool:
        """Write *session* now; that of the current request when the transaction has ended.

        :raises SessionConflict: also if it was saved before, in a transaction that was rolled back.
        """
        draft = session.draft

        if not self.waits(session):
            return self._save_now(session)

        if draft.intent is Intent.END and draft.is_empty:
            return False

        return self.promise(session)

    def waits(self, session: Session) -> bool:
        """Say whether *session* is to be written later, by the middleware that has opened it."""
        return current.get(None) is session and self._transactional.in_transaction()

    def promise(self, session: Session) -> bool:
        """Have the commit write *session*, under an id that is known from now on."""
        draft = session.draft

        if session.error is not None or (
            draft.state == "superseded" and draft.intent is Intent.KEEP
        ):
            return super().save(session)  # which raises, or drops what was written

        draft.forced = True

        if draft.stored is None or draft.intent is not Intent.KEEP:
            draft.chosen_id = draft.chosen_id or self._randomness.session_id()

        return True

    def repeat_endings(self, session: Session) -> None:
        """End again what the request of *session* has ended in a transaction."""
        for key, reason in _endings.take(session):
            self._endings.end(key, self._gateway.get(key), reason=reason)

    def end_stored(self, key: str, owner: str | None) -> bool:
        """End what is stored under *key*, or what has replaced it, while it is *owner*'s.

        What ``revoke`` does, for who has the key and not the id: the session may be nobody's, and
        of many sessions each costs the same.

        :return: False if there is nothing to end.
        """
        record = self._gateway.get(key)
        ended = self._endings.end(key, record, lambda found: found.owner == owner, "revoked")

        if ended and self._transactional.in_transaction():
            note_ending(key, self._transactional, "revoked")

        if ended:
            signals.emit(signals.destroyed, self, session=None, reason="revoked")

        return bool(ended)

    @property
    def _transactional(self) -> Transactional:
        return t.cast(Transactional, self.store)

    def _save_now(self, session: Session) -> bool:
        self._check(session)
        saved = super().save(session)
        store = self._transactional
        stored = session.draft.stored

        if stored is not None and store.in_transaction():
            notes = _in_doubt.of(session)
            notes[:] = [stored]
            store.when_committed(notes.clear)

        return saved

    def _check(self, session: Session) -> None:
        """Raise ``SessionConflict`` if what was saved before was rolled back.

        Another request may since have used the version that we had given to it.
        """
        for stored in _in_doubt.take(session):
            if self._gateway.get(stored.key) != stored.record:
                raise SessionConflict(
                    "this session was saved in a transaction that was rolled back, and cannot be "
                    "saved again"
                )


def note_ending(key: str, store: Transactional, reason: EndedReason | None = None) -> None:
    """Take note that the current request has ended *key* in a transaction of the application.

    :param reason: what was left there.
    """
    session = current.get(None)

    if session is not None:
        ended = _endings.of(session)
        ended.append((key, reason))
        store.when_committed(lambda: ended.remove((key, reason)))
