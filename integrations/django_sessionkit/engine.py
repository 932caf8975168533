"""The session engine: ``SESSION_ENGINE = "django_sessionkit.engine"``."""

from __future__ import annotations

import contextlib
import typing as t

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.base import UpdateError

from sessionkit import Session
from sessionkit.cookie import Instruction
from sessionkit.draft import Intent
from sessionkit.errors import SessionConflict
from sessionkit.errors import SessionError
from sessionkit.errors import StoreUnavailable
from sessionkit.errors import UnsupportedOperation

from . import conf
from . import logins
from .extras import SessionExtras
from .registry import get_manager
from .transactions import TransactionalManager


class SessionStore(SessionExtras):
    """``request.session``: Django's interface, and beside it that of ``sessionkit.Session``.

    Lazy, merged with what other requests write, and never brought back once it was ended. Changes
    inside of values are noticed; ``modified`` needs to be set for none of them.

    :param session_key: an id, bare or signed as in the cookie.
    """

    def load(self) -> dict[str, t.Any]:
        """Return what is stored now, whatever was loaded before."""
        key = self.session_key
        stored = Session(self.core.manager, session_id=key) if key else None

        if stored is None or stored.state == "new":
            self._session_key = None
            return {}

        return dict(stored)

    def exists(self, session_key: str | None) -> bool:
        return bool(session_key) and self.core.manager.load(session_key or "") is not None

    def save(self, must_create: bool = False) -> None:
        """Write now.

        :raises CreateError: if *must_create* is set and the session is stored already.
        :raises UpdateError: if the session was ended or replaced by another request. Under this
            package's middleware the late write is dropped silently instead.
        """
        if must_create and self.core.state == "live":
            raise CreateError

        self._modified = self.modified
        self.settle()

        if not self._save() and not self._committed_for:
            raise UpdateError

    def _save(self) -> bool:
        core = self.core
        draft = core.draft
        ends = draft.intent is Intent.END
        before = draft.stored
        draft.settle()
        self._written |= draft.changed_keys()

        try:
            if (manager := self._later()) is not None:
                saved = manager.promise(core)
            else:
                # In Django what was saved exists, though it be empty.
                saved = core.save() or (ends and core.save())
        except SessionConflict as error:
            if self._committed_for:
                raise

            raise UpdateError from error

        if draft.owner is not None:
            # What was saved for somebody is theirs, and nobody else's.
            self._written = frozenset()

        if draft.stored is not None and draft.stored is not before:
            self._renewed |= before is None or draft.stored.session_id != before.session_id

        return saved

    def _later(self) -> TransactionalManager | None:
        """Return the manager if the middleware is to write this session after a transaction."""
        manager = self.core.manager

        if isinstance(manager, TransactionalManager) and manager.waits(self.core):
            return manager

        return None

    def create(self) -> None:
        """Save under a new key."""
        if self.core.state == "new":
            self.save()
        else:
            self.cycle_key()

        self._modified = True

    def delete(self, session_key: str | None = None) -> None:
        """End the session with this key, or else this one, and whatever has replaced it."""
        manager = self.core.manager
        own = self.session_key
        key = manager.verify(session_key or own or "")

        if key is None:
            return

        ended = Session(manager, session_id=key)
        ended.destroy()
        instruction = manager.commit(ended)

        if key == own:
            draft = self.core.draft
            draft.announced = instruction or draft.announced

    def flush(self) -> None:
        """End the session now. What is written afterwards is a new session under a new id."""
        self.core.destroy()

        if self._later() is not None:
            self._flushed = True
            self.core.draft.chosen_id = None
        else:
            # Not core.save(), which an unavailable store forbids: the cookie must go in any case.
            self.core.manager.save(self.core)

        self._claimed = None
        self._written = frozenset()
        self._stood_down = False
        self._modified = True

    async def aflush(self) -> None:
        await sync_to_async(self.flush)()

    def cycle_key(self) -> None:
        """Give the session a new key now, and keep its data.

        If another request has done so at the same time, this one goes on with what it has loaded
        and saves nothing more.
        """
        self.settle()
        self.core.renew()
        self._stood_down = not self._save()
        self._modified = True

    async def acycle_key(self) -> None:
        await sync_to_async(self.cycle_key)()

    @classmethod
    def clear_expired(cls) -> None:
        with contextlib.suppress(UnsupportedOperation):  # its records expire by themselves
            get_manager().purge()

    def prepare(self) -> None:
        """Tell the core everything that it must know for the commit. For the middleware."""
        core = self.core

        if core.committed:
            return

        if (self._forced or conf.saves_every_request()) and core.draft.state == "live":
            core.draft.forced = True

        self.settle()
        draft = core.loaded_draft

        if draft is not None and draft.chosen_id and draft.intent is Intent.END:
            # In Django what was saved exists, though it be empty.
            draft.settle()

            if draft.is_empty:
                core.manager.save(core)

        if self._flushed:
            self._flushed = False

    def repeat_endings(self) -> SessionError | None:
        """End again what was ended in a transaction of the application; say why if it failed."""
        core = self.core

        if isinstance(core.manager, TransactionalManager):
            try:
                core.manager.repeat_endings(core)
            except (StoreUnavailable, SessionConflict) as error:
                return error

        return None

    def commit(self, *, ok: bool) -> Instruction:
        """Carry out what the request wants; say what to tell the browser. For the middleware.

        :param ok: False if the answer is an error.
        """
        return self.core.manager.commit(self.core, ok=ok and self._modified is not False)


logins.listen()
