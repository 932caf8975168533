"""The session as a mapping: loaded when it is first used, guarded once its answer has begun."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import typing as t

from .draft import Draft
from .errors import SessionCommitted
from .errors import StoreUnavailable
from .flash import Flash
from .policy import Outage
from .policy import checked_outage
from .policy import seconds
from .values import check_key

if t.TYPE_CHECKING:
    from .base_manager import BaseManager
    from .cookie import CookieOptions
    from .cookie import Instruction
    from .session import Session


class SessionMapping(cabc.MutableMapping[str, t.Any]):
    """The part of :class:`~sessionkit.Session` that is a dictionary of text to values."""

    #: Whether this request has used the session.
    accessed: bool = False

    #: Whether the answer was committed; from then on changes raise ``SessionCommitted``.
    committed: bool = False

    # Defaults on the class keep the cost of a session that nobody uses down to its creation.
    #: What the manager works on; None if nobody has used the session.
    loaded_draft: Draft | None = None
    _flash: Flash | None = None
    _ended: bool = False
    #: Why the session could not be read.
    error: StoreUnavailable | None = None

    _cookie: CookieOptions | None = None

    #: What the request has in the header for ids, which then counts in place of its cookies, though
    #: it be empty or wrong. None: there is no such header.
    token: str | None = None

    #: Whether this request leaves the session to age: what it reads and writes does not count as
    #: use, as when a page asks for news by itself. A login, :meth:`renew` and :meth:`set_expiry`
    #: do. Set it before the answer begins.
    passive: bool = False

    _outage: Outage | None = None

    #: Values that typed data has found to be of the right type, by field.
    checked: dict[object, object] | None = None

    #: Keys that count as absent until the session has been used in any other way. An integration
    #: names those that a framework looks for in every request, so that looking costs no read.
    absent_until_used: cabc.Container[object] = ()

    #: What the commit decided about the cookie.
    instruction: Instruction = None

    def __init__(
        self,
        manager: BaseManager,
        cookie_header: str | None = None,
        *,
        session_id: str | None = None,
    ) -> None:
        self.manager = manager
        self._cookie_header = cookie_header
        self.session_id = session_id

    @property
    def cookie(self) -> CookieOptions:
        """The attributes of this session's cookie: its own, or else those of the manager."""
        return self._cookie or self.manager.cookie

    @cookie.setter
    def cookie(self, options: CookieOptions) -> None:
        self._cookie = options

    @property
    def outage(self) -> Outage:
        """What it means to this request if its session cannot be read: as the policy says, or what
        was set before the session was used.

        ``"error"``: the access raises ``StoreUnavailable``, answered 503; ``"unavailable"``: an
        empty session that keeps nothing.
        """
        if self._outage is not None:
            return self._outage

        common = self.manager.policy.outage
        return "error" if callable(common) else common

    @outage.setter
    def outage(self, meaning: Outage) -> None:
        self._outage = checked_outage(meaning)

    def candidates(self) -> list[str]:
        """Return what the request has that may lead to this session, in order."""
        if self.token is not None:
            return [self.token] if self.token else []

        cookie = self._cookie or self.manager.cookie
        return cookie.find(self._cookie_header) if self._cookie_header else []

    @property
    def draft(self) -> Draft:
        """What the manager works on; loads the session, whatever the policy makes of an outage."""
        draft = self.loaded_draft

        if draft is None:
            draft = self.loaded_draft = self.manager.read(t.cast("Session", self))

        return draft

    def _look(self) -> Draft:
        """Load without an error; an outage is a state, too."""
        self.accessed = True
        return self.draft

    def _read(self) -> Draft:
        self.accessed = True
        draft = self.loaded_draft or self.draft

        if self.error is not None and self.outage == "error" and not self._ended:
            raise self.error

        return draft

    def _write(self) -> Draft:
        draft = self._read()

        if self.committed:
            raise SessionCommitted(
                "the session was changed after the answer had begun. Change it before the "
                "response is returned; in a streamed answer, before its first byte."
            )

        return draft

    def __getitem__(self, key: str) -> t.Any:
        return self._read().values.get(key)

    def __setitem__(self, key: str, value: t.Any) -> None:
        self._write().values.put(key, value)

    def update(self, other: t.Any = (), /, **values: t.Any) -> None:
        """Assign all of *other*, a mapping or pairs, and of the keywords.

        :raises ValueNotSupported: if a value cannot be kept; those before it are assigned.
        :raises TypeError: likewise, if a key is no text.
        """
        added = dict(other, **values)

        if added:
            self._write().values.update(added)

    def __delitem__(self, key: str) -> None:
        if self.committed and key in self.manager.policy.queues:
            # A streamed page shows messages; they are not used up then, and shown again.
            self._read().values.remove(key)
        else:
            self._write().values.remove(key)

    def __contains__(self, key: object) -> bool:
        if self.loaded_draft is None and key in self.absent_until_used:
            return False

        values = self._read().values
        return isinstance(key, str) and values.has(key)

    def __iter__(self) -> cabc.Iterator[str]:
        draft = self._read()
        return iter(draft.values.readable_keys() if draft.shows_data else [])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        draft = self._read()
        return draft.shows_data and any(map(draft.values.has, draft.values.known_keys()))

    def __repr__(self) -> str:
        self.accessed = True
        draft = self.loaded_draft

        if draft is None:
            return "<Session not loaded>"

        return f"<Session {draft.state}, {len(draft.values.current)} keys>"

    def copy(self) -> dict[str, t.Any]:
        """Return a dictionary of all values."""
        return dict(self)

    # What is read from a second session, nobody would tell the caches of.
    __copy__ = copy

    def set(self, key: str, value: t.Any, *, ttl: float | datetime.timedelta | None = None) -> None:
        """Assign *value* to *key*, for a while.

        A request goes by the time at which it has loaded the session. To assign the key in any
        other way ends that; :meth:`mutate` and changes inside of the value do not. What is over is
        removed from the store by the first write of a request that has looked for it.

        :param ttl: seconds or ``timedelta`` after which there is no such key; None: the session's
            life.
        :raises ConfigurationError: if *ttl* is not more than 0.
        :raises ValueNotSupported: if *value* cannot be kept.

        >>> from sessionkit import SessionManager
        >>> from sessionkit.stores.memory import MemoryStore
        >>> session = SessionManager(MemoryStore()).open()
        >>> session.set("sudo", True, ttl=600)
        >>> session["sudo"]
        True
        """
        life = seconds(ttl, "ttl")
        until = None if life is None else self.manager.clock() + life
        self._write().values.put(key, value, until)

    def ttl(self, key: str) -> float | None:
        """Return how many seconds the value of *key* has left; None: it lives with the session.

        :raises KeyError: if there is none.
        """
        values = self._read().values
        values.get(key)
        until = values.until(key)
        return None if until is None else max(0.0, until - self.manager.clock())

    def mutate(
        self, key: str, function: cabc.Callable[[t.Any], t.Any], default: t.Any = None
    ) -> t.Any:
        """Replace a value by a function of it, exactly once even if others do so at the same time.

        :param function: gets the value and returns the new one. Must be pure: it may be called
            again with a fresher value.
        :param default: what the function gets if there is no value.
        :return: the new value, as far as this request knows it.
        :raises StoreUnavailable: if the session is unavailable.

        >>> from sessionkit import SessionManager
        >>> from sessionkit.stores.memory import MemoryStore
        >>> session = SessionManager(MemoryStore()).open()
        >>> session.mutate("visits", lambda visits: visits + 1, 0)
        1
        """
        check_key(key)
        self._require_store()
        return self._write().values.mutate(key, function, default)

    def offer(self, key: str, make_default: cabc.Callable[[], t.Any]) -> t.Any:
        """Return the value of *key*, or else a default that is its value once it is changed inside.

        Unlike ``setdefault`` it writes nothing, and makes no session, for somebody who only looks.

        >>> from sessionkit import SessionManager
        >>> from sessionkit.stores.memory import MemoryStore
        >>> session = SessionManager(MemoryStore()).open()
        >>> session.offer("cart", list).append("tea")
        >>> session["cart"]
        ['tea']
        """
        check_key(key)
        values = self._read().values
        return values.get(key) if values.has(key) else values.offer(key, make_default)

    @property
    def flash(self) -> Flash:
        """Messages for the next request that reads them, see :class:`~sessionkit.flash.Flash`."""
        if self._flash is None:
            self._flash = Flash(lambda: self._read().flash, lambda: self._write().flash)

        return self._flash

    def _require_store(self) -> None:
        self._read()

        if self.error is not None:
            raise self.error
