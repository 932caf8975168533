"""What a request may know of its session beside its values."""

from __future__ import annotations

import datetime
import typing as t

from .custom_cookies import CustomCookies
from .draft import EndedReason
from .draft import State
from .moments import moment


class SessionFacts(CustomCookies):
    """The part of :class:`~sessionkit.Session` that says what state it is in, and whose it is."""

    @property
    def state(self) -> State:
        """One of ``new``, ``live``, ``superseded`` and ``unavailable``."""
        return self._look().shown_state

    @property
    def ended_reason(self) -> EndedReason | None:
        """Why the session is over that the request's cookie led to; None if it is not.

        ``revoked``: somebody else has ended it; ``evicted``: its owner has logged in elsewhere too
        often; ``expired``; ``unknown``: it has logged out, or it is long ago. None for a request
        without a cookie of ours too, and for one whose id was replaced by a newer one.
        """
        draft = self._look()
        return None if draft.state == "live" else draft.ended_reason

    @property
    def available(self) -> bool:
        """Whether what is written now can be kept: the session is new or live."""
        return self._look().keeps_writes and self.error is None

    @property
    def is_new(self) -> bool:
        """Whether nothing is stored yet."""
        return self._read().shown_state == "new"

    @property
    def new(self) -> bool:
        """The same as :attr:`is_new`, under Flask's name."""
        return self.is_new

    @property
    def owner(self) -> str | None:
        """Whose session it is, as :meth:`Session.bind` was told; None for nobody's."""
        draft = self._read()
        return draft.owner if draft.shows_data else None

    @property
    def public_id(self) -> str | None:
        """An id for lists, logs and foreign keys, kept through renewals. Never works as a cookie.

        None if the session is superseded or unavailable.
        """
        draft = self._read()

        if not draft.shows_data:
            return None

        if not draft.header.public_id:
            draft.header = draft.header.named(self.manager.new_public_id())

        return draft.header.public_id

    @property
    def meta(self) -> dict[str, t.Any]:
        """What :meth:`Session.bind` and :meth:`Session.describe` were given beside the owner."""
        return self.manager.meta_of(self._read().header)

    @property
    def created_at(self) -> datetime.datetime | None:
        """When the session was first stored, in UTC; None if it is not."""
        draft = self._read()
        return moment(draft.header.created_at) if draft.shown_state == "live" else None

    @property
    def expires_at(self) -> datetime.datetime | None:
        """When the session ends if it is not used again, in UTC; None if it is not stored."""
        draft = self._read()

        return moment(draft.origin.record.expires_at) if draft.shown_state == "live" else None
