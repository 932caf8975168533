"""The session engine: ``SESSION_ENGINE = "django_sessionkit.engine"``."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import datetime
import typing as t

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.base import UpdateError
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from sessionkit import Session
from sessionkit.cookie import Instruction
from sessionkit.draft import Intent
from sessionkit.draft import State
from sessionkit.errors import SessionConflict
from sessionkit.errors import SessionError
from sessionkit.errors import StoreUnavailable
from sessionkit.errors import UnsupportedOperation
from sessionkit.flash import Flash
from sessionkit.policy import Outage

from . import logins
from .followers import follow_expiry
from .followers import follow_login
from .registry import get_manager
from .transactions import TransactionalManager
from .transactions import has_endings

_missing: t.Final[t.Any] = object()


class SessionStore(SessionBase):
    """``request.session``: Django's interface, and beside it that of ``sessionkit.Session``.

    Lazy, merged with what other requests write, and never brought back once it was ended. Changes
    inside of values are noticed; ``modified`` needs to be set for none of them.

    :param session_key: an id, bare or signed as in the cookie.
    """

    _core: Session
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
        self._session_key = session_key

    @property
    def serializer(self) -> t.Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What ``encode()`` and ``decode()`` use. The engine does not use them."""
        return import_string(settings.SESSION_SERIALIZER)

    @property
    def core(self) -> Session:
        """The session as the core sees it, the same in Django, Flask and plain WSGI."""
        return self._core

    def adopt(self, session: Session, is_outermost: bool) -> None:
        """Become the face of a session that the middleware has opened, and will commit."""
        self._core = session
        self.is_outermost = is_outermost
        self._claimed = None
        self._committed_for = True

    # --- the mapping ---

    @property
    def _session_cache(self) -> Session:
        if self._core.loaded_draft is None:
            raise AttributeError("the session is not loaded")

        return self._core

    def _get_session(self, no_load: bool = False) -> Session:
        self._core.accessed = True
        return self._core

    async def _aget_session(self, no_load: bool = False) -> Session:
        if self._core.loaded_draft is None:
            await sync_to_async(self._load_core)()

        return self._get_session()

    def _load_core(self) -> None:
        _ = self._core.draft

    _session = property(_get_session)

    def __setitem__(self, key: str, value: t.Any) -> None:
        self._get_session()[key] = value
        self._modified = True

    async def aset(self, key: str, value: t.Any) -> None:
        await self._aget_session()
        self[key] = value

    def __delitem__(self, key: str) -> None:
        del self._get_session()[key]
        self._modified = True

    def pop(self, key: str, default: t.Any = _missing) -> t.Any:
        session = self._get_session()

        if key in session:
            self._modified = True

        return session.pop(key) if default is _missing else session.pop(key, default)

    async def apop(self, key: str, default: t.Any = _missing) -> t.Any:
        await self._aget_session()
        return self.pop(key, default)

    def update(self, dict_: t.Any) -> None:  # type: ignore[override]
        self._get_session().update(dict_)
        self._modified = True

    async def aupdate(self, dict_: t.Any) -> None:
        await self._aget_session()
        self.update(dict_)

    def clear(self) -> None:
        """End the session. What is written afterwards is a new session under a new id."""
        self._get_session().destroy()
        self._modified = True

    @property
    def accessed(self) -> bool:
        return self._core.accessed

    @accessed.setter
    def accessed(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._core.accessed = value

    @property
    def modified(self) -> bool:
        """Whether there is something to save, changes inside of values included.

        Set it to True to save in any case, to False to save nothing.
        """
        draft = self._core.loaded_draft

        if draft is not None and draft.state == "unavailable":
            return False

        if self._stood_down:
            # Nothing can be saved any more, unless somebody has logged in since.
            self.settle()
            return draft is not None and draft.intent is not Intent.KEEP

        return self._core.modified if self._modified is None else self._modified

    @modified.setter
    def modified(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._modified = self._forced = value

    def is_empty(self) -> bool:
        draft = self._core.loaded_draft
        return not self.session_key and (draft is None or draft.is_empty)

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has used the session, so that there is nothing to commit."""
        return (
            self._core.loaded_draft is None
            and not self._core.accessed
            and not self._core.used_cookies
            and not self._forced
            and not settings.SESSION_SAVE_EVERY_REQUEST
            and not has_endings(self._core)
        )

    # --- the key ---

    @property
    def session_key(self) -> str | None:
        """The id, without a signature, of the session that was loaded or, before, that was given.

        Whoever has it has the session: keep :attr:`public_id` in other places.
        """
        draft = self._core.loaded_draft

        if draft is not None and (draft.chosen_id or self._flushed):
            # What is written later, after a transaction of the application.
            return draft.chosen_id

        if draft is not None and draft.stored is not None:
            return draft.stored.session_id

        if draft is None or draft.state == "unavailable":
            return self._claimed or self._first_candidate()

        return None

    def _first_candidate(self) -> str | None:
        core = self._core
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

        if (previous := self.__dict__.get("_core")) is not None:
            core.stand_in_for(previous)
            core.passive, core.outage = previous.passive, previous.outage

        self._core = core

    # --- the store ---

    def load(self) -> dict[str, t.Any]:
        """Return what is stored now, whatever was loaded before."""
        key = self.session_key
        stored = Session(self._core.manager, session_id=key) if key else None

        if stored is None or stored.state == "new":
            self._session_key = None
            return {}

        return dict(stored)

    def exists(self, session_key: str | None) -> bool:
        return bool(session_key) and self._core.manager.load(session_key or "") is not None

    def save(self, must_create: bool = False) -> None:
        """Write now.

        :raises CreateError: if *must_create* is set and the session is stored already.
        :raises UpdateError: if the session was ended or replaced by another request. Under this
            package's middleware the late write is dropped silently instead.
        """
        if must_create and self._core.state == "live":
            raise CreateError

        self._modified = self.modified
        self.settle()

        if not self._save() and not self._committed_for:
            raise UpdateError

    def _save(self) -> bool:
        core = self._core
        draft = core.draft
        ends = draft.intent is Intent.END
        before = draft.stored
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
        manager = self._core.manager

        if isinstance(manager, TransactionalManager) and manager.waits(self._core):
            return manager

        return None

    def create(self) -> None:
        """Save under a new key."""
        if self._core.state == "new":
            self.save()
        else:
            self.cycle_key()

        self._modified = True

    def delete(self, session_key: str | None = None) -> None:
        """End the session with this key, or else this one, and whatever has replaced it."""
        manager = self._core.manager
        own = self.session_key
        key = manager.verify(session_key or own or "")

        if key is None:
            return

        ended = Session(manager, session_id=key)
        ended.destroy()
        instruction = manager.commit(ended)

        if key == own:
            draft = self._core.draft
            draft.announced = instruction or draft.announced

    def flush(self) -> None:
        """End the session now. What is written afterwards is a new session under a new id."""
        self._get_session().destroy()

        if self._later() is not None:
            self._flushed = True
            self._core.draft.chosen_id = None
        else:
            # Not core.save(), which an unavailable store forbids: the cookie must go in any case.
            self._core.manager.save(self._core)

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
        self._get_session().renew()
        self._stood_down = not self._save()
        self._modified = True

    async def acycle_key(self) -> None:
        await sync_to_async(self.cycle_key)()

    @classmethod
    def clear_expired(cls) -> None:
        with contextlib.suppress(UnsupportedOperation):
            get_manager().purge()

    def settle(self) -> None:
        """Tell the core what Django's own keys say."""
        draft = self._core.loaded_draft

        if draft is None or self._core.committed:
            return

        draft.settle()
        follow_expiry(self._core, draft)
        written = {*draft.values.changed(), *self._written}
        owner = draft.owner
        follow_login(self._core, draft, written=written, renewed=self._renewed)
        self._renewed = self._renewed and draft.owner == owner

    def prepare(self) -> None:
        """Tell the core everything that it must know for the commit. For the middleware."""
        core = self._core

        if not core.committed:
            if (self._forced or settings.SESSION_SAVE_EVERY_REQUEST) and core.draft.state == "live":
                core.draft.forced = True

            self.settle()
            draft = core.loaded_draft

            if draft is not None and draft.chosen_id and draft.intent is Intent.END:
                # In Django what was saved exists, though it be empty.
                draft.settle()

                if draft.is_empty:
                    core.manager.save(core)

            self._flushed = False

    def repeat_endings(self) -> SessionError | None:
        """End again what was ended in a transaction of the application; say why if it failed."""
        core = self._core

        if has_endings(core) and isinstance(core.manager, TransactionalManager):
            try:
                core.manager.repeat_endings(core)
            except (StoreUnavailable, SessionConflict) as error:
                return error

        return None

    def commit(self, *, ok: bool) -> Instruction:
        """Carry out what the request wants; say what to tell the browser. For the middleware.

        :param ok: False if the answer is an error.
        """
        return self._core.manager.commit(self._core, ok=ok and self._modified is not False)

    # --- what Django's sessions do not have ---

    @property
    def owner(self) -> str | None:
        """Whose session it is: the primary key of the user, as text."""
        self._load_core()
        self.settle()
        return self._core.owner

    @property
    def passive(self) -> bool:
        return self._core.passive

    @passive.setter
    def passive(self, value: bool) -> None:
        self._core.passive = value

    @property
    def outage(self) -> Outage:
        return self._core.outage

    @outage.setter
    def outage(self, meaning: Outage) -> None:
        self._core.outage = meaning

    @property
    def public_id(self) -> str | None:
        return self._core.public_id

    @property
    def state(self) -> State:
        return self._core.state

    @property
    def available(self) -> bool:
        return self._core.available

    @property
    def is_new(self) -> bool:
        return self._core.is_new

    @property
    def meta(self) -> dict[str, t.Any]:
        return self._core.meta

    @property
    def created_at(self) -> datetime.datetime | None:
        return self._core.created_at

    @property
    def expires_at(self) -> datetime.datetime | None:
        return self._core.expires_at

    @property
    def flash(self) -> Flash:
        return self._core.flash

    def mutate(
        self, key: str, function: cabc.Callable[[t.Any], t.Any], default: t.Any = None
    ) -> t.Any:
        self._modified = True
        return self._core.mutate(key, function, default)

    def bind(self, owner: str | int, *, keep: cabc.Collection[str] = (), **meta: t.Any) -> None:
        self._modified = True
        self._core.bind(owner, keep=keep, **meta)

    def describe(self, **meta: t.Any) -> None:
        self._load_core()
        # A login of Django's binds, which would forget what was said before.
        self.settle()
        self._modified = True
        self._core.describe(**meta)

    def unbind(self, *, keep: cabc.Collection[str] = ()) -> None:
        self._modified = True
        self._core.unbind(keep=keep)

    def set_cookie(self, name: str, value: str, **options: t.Any) -> None:
        self._check_middleware()
        self._core.set_cookie(name, value, **options)

    def delete_cookie(self, name: str, **options: t.Any) -> None:
        self._check_middleware()
        self._core.delete_cookie(name, **options)

    def _check_middleware(self) -> None:
        if not self._committed_for:
            raise ImproperlyConfigured(
                "only django_sessionkit.middleware.SessionMiddleware sends such cookies"
            )

    def get_cookie(self, name: str, *, signed: bool = False) -> str | None:
        return self._core.get_cookie(name, signed=signed)

    def renew(self) -> None:
        self._modified = True
        self._core.renew()

    def destroy(self) -> None:
        """The same as :meth:`flush`."""
        self.flush()


logins.listen()
