"""SealedSessionManager: sessions without a store, signed or encrypted inside of their cookie."""

from __future__ import annotations

import collections.abc as cabc
import os
import typing as t

from .base_manager import BaseManager
from .clock import now
from .cookie import CookieOptions
from .draft import Draft
from .errors import ConfigurationError
from .errors import UnsupportedOperation
from .id_header import IdHeader
from .owners import SessionInfo
from .policy import SessionPolicy
from .sealing import SealedCommitter
from .sealing import SealedLoader
from .seals import EncryptedSeal
from .seals import Seal
from .seals import SignedSeal
from .session import Session
from .tokens import Secrets
from .trace import Trace

if t.TYPE_CHECKING:
    import enum

    from .census import StoredSession
    from .codec import CustomType
    from .counting import Count

#: What settings have in the place of a store's URL, and whether the cookie is encrypted then.
URLS: t.Final = {"cookie:": True, "cookie:encrypted": True, "cookie:signed": False}


class SealedSessionManager(BaseManager):
    """Sessions inside of their cookie: no store, no round trip, nothing to clean up.

    For small sessions of sites that can do without the rest: nothing here can end a session that a
    browser, or whoever copied its cookie, still holds; of two answers at the same time the last one
    wins; sessions cannot be listed; 4096 bytes must do.

    :param secrets: of at least 32 characters, newest first. The first seals, all open.
    :param encrypted: so that nobody reads what is in the cookie; needs the library *cryptography*.
        False: it is only signed, and everybody can read what is in their session.
    :param policy: life times; limits of stores mean nothing here.
    :param cookie: the cookie's name, which is bound into its seal, and its attributes.
    :param header: in which clients of an API send what else is in the cookie:
        ``"Authorization"`` or one of your own, see :class:`~sessionkit.id_header.IdHeader`.
    :param types: Enum classes and :class:`~sessionkit.codec.CustomType` that values may be of.
    :param trace: for debugging, see :class:`SessionManager`.
    :param clock: returns POSIX seconds.
    :param random_bytes: returns so many unguessable bytes.
    :raises ConfigurationError: if a secret is weak, or *cryptography* is not installed.

    >>> from sessionkit.keys import new_key
    >>> manager = SealedSessionManager([new_key()])
    >>> session = manager.open(None)
    >>> session["theme"] = "dark"
    >>> cookie = manager.commit(session)
    >>> manager.open(f"sid={cookie.value}")["theme"]
    'dark'
    """

    is_sealed: bool = True

    def __init__(
        self,
        secrets: Secrets,
        *,
        encrypted: bool = True,
        policy: SessionPolicy | None = None,
        cookie: CookieOptions | None = None,
        header: str | None = None,
        types: cabc.Iterable[type[enum.Enum] | CustomType] = (),
        trace: Trace = None,
        clock: cabc.Callable[[], float] = now,
        random_bytes: cabc.Callable[[int], bytes] = os.urandom,
    ) -> None:
        super().__init__(policy, cookie, types, clock, random_bytes)

        if self.policy.max_sessions_per_owner is not None:
            raise ConfigurationError(
                "policy.max_sessions_per_owner needs a store: sessions that are sealed into their "
                "cookies cannot be listed"
            )

        self.id_header: IdHeader | None = None if header is None else IdHeader(header)
        name = self.cookie.name
        seal: Seal = (
            EncryptedSeal(secrets, name, random_bytes) if encrypted else SignedSeal(secrets, name)
        )
        self._seal = seal
        self._secrets = tuple(secrets)
        self._writer = SealedCommitter(
            seal, self.policy, self.cookie, clock, self.new_public_id, self
        )
        loader = SealedLoader(seal, self.policy, self.codec, clock, self.new_header, self)
        self.read: cabc.Callable[[Session], Draft] = loader.read
        self._trace(trace)

    def __repr__(self) -> str:
        return f"<SealedSessionManager, cookie {self.cookie.name!r}>"

    def verify(self, value: str) -> str | None:
        """Return the cookie's *value* if it is one of ours, else None. It may have expired."""
        return None if self._seal.open(value) is None else value

    def load(self, session_id: str) -> Session | None:
        """Return the live session in a cookie's value, or None. For background work and tests.

        What is changed in it is in a new cookie, which somebody must send to the browser.
        """
        session = Session(self, session_id=session_id)
        state = session.draft.state

        if session.error is not None:
            raise session.error

        return session if state == "live" else None

    def start(self, session_id: str | None = None, cookie: CookieOptions | None = None) -> Session:
        raise _unsupported("have an id that server code chose")

    def check_limit(self, owner: str, session: Session) -> None:
        """Do nothing: there is no limit without a store."""

    def sessions_of(self, owner: str | int, *, current: Session | None = None) -> list[SessionInfo]:
        raise _unsupported("be listed")

    def revoke(self, owner: str | int, public_id: str) -> bool:
        raise _unsupported("be revoked")

    def revoke_all(self, owner: str | int, *, except_: Session | None = None) -> int:
        raise _unsupported("be revoked")

    def all(self) -> cabc.Iterator[StoredSession]:
        raise _unsupported("be gone through")

    def purge(self) -> int:
        raise _unsupported("be purged")

    def count(self) -> Count:
        raise _unsupported("be counted")

    def close(self) -> None:
        """Do nothing: there is nothing open."""


def encrypted_by(url: object) -> bool | None:
    """Say whether a setting asks for encrypted or for signed cookies; None: for a store.

    :raises ConfigurationError: if it asks for something else in a cookie.
    """
    if not isinstance(url, str) or not url.startswith("cookie:"):
        return None

    if url not in URLS:
        raise ConfigurationError(f"a cookie URL of unknown form; known are {', '.join(URLS)}")

    return URLS[url]


def _unsupported(what: str) -> UnsupportedOperation:
    return UnsupportedOperation(
        f"sessions that are sealed into their cookies cannot {what}: only the browsers have them. "
        "Use SessionManager with a store."
    )
