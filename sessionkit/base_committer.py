"""BaseCommitter: the rules of a commit that hold wherever the data is."""

from __future__ import annotations

import abc
import typing as t

from . import signals
from .cookie import Instruction
from .draft import Draft
from .draft import Intent
from .draft import Stored
from .errors import SessionConflict
from .errors import StoreUnavailable
from .policy import SessionPolicy


class Writer(t.Protocol):
    """What a manager has to commit its sessions."""

    def commit(self, session: object, draft: Draft, *, ok: bool) -> Instruction: ...

    def save(self, session: object, draft: Draft) -> bool: ...


class BaseCommitter(abc.ABC):
    """Decides what a draft's state and intent lead to. Sessions are only named in signals.

    :param policy: limits.
    :param sender: who sends the signals.
    """

    def __init__(self, policy: SessionPolicy, sender: object) -> None:
        self._policy = policy
        self._sender = sender

    def commit(self, session: object, draft: Draft, *, ok: bool) -> Instruction:
        """Carry out the draft at the end of a request; return what to tell the browser.

        :param ok: False for an answer that is an error: then only an end is carried out.
        """
        if ok:
            draft.settle()
        elif draft.must_end:
            draft.start_afresh(draft.header)
        else:
            self._drop(session, draft, "error_response")
            return draft.announced

        if draft.intent is Intent.KEEP and draft.state in ("superseded", "unavailable"):
            lost = draft.lost_reason if draft.state == "superseded" else draft.state
            self._drop(session, draft, lost)
            return draft.announced

        beside = draft.state == "superseded" and draft.intent is Intent.BIND

        if (draft.state == "new" or beside) and not self._is_wanted(draft):
            return draft.announced

        if draft.intent is Intent.KEEP and draft.state == "live" and not draft.has_changed:
            return (None if draft.passive else self._refresh(session, draft)) or draft.announced

        try:
            return self._carry_out(session, draft) or draft.announced
        except (StoreUnavailable, SessionConflict):
            if draft.intent is not Intent.KEEP or not draft.tolerant:
                raise

            self._drop(session, draft, "unavailable")
            return draft.announced

    def save(self, session: object, draft: Draft) -> bool:
        """Write now, whether or not anything changed; return False if the session is gone."""
        draft.settle()

        if draft.state == "superseded" and draft.intent is Intent.KEEP:
            self._drop(session, draft, draft.lost_reason)
            return False

        draft.early = True

        try:
            draft.announced = self._carry_out(session, draft) or draft.announced
        finally:
            draft.early = False

        return draft.state == "live"

    @abc.abstractmethod
    def _carry_out(self, session: object, draft: Draft) -> Instruction:
        """Write the draft, or end the session, as its intent says."""

    @abc.abstractmethod
    def _refresh(self, session: object, draft: Draft) -> Instruction:
        """Extend the life of a session that was only read, if it is time to."""

    def _is_wanted(self, draft: Draft) -> bool:
        # Who logs out of what somebody else has ended gets the cookie deleted.
        logs_out = draft.must_end and draft.was_ended
        return not draft.is_empty or draft.chosen_id is not None or logs_out

    def _saved(self, session: object, draft: Draft, stored: Stored, signal: signals.Signal) -> None:
        facts = _facts(draft, signal) if signal.receivers else None
        draft.saved(stored)
        draft.written = True

        if facts is not None:
            signals.emit(signal, self._sender, session=session, **facts)

    def _refreshed(self, session: object, draft: Draft, stored: Stored) -> None:
        draft.saved(stored)

        if signals.saved.receivers:
            signals.emit(
                signals.saved, self._sender, session=session, keys=set(), reason="refreshed"
            )

    def _tell_end(self, session: object, reason: str) -> None:
        if signals.destroyed.receivers:
            signals.emit(signals.destroyed, self._sender, session=session, reason=reason)

    def _drop(self, session: object, draft: Draft, reason: str) -> None:
        if signals.dropped.receivers and (keys := draft.changed_keys()):
            signals.emit(signals.dropped, self._sender, session=session, keys=keys, reason=reason)


def _facts(draft: Draft, signal: signals.Signal) -> dict[str, t.Any]:
    """Return what *signal* says of a draft that was written just now."""
    keys = draft.changed_keys()

    if signal is signals.saved:
        reason = "forced" if draft.forced and not keys else "changed"
        return {"keys": keys, "reason": "early" if draft.early else reason}

    facts: dict[str, t.Any] = {"keys": keys, "owned": draft.owner is not None}

    if signal is signals.renewed:
        facts["owner_changed"] = draft.owner != draft.base_owner

    return facts
