"""The mapping that Django documents: keys and values, ``accessed``, ``modified``."""

from __future__ import annotations

import typing as t

from asgiref.sync import sync_to_async

from sessionkit import Session
from sessionkit.draft import Intent

from . import conf
from .core_session import CoreSession
from .transactions import has_endings

_missing: t.Final[t.Any] = object()


class SessionMapping(CoreSession):
    """Keys and values as in Django's sessions. Changes inside of values are noticed."""

    @property
    def _session_cache(self) -> Session:
        if self.core.loaded_draft is None:
            raise AttributeError("the session is not loaded")

        return self.core

    def _get_session(self, no_load: bool = False) -> Session:
        self.core.accessed = True
        return self.core

    async def _aget_session(self, no_load: bool = False) -> Session:
        if self.core.loaded_draft is None:
            await sync_to_async(self._load_core)()

        return self._get_session()

    _session = property(_get_session)

    # The next three as in Django, which goes there by way of ``_session``.

    def __getitem__(self, key: str) -> t.Any:
        return self.core[key]

    def __contains__(self, key: object) -> bool:
        return key in self.core

    def get(self, key: str, default: t.Any = None) -> t.Any:
        return self.core.get(key, default)

    def __setitem__(self, key: str, value: t.Any) -> None:
        self.core[key] = value
        self._modified = True

    async def aset(self, key: str, value: t.Any) -> None:
        await self._aget_session()
        self[key] = value

    def __delitem__(self, key: str) -> None:
        del self.core[key]
        self._modified = True

    def pop(self, key: str, default: t.Any = _missing) -> t.Any:
        session = self.core

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
        self.core.destroy()
        self._modified = True

    @property
    def accessed(self) -> bool:
        return self.core.accessed

    @accessed.setter
    def accessed(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.core.accessed = value

    @property
    def modified(self) -> bool:
        """Whether there is something to save, changes inside of values included.

        Set it to True to save in any case, to False to save nothing.
        """
        draft = self.core.loaded_draft

        if draft is not None and draft.state == "unavailable":
            return False

        if self._stood_down:
            # Nothing can be saved any more, unless somebody has logged in since.
            self.settle()
            return draft is not None and draft.intent is not Intent.KEEP

        return self.core.modified if self._modified is None else self._modified

    @modified.setter
    def modified(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._modified = self._forced = value

    def is_empty(self) -> bool:
        draft = self.core.loaded_draft
        return not self.session_key and (draft is None or draft.is_empty)

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has used the session, so that there is nothing to commit."""
        core = self.core
        return (
            core.loaded_draft is None
            and not core.accessed
            and not core.used_cookies
            and not self._forced
            and not conf.saves_every_request()
            and not has_endings(core)
        )
