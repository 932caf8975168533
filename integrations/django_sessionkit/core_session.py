"""Which session of the core a session of Django's stands for, and its key."""

from __future__ import annotations

import functools
import typing as t

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.utils.module_loading import import_string

from sessionkit import Session
from sessionkit.errors import SessionError

from .followers import EXPIRY_KEY
from .followers import follow_expiry
from .followers import follow_login
from .registry import get_manager


class CoreSession(SessionBase):
    """A session of Django's that leaves its data to one of the core's.

    :param session_key: an id, bare or signed as in the cookie.
    """

    #: The key as it was given, until the session is loaded.
    _claimed: str | None = None
    #: What somebody has set ``modified`` to. None: the core knows.
    _modified: bool | None = None
    #: Somebody has set ``modified`` to True, so it is saved even if nothing seems to have changed.
    _forced: bool = False
    #: The id was made by this object, and no browser has it yet.
    _renewed: bool = False
    #: ``cycle_key()`` found that another request was faster.
    _stood_down: bool = False
    #: ``SessionMiddleware`` of this package commits; what comes too late is dropped silently.
    _committed_for: bool = False
    #: The session is to be ended when the application's transaction is over.
    _flushed: bool = False
    #: Nothing around Django has opened the session, so Django's middleware commits it.
    is_outermost: bool = True
    #: Why the view was given up.
    failure: SessionError | None = None

    #: Keys that this request has written and saved already, in a session without an owner.
    _written: frozenset[str] = frozenset()

    def __init__(self, session_key: str | None = None) -> None:
        # Without SessionBase's own, which sets what is a property here.
        if session_key is not None:
            self._session_key = session_key

    @functools.cached_property
    def core(self) -> Session:
        """The session as the core sees it, the same in Django, Flask and plain WSGI."""
        return Session(get_manager())

    @property
    def serializer(self) -> t.Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What ``encode()`` and ``decode()`` use. The engine does not use them."""
        return import_string(settings.SESSION_SERIALIZER)

    def adopt(self, session: Session, is_outermost: bool) -> None:
        """Become the face of a session that the middleware has opened, and will commit."""
        self.core = session
        self._committed_for = True

        if not is_outermost:
            self.is_outermost = False

    @property
    def session_key(self) -> str | None:
        """The id, without a signature, of the session that was loaded or, before, that was given.

        Whoever has it has the session: keep :attr:`public_id` in other places.
        """
        draft = self.core.loaded_draft

        if draft is not None and (draft.chosen_id or self._flushed):
            # What is written later, after a transaction of the application.
            return draft.chosen_id

        if draft is not None and draft.stored is not None:
            return draft.stored.session_id

        if draft is None or draft.state == "unavailable":
            return self._claimed or self._first_candidate()

        return None

    def _first_candidate(self) -> str | None:
        core = self.core
        ids = (core.manager.verify(value) for value in core.candidates())
        return core.session_id or next((found for found in ids if found), None)

    @property
    def _session_key(self) -> str | None:
        return self.session_key

    @_session_key.setter
    def _session_key(self, value: str | None) -> None:
        manager = get_manager()
        claimed = value if value and len(value) >= 8 else None
        verified = manager.verify(claimed) if claimed else None
        self._claimed = verified or claimed
        core = Session(manager, session_id=verified)

        if (previous := self.__dict__.get("core")) is not None:
            core.stand_in_for(previous)
            core.passive, core.outage = previous.passive, previous.outage

        self.core = core

    def settle(self) -> None:
        """Tell the core what Django's own keys say, whose values cannot change inside."""
        draft = self.core.loaded_draft

        if draft is None or self.core.committed:
            return

        before, now = draft.values.base, draft.values.current

        if before.get(EXPIRY_KEY) != now.get(EXPIRY_KEY):
            follow_expiry(self.core, draft)

        if before.get(SESSION_KEY) != now.get(SESSION_KEY):
            draft.settle()
            written = {*draft.values.changed(), *self._written}
            owner = draft.owner
            follow_login(self.core, draft, written=written, renewed=self._renewed)
            self._renewed = self._renewed and draft.owner == owner

    def _load_core(self) -> None:
        _ = self.core.draft
