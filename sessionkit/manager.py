"""SessionManager: the one object an application configures; opens, commits and ends sessions."""

from __future__ import annotations

import collections.abc as cabc
import os
import typing as t

from .base_manager import BaseManager
from .breaker import Breaker
from .census import StoredSession
from .census import live_sessions
from .clock import now
from .clock import sleep as pause
from .committer import Committer
from .cookie import CookieOptions
from .counting import Count
from .counting import count_sessions
from .draft import Draft
from .endings import Endings
from .errors import ConfigurationError
from .errors import UnsupportedOperation
from .gateway import Gateway
from .housekeeping import Housekeeping
from .id_header import IdHeader
from .limit import OwnerLimit
from .limit import check_index
from .loader import Loader
from .owners import Owners
from .owners import SessionInfo
from .patience import Lines
from .policy import SessionPolicy
from .records import Records
from .session import Session
from .store import Closeable
from .store import Enumerable
from .store import Store
from .store import Sweepable
from .store import offers
from .tokens import Secrets
from .tokens import Signer
from .tokens import Unsigned
from .tokens import is_well_formed
from .trace import Trace

if t.TYPE_CHECKING:
    import enum

    from .codec import CustomType


class SessionManager(BaseManager):
    """Sessions on a store.

    :param store: any store, see :func:`sessionkit.stores.open_store`.
    :param secrets: newest first; the cookie is signed with the first, all are accepted. Without
        them the cookie holds the bare id, whose 240 random bits need no signature.
    :param policy: life times and limits.
    :param cookie: the cookie's name and attributes.
    :param bare_ids: with secrets, take cookies with a bare id too, such as Django's test client
        writes. They cannot be guessed either; the signature spares the store made-up ones.
    :param header: in which clients of an API send the id in place of the cookie:
        ``"Authorization"`` or one of your own, see :class:`~sessionkit.id_header.IdHeader`.
    :param types: Enum classes and :class:`~sessionkit.codec.CustomType` that values may be of.
    :param trace: for debugging, a line for each request that says what became of its session and
        why, with names of keys and sizes. True: to the logger ``sessionkit.trace``. Or a function
        that gets the line, such as ``print``.
    :param clock: returns POSIX seconds.
    :param sleep: called with seconds.
    :param random_bytes: returns so many unguessable bytes.
    :raises ConfigurationError: if something contradicts something else.

    >>> from sessionkit.stores.memory import MemoryStore
    >>> manager = SessionManager(MemoryStore())
    >>> session = manager.open(None)
    >>> session["user"] = "alice"
    >>> manager.commit(session)
    Set(max_age=7776000)
    """

    def __init__(
        self,
        store: Store,
        *,
        secrets: Secrets | None = None,
        policy: SessionPolicy | None = None,
        cookie: CookieOptions | None = None,
        bare_ids: bool = False,
        header: str | None = None,
        types: cabc.Iterable[type[enum.Enum] | CustomType] = (),
        trace: Trace = None,
        clock: cabc.Callable[[], float] = now,
        sleep: cabc.Callable[[float], object] = pause,
        random_bytes: cabc.Callable[[int], bytes] = os.urandom,
    ) -> None:
        for method in ("get", "swap", "delete"):
            if isinstance(store, type) or not callable(getattr(store, method, None)):
                raise ConfigurationError(
                    f"store must be a store such as open_store(url), not {type(store).__name__}"
                )

        super().__init__(policy, cookie, types, clock, random_bytes)
        check_index(store, self.policy)
        self.store = store
        self.id_header: IdHeader | None = None if header is None else IdHeader(header)
        self._lines = Lines(self.policy.commit_timeout, clock, sleep, self._randomness.fraction)
        self._signer: Signer | Unsigned = Unsigned()

        if secrets is not None:
            self._signer = Signer(secrets, self.cookie.name, bare_ids=bare_ids)
            self._secrets = tuple(secrets)

        breaker = Breaker(self.policy.breaker_failures, self.policy.breaker_pause, clock)
        self._gateway = Gateway(store, breaker, self)
        self._records = Records(self.policy, self._signer.sign, self._randomness)
        self._endings = Endings(self._gateway, self._records, clock, self._lines)
        committer = self._writer = Committer(
            self._gateway,
            self.policy,
            self._records,
            self._endings,
            clock,
            self._lines,
            Housekeeping(store, self.policy.sweep_every, clock),
            self,
        )
        self._loader = Loader(
            self._gateway, self.policy, self.codec, self._signer, clock, self.new_header, self
        )
        self._owners = Owners(self._gateway, self._endings, self.policy, clock, self.meta_of, self)
        self._limit: OwnerLimit | None = None

        if self.policy.max_sessions_per_owner is not None:
            limit = OwnerLimit(self._owners, self.policy.max_sessions_per_owner)

            if self.policy.at_limit == "refuse":
                self._limit = limit
            else:
                committer.when_bound = limit.end_oldest

        self.read: cabc.Callable[[Session], Draft] = self._loader.read
        self._trace(trace)

    def __repr__(self) -> str:
        return f"<SessionManager on {type(self.store).__name__}, cookie {self.cookie.name!r}>"

    def verify(self, value: str) -> str | None:
        """Return the session id in a cookie's *value*, or None if it is none of ours.

        Nothing is read: whether there is such a session is another question.
        """
        return self._signer.verify(value)

    def load(self, session_id: str) -> Session | None:
        """Return the live session with this id, or None. For background work and tests.

        :param session_id: bare, or signed as in the cookie.
        :raises StoreUnavailable: if the store cannot be asked.
        """
        bare = self._signer.verify(session_id) or session_id

        if not is_well_formed(bare):
            return None

        session = Session(self, session_id=bare)
        state = session.draft.state

        if session.error is not None:
            raise session.error

        return session if state == "live" else None

    def start(self, session_id: str | None = None, cookie: CookieOptions | None = None) -> Session:
        """Return a session under an id that *server code* chose, live or to be created.

        Never pass on an id that came from a client: whoever knows it has the session.

        :param session_id: 22 to 128 characters of ``A-Z a-z 0-9 - _``, unguessable; None: drawn.
        :param cookie: attributes for this session's cookie, other than the manager's.
        :raises ConfigurationError: if the id is malformed.
        """
        chosen = self._randomness.session_id() if session_id is None else session_id

        if not is_well_formed(chosen):
            raise ConfigurationError(
                "a session id must have 22 to 128 characters of A-Z, a-z, 0-9, '-' and '_'"
            )

        session = Session(self, session_id=chosen)
        session.cookie = cookie or self.cookie

        draft = session.draft

        if draft.state == "superseded" or draft.was_ended:
            raise ConfigurationError(
                "this session id has been replaced or ended; choose another one"
            )

        if draft.state == "new":
            draft.chosen_id = chosen
        elif draft.state == "live":
            draft.announced = self._records.announce(draft, chosen, self.clock())

        return session

    def sessions_of(self, owner: str | int, *, current: Session | None = None) -> list[SessionInfo]:
        """Return the live sessions of *owner*, the one seen last first.

        :param current: marked in the list, such as that of the request that asks for it.
        :raises UnsupportedOperation: if the store has no index of owners.
        """
        return self._owners.sessions_of(str(owner), _public_id(current))

    def check_limit(self, owner: str, session: Session) -> None:
        """Raise ``TooManySessions`` if *owner* may have no session beside this one."""
        if self._limit is not None:
            # Also of one that this request has ended, and is about to replace.
            self._limit.check(owner, session.draft.base_header.public_id)

    def revoke(self, owner: str | int, public_id: str) -> bool:
        """End the session of *owner* with this public id; False if there is none."""
        return self._owners.revoke(str(owner), public_id)

    def revoke_all(self, owner: str | int, *, except_: Session | None = None) -> int:
        """End all sessions of *owner*; return how many.

        :param except_: a session that goes on, such as that of the request that asks for it.
        """
        return self._owners.revoke_all(str(owner), _public_id(except_))

    def all(self) -> cabc.Iterator[StoredSession]:
        """Go through all live sessions. For operators and migrations; reads each of them.

        What cannot be read is left out. Sessions that begin meanwhile may be left out, too.

        :raises UnsupportedOperation: if the store cannot be gone through.
        :raises StoreUnavailable: if the store cannot be asked.

        >>> from sessionkit.stores.memory import MemoryStore
        >>> manager = SessionManager(MemoryStore())
        >>> session = manager.start()
        >>> session["cart"] = ["tea"]
        >>> session.save()
        True
        >>> [stored.values for stored in manager.all()]
        [{'cart': ['tea']}]
        """
        if not offers(self.store, Enumerable):
            raise self._unsupported("go through its sessions")

        return live_sessions(self._gateway, self.policy, self.codec, self.clock)

    def purge(self) -> int:
        """Remove expired sessions from the store; return how many.

        :raises UnsupportedOperation: if the store cannot; those that expire by themselves can.
        """
        if not offers(self.store, Sweepable):
            raise self._unsupported("remove expired sessions")

        return t.cast(Sweepable, self.store).sweep(self.clock())

    def count(self) -> Count:
        """Return how many sessions live, with and without an owner.

        Reads each of them, page by page: for a job at night, never for a request. The store's own
        ``count`` is faster and counts records: ids that were replaced a moment ago, too.

        :raises UnsupportedOperation: if the store cannot be gone through.
        :raises StoreUnavailable: if the store cannot be asked.

        >>> from sessionkit.stores.memory import MemoryStore
        >>> SessionManager(MemoryStore()).count()
        Count(live=0, owned=0, ownerless=0)
        """
        if not offers(self.store, Enumerable):
            raise self._unsupported("count its sessions: it cannot go through them")

        keys = t.cast(Enumerable, self.store).keys()
        return count_sessions(keys, self._gateway.get, self.clock, self.policy)

    def close(self) -> None:
        """Close the store's connections, if it has any."""
        if offers(self.store, Closeable):
            t.cast(Closeable, self.store).close()

    def _unsupported(self, what: str) -> UnsupportedOperation:
        return UnsupportedOperation(f"{type(self.store).__name__} cannot {what}")


def _public_id(session: Session | None) -> str | None:
    return None if session is None else session.public_id
