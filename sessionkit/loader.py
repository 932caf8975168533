"""Finding the session that a request's cookies lead to."""

from __future__ import annotations

import collections.abc as cabc
import logging
import typing as t

from . import signals
from .codec import Codec
from .draft import Draft
from .draft import EndedReason
from .draft import Stored
from .errors import DecodeError
from .errors import StoreUnavailable
from .gateway import Gateway
from .payload import Header
from .payload import Live
from .payload import unpack
from .policy import SessionPolicy
from .records import ended_reason
from .records import is_stub
from .store import Record
from .tokens import Signer
from .tokens import Unsigned
from .tokens import digest

if t.TYPE_CHECKING:
    from .session import Session

_logger = logging.getLogger("sessionkit")

#: How many of the candidates in one request's cookies are looked up.
LOOK_UPS: t.Final = 2


class Loader:
    """Reads sessions for a manager.

    :param gateway: the way to the store.
    :param policy: limits.
    :param codec: decodes values.
    :param signer: verifies cookies.
    :param clock: returns POSIX seconds.
    :param new_header: makes the header of a session that is not stored yet.
    :param sender: who sends the signals.
    """

    def __init__(
        self,
        gateway: Gateway,
        policy: SessionPolicy,
        codec: Codec,
        signer: Signer | Unsigned,
        clock: cabc.Callable[[], float],
        new_header: cabc.Callable[[], Header],
        sender: object,
    ) -> None:
        self._gateway = gateway
        self._policy = policy
        self._codec = codec
        self._signer = signer
        self._clock = clock
        self._new_header = new_header
        self._sender = sender

    def read(self, session: Session) -> Draft:
        """Load *session*; the draft says how it went. Nothing is raised."""
        chosen = session.session_id

        try:
            draft = self._find(session) if chosen is None else self._look_up(chosen)
        except StoreUnavailable as error:
            session.error = error
            return Draft(self._codec, "unavailable", self._new_header())

        if draft.state == "live" and signals.loaded.receivers:
            # A receiver may look at the session, which must not load it once more.
            session.loaded_draft = draft
            self._emit(signals.loaded, session=session, owned=draft.owner is not None)

        return draft

    def _find(self, session: Session) -> Draft:
        """Look up what the request's cookies lead to, until one is live."""
        found: Draft | None = None
        look_ups = 0

        for value in session.candidates():
            session_id = self._signer.verify(value)

            if session_id is None:
                self._emit(signals.rejected, session=None, reason="malformed")
            elif look_ups < LOOK_UPS:
                look_ups += 1
                draft = self._look_up(session_id)

                if draft.state == "live":
                    return draft

                found = draft if found is None or _tells_more(draft, found) else found

        return found or Draft(self._codec, "new", self._new_header())

    def _look_up(self, session_id: str) -> Draft:
        key = digest(session_id)
        record = self._gateway.get(key)

        if record is None:
            return self._over("unknown")

        now = self._clock()

        if record.expires_at <= now:
            # That of an id that was replaced or ended is as good as forgotten.
            return self._over("unknown" if is_stub(record) else "expired", record)

        try:
            content = unpack(record.payload)
        except DecodeError:
            self._emit(signals.rejected, session=None, reason="corrupt")
            _logger.warning("a session's record is damaged; it is treated as absent")
            return self._absent("unknown")

        stored = Stored(session_id, key, record)

        if not isinstance(content, Live):
            if (reason := ended_reason(content)) is not None:
                return self._over(reason)

            self._emit(signals.superseded_use, session=None)
            header = self._new_header()
            return Draft(self._codec, "superseded", header, stored=stored, values=content.values)

        if self._policy.deadline(content.header) <= now:
            return self._over("expired", record)

        return Draft(
            self._codec,
            "live",
            content.header,
            stored=stored,
            owner=record.owner,
            values=content.values,
            flash=content.flash,
            now=now,
        )

    def _over(self, reason: EndedReason, record: Record | None = None) -> Draft:
        """Tell that a session is over, and go on without.

        :param record: of one that has expired.
        """
        if record is not None and reason == "expired":
            self._emit(signals.expired, session=None, owned=record.owner is not None)
        else:
            self._emit(signals.rejected, session=None, reason=reason)

        return self._absent(reason)

    def _absent(self, reason: EndedReason) -> Draft:
        draft = Draft(self._codec, "new", self._new_header())
        draft.ended_reason = reason
        return draft

    def _emit(self, signal: signals.Signal, **values: t.Any) -> None:
        signals.emit(signal, self._sender, **values)


def _tells_more(draft: Draft, found: Draft) -> bool:
    """Whether *draft*, not *found*, is the session of a request that has no live one."""
    if "superseded" in (draft.state, found.state):
        return found.state != "superseded"

    return found.ended_reason == "unknown"
