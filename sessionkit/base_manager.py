"""BaseManager: what a session and the three ways in need of a manager, wherever the data is."""

from __future__ import annotations

import abc
import collections.abc as cabc
import functools
import logging
import typing as t

from . import signals
from .codec import Codec
from .cookie import CookieOptions
from .cookie import Instruction
from .errors import ConfigurationError
from .errors import DecodeError
from .errors import PayloadTooLarge
from .errors import StoreUnavailable
from .errors import ValueNotSupported
from .id_header import IdHeader
from .payload import Header
from .policy import SessionPolicy
from .session import Session
from .tokens import Randomness
from .tokens import Secrets
from .tokens import derived_signer
from .trace import Trace
from .trace import Tracer
from .trace import sink

if t.TYPE_CHECKING:
    import enum

    import itsdangerous

    from .base_committer import Writer
    from .census import StoredSession
    from .codec import CustomType
    from .counting import Count
    from .draft import Draft
    from .owners import SessionInfo

_logger = logging.getLogger("sessionkit")


class BaseManager(abc.ABC):
    """Opens, commits and ends sessions.

    :param policy: life times and limits.
    :param cookie: the cookie's name and attributes.
    :param types: Enum classes and :class:`~sessionkit.codec.CustomType` that values may be of.
    :param clock: returns POSIX seconds.
    :param random_bytes: returns so many unguessable bytes.
    """

    #: Loads a session; the draft says how it went.
    read: cabc.Callable[[Session], Draft]
    _writer: Writer
    #: Whether the data is inside of the cookie, and in no store.
    is_sealed: bool = False
    #: Where clients of an API send ids in place of the cookie; None: nowhere.
    id_header: IdHeader | None = None
    #: What other cookies than the session's are signed with, newest first.
    _secrets: Secrets | None = None

    def __init__(
        self,
        policy: SessionPolicy | None,
        cookie: CookieOptions | None,
        types: cabc.Iterable[type[enum.Enum] | CustomType],
        clock: cabc.Callable[[], float],
        random_bytes: cabc.Callable[[int], bytes],
    ) -> None:
        if not isinstance(policy, SessionPolicy | None):
            raise ConfigurationError(f"policy must be a SessionPolicy, not {type(policy).__name__}")

        if not isinstance(cookie, CookieOptions | None):
            raise ConfigurationError(f"cookie must be CookieOptions, not {type(cookie).__name__}")

        self.policy: SessionPolicy = policy or SessionPolicy()
        self.cookie: CookieOptions = cookie or CookieOptions()
        #: Where the session that has this cookie stands in a request's environ.
        self.environ_key: str = f"sessionkit.opened.{self.cookie.name}"
        self.codec: Codec = Codec(types)
        self.clock = clock
        self._randomness = Randomness(random_bytes)
        self._warned_about_proxy = False

    @functools.cached_property
    def reads_requests(self) -> bool:
        """Whether a session depends on more of its request than on cookies."""
        return self.id_header is not None or self.policy.knows_routes

    def open(self, cookie_header: str | None = None) -> Session:
        """Return the session of a request. Nothing is read before it is used.

        :param cookie_header: the value of the request's ``Cookie`` header.
        """
        return Session(self, cookie_header)

    @abc.abstractmethod
    def verify(self, value: str) -> str | None:
        """Return what a cookie's *value* stands for, or None if it is none of ours."""

    @abc.abstractmethod
    def load(self, session_id: str) -> Session | None:
        """Return the live session that this stands for, or None."""

    @abc.abstractmethod
    def start(self, session_id: str | None = None, cookie: CookieOptions | None = None) -> Session:
        """Return a session under an id that *server code* chose, live or to be created."""

    def commit(self, session: Session, *, ok: bool = True) -> Instruction:
        """Carry out what the request wants of its session; say what to tell the browser.

        Called once, before the answer's headers leave; further calls return the same.

        :param ok: False if the answer is an error (5xx or an exception): then only an end is
            carried out.
        :return: ``Set``, ``Delete`` or None.
        :raises StoreUnavailable: answer 503, with the error's ``instruction``.
        :raises SessionConflict: answer 503.
        """
        if session.committed:
            return session.instruction

        session.committed = True
        draft = session.loaded_draft

        if draft is None:
            return None

        if unreadable := draft.unreadable_keys:
            self._emit(signals.dropped, session=session, keys=unreadable, reason="undecodable")

        draft.passive = session.passive
        draft.tolerant = session.outage == "unavailable"
        # What was written early is announced even if the rest fails.
        session.instruction = draft.announced

        try:
            session.instruction = self._writer.commit(session, draft, ok=ok)
        except (PayloadTooLarge, ValueNotSupported):
            # What was written cannot be saved; a wish to end the session is carried out.
            session.instruction = self._writer.commit(session, draft, ok=False)
            raise
        except StoreUnavailable as error:
            if session.token is not None:
                error.instruction = None  # there is no cookie to delete: the client keeps the id

            raise

        return session.instruction

    def save(self, session: Session) -> bool:
        """Write *session* now; the commit announces it whatever becomes of the request.

        :return: False if the session was ended or replaced by somebody else, and nothing was saved.
        :raises StoreUnavailable: if the session could not be read: it must not be replaced by what
            this request has written.
        """
        draft = session.draft

        if session.error is not None:
            raise session.error

        draft.passive = session.passive
        return self._writer.save(session, draft)

    @abc.abstractmethod
    def check_limit(self, owner: str, session: Session) -> None:
        """Raise ``TooManySessions`` if *owner* may have no session beside this one."""

    @abc.abstractmethod
    def sessions_of(self, owner: str | int, *, current: Session | None = None) -> list[SessionInfo]:
        """Return the live sessions of *owner*, the one seen last first."""

    @abc.abstractmethod
    def revoke(self, owner: str | int, public_id: str) -> bool:
        """End the session of *owner* with this public id; False if there is none."""

    @abc.abstractmethod
    def revoke_all(self, owner: str | int, *, except_: Session | None = None) -> int:
        """End all sessions of *owner*; return how many."""

    @abc.abstractmethod
    def all(self) -> cabc.Iterator[StoredSession]:
        """Go through all live sessions."""

    @abc.abstractmethod
    def purge(self) -> int:
        """Remove expired sessions; return how many."""

    @abc.abstractmethod
    def count(self) -> Count:
        """Return how many sessions live, with and without an owner."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close connections, if there are any."""

    def _trace(self, trace: Trace) -> None:
        """Have a line told for each request, if *trace* says so."""
        tell = sink(trace)

        if tell is not None:
            tracer = Tracer(tell, self, self.policy, self.clock, self.read, self._writer)
            self.read, self._writer = tracer.read, tracer

    def new_header(self) -> Header:
        """Return the header of a session that may be created."""
        now = self.clock()
        return Header("", now, now, now)

    def new_public_id(self) -> str:
        """Return 22 URL-safe characters that name a session."""
        return self._randomness.identity().public_id

    def meta_of(self, header: Header) -> dict[str, t.Any]:
        """Return what ``session.bind`` was given beside the owner; nothing if it is unreadable."""
        try:
            return {} if header.meta is None else self.codec.decode(header.meta)
        except DecodeError:
            return {}

    def cookie_signer(self, name: str) -> itsdangerous.Signer:
        """Return what signs cookies of the application's own that are called *name*.

        :raises ConfigurationError: if there are no secrets.
        """
        if self._secrets is None:
            raise ConfigurationError(
                f"cookie {name!r} cannot be signed: give the session manager secrets=[...], "
                "SESSIONKIT_SECRETS in Flask, SESSIONKIT['SECRETS'] in Django"
            )

        return derived_signer(self._secrets, b"sessionkit.custom-cookie.v1\0" + name.encode())

    def warn_about_proxy(self) -> None:
        """Say once that a proxy speaks https while we see http, so that cookies lack ``Secure``."""
        if not self._warned_about_proxy:
            self._warned_about_proxy = True
            _logger.warning(
                "the proxy says X-Forwarded-Proto: https, but the request arrived as http, so the "
                "session cookie is sent without Secure. Let ProxyFix (werkzeug) or "
                "SECURE_PROXY_SSL_HEADER (Django) handle the proxy, or set the cookie's "
                "secure=True."
            )

    def _emit(self, signal: signals.Signal, **values: t.Any) -> None:
        if signal.receivers:
            signals.emit(signal, self, **values)
