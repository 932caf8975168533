"""The sessions of an owner: listing and ending them, through the store's index."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import typing as t

from . import signals
from .devices import recognised
from .draft import EndedReason
from .endings import Endings
from .errors import DecodeError
from .errors import NewerFormat
from .errors import UnsupportedOperation
from .gateway import Gateway
from .moments import moment
from .payload import Header
from .payload import Live
from .payload import unpack
from .policy import SessionPolicy
from .records import is_stub
from .store import Owned
from .store import Record
from .store import is_owner
from .store import offers


class SessionInfo(t.NamedTuple):
    """One of an owner's sessions, as a list shows it. Times are POSIX seconds.

    :param public_id: names it in :meth:`SessionManager.revoke`; never works as a cookie.
    :param created_at: when it was first stored.
    :param seen_at: when it was last written or its life was extended.
    :param expires_at: when it ends if it is not used again.
    :param meta: what ``session.bind`` and ``session.describe`` were given.
    :param is_current: whether it is the session that asks.
    """

    public_id: str
    created_at: float
    seen_at: float
    expires_at: float
    meta: dict[str, t.Any]
    is_current: bool = False

    @property
    def created(self) -> datetime.datetime:
        """When it was first stored, in UTC."""
        return moment(self.created_at)

    @property
    def seen(self) -> datetime.datetime:
        """When it was last written or its life was extended, in UTC."""
        return moment(self.seen_at)

    @property
    def label(self) -> str | None:
        """What its user or the application calls it."""
        return self._text("label")

    @property
    def address(self) -> str | None:
        """From where it was bound to its owner, if that was kept."""
        return self._text("address")

    @property
    def user_agent(self) -> str | None:
        """With what it was bound to its owner, if that was kept. Anybody may send anything."""
        return self._text("user_agent")

    @property
    def browser(self) -> str | None:
        """The browser's name, such as ``Firefox``, if the user agent is a known one."""
        return recognised(self.user_agent or "")[0]

    @property
    def system(self) -> str | None:
        """The system's name, such as ``Android``, if the user agent is a known one."""
        return recognised(self.user_agent or "")[1]

    def _text(self, name: str) -> str | None:
        text = self.meta.get(name)
        return text if isinstance(text, str) else None


class Owners:
    """Lists and ends sessions by owner, for a manager.

    :param gateway: the way to the store.
    :param endings: ends sessions.
    :param policy: limits.
    :param clock: returns POSIX seconds.
    :param meta_of: decodes what ``session.bind`` was given.
    :param sender: who sends the signals.
    """

    def __init__(
        self,
        gateway: Gateway,
        endings: Endings,
        policy: SessionPolicy,
        clock: cabc.Callable[[], float],
        meta_of: cabc.Callable[[Header], dict[str, t.Any]],
        sender: object,
    ) -> None:
        self._gateway = gateway
        self._endings = endings
        self._policy = policy
        self._clock = clock
        self._meta_of = meta_of
        self._sender = sender

    def sessions_of(self, owner: str, current: str | None) -> list[SessionInfo]:
        """Return the live sessions of *owner*, the one seen last first.

        :param current: the public id of the session that asks.
        """
        infos = [self._info(record, header, current) for record, header in self._live(owner)]
        return sorted(infos, key=lambda info: -info.seen_at)

    def headers_of(self, owner: str) -> list[Header]:
        """Return what is known of each live session of *owner*, in no order."""
        # While one is renewed there may be two records of it.
        return [*{header.public_id: header for _, header in self._live(owner)}.values()]

    def revoke(self, owner: str, public_id: str) -> bool:
        """End the session of *owner* with this public id; False if there is none."""

        def choose(header: Header | None) -> bool:
            return header is not None and header.public_id == public_id

        return self.end(owner, choose, "revoked") > 0

    def revoke_all(self, owner: str, spared: str | None) -> int:
        """End all sessions of *owner* but for that with the public id *spared*."""

        # What a newer version has written is ended, too, although it cannot be read.
        return self.end(
            owner, lambda header: header is None or header.public_id != spared, "revoked"
        )

    def end(
        self, owner: str, choose: cabc.Callable[[Header | None], bool], reason: EndedReason
    ) -> int:
        """End the sessions of *owner* that *choose* says, and what they are renewed to meanwhile.

        List, end, and list again, until a listing shows nothing that was not tried yet.

        :param choose: gets None for one that cannot be read.
        :return: how many; those that have expired do not count.
        """
        tried: set[str] = set()
        is_over = False
        ended = 0

        def wanted(record: Record) -> bool:
            nonlocal is_over
            header = _header(record)
            is_over = self._is_over(record, header)
            return record.owner == owner and choose(header)

        while untried := [key for key in self._keys_of(owner) if key not in tried]:
            for key in untried:
                tried.add(key)
                record = self._gateway.get(key)

                # What has been replaced leads on: an index that is written first may have named the
                # new id when there was no record, and then it counts as tried.
                if (
                    record is not None
                    and (is_stub(record) or wanted(record))
                    and self._endings.end(key, record, wanted, reason)
                    # By the clock of another process it may not be, so it is ended, too.
                    and not is_over
                ):
                    ended += 1
                    signals.emit(signals.destroyed, self._sender, session=None, reason=reason)

        return ended

    def _keys_of(self, owner: str) -> cabc.Collection[str]:
        store = self._gateway.store

        if not offers(store, Owned):
            raise UnsupportedOperation(
                f"{type(store).__name__} cannot list the sessions of an owner"
            )

        # Not all stores can look for what nobody can be called.
        return t.cast(Owned, store).owned_by(owner, self._clock()) if is_owner(owner) else ()

    def _live(self, owner: str) -> cabc.Iterator[tuple[Record, Header]]:
        for key in self._keys_of(owner):
            record = self._gateway.get(key)
            header = None if record is None or record.owner != owner else _header(record)

            if record is not None and header is not None and not self._is_over(record, header):
                yield record, header

    def _is_over(self, record: Record, header: Header | None) -> bool:
        now = self._clock()
        return record.expires_at <= now or (
            header is not None and self._policy.deadline(header) <= now
        )

    def _info(self, record: Record, header: Header, current: str | None) -> SessionInfo:
        return SessionInfo(
            header.public_id,
            header.created_at,
            header.seen_at,
            record.expires_at,
            self._meta_of(header),
            header.public_id == current,
        )


def _header(record: Record) -> Header | None:
    try:
        content = unpack(record.payload)
    except (DecodeError, NewerFormat):
        return None

    return content.header if isinstance(content, Live) else None
