"""Status: tells a page how long its session lives yet, or why it is over, and changes nothing."""

from __future__ import annotations

import collections.abc as cabc
import json
import typing as t

from .answer import varies_with
from .base_manager import BaseManager
from .draft import Draft
from .draft import EndedReason
from .draft import State
from .errors import ConfigurationError
from .nesting import open_once
from .policy import NEVER
from .session import Session

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

_METHODS: t.Final = ("GET", "HEAD")
_REASONS: t.Final = {200: "OK", 405: "Method Not Allowed", 503: "Service Unavailable"}


class SessionStatus(t.NamedTuple):
    """What can be said of a session without touching it.

    :param state: as in ``session.state``.
    :param seconds_left: until it ends if it is not used again; None: it is not live, or has no end.
    :param reason: as in ``session.ended_reason``.
    """

    state: State
    seconds_left: int | None
    reason: EndedReason | None


class StatusAnswer(t.NamedTuple):
    """An answer, for any framework."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Status:
    """A WSGI application that answers ``{"state": ..., "seconds_left": ..., "reason": ...}``.

    It says so of the session of the request, as JSON. Asking is no use of the session: it lives no
    longer for it, no matter what else in the request uses it. No session is made, and no cookie is
    set. While the store does not answer the status is 503, and the state ``unavailable``.

    :param manager: whose sessions they are.
    :raises ConfigurationError: if *manager* is none.

    >>> from sessionkit import SessionManager
    >>> from sessionkit.stores.memory import MemoryStore
    >>> status = Status(SessionManager(MemoryStore()))
    >>> status({"REQUEST_METHOD": "GET"}, lambda status, headers: print(status))
    200 OK
    [b'{"state": "new", "seconds_left": null, "reason": null}']
    """

    def __init__(self, manager: BaseManager) -> None:
        if not isinstance(manager, BaseManager):
            raise ConfigurationError(f"Status needs a SessionManager, not {type(manager).__name__}")

        self.manager = manager

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> cabc.Iterable[bytes]:
        session, _ = open_once(environ, self.manager)
        answer = answer_for(session, environ["REQUEST_METHOD"])
        start_response(f"{answer.status} {_REASONS[answer.status]}", answer.headers)
        return [answer.body]


def status_of(session: Session) -> SessionStatus:
    """Return what can be said of *session*. From now on its request does not count as use."""
    session.passive = True
    # An outage is part of the answer, and no error.
    session.outage = "unavailable"
    state = session.state
    draft = session.draft
    left = _seconds_left(session, draft) if state == "live" else None
    return SessionStatus(state, left, session.ended_reason)


def answer_for(session: Session, method: str) -> StatusAnswer:
    """Return the answer to a request with this *session*."""
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]

    if method not in _METHODS:
        body = b'{"error": "only GET and HEAD"}'
        headers += [("Allow", ", ".join(_METHODS)), ("Content-Length", str(len(body)))]
        return StatusAnswer(405, headers, body)

    found = status_of(session)
    body = json.dumps(found._asdict()).encode()
    headers += [("Vary", ", ".join(varies_with(session))), ("Content-Length", str(len(body)))]
    status = 503 if found.state == "unavailable" else 200
    return StatusAnswer(status, headers, b"" if method == "HEAD" else body)


def _seconds_left(session: Session, draft: Draft) -> int | None:
    manager = session.manager
    end = min(draft.origin.record.expires_at, manager.policy.deadline(draft.base_header))
    return None if end >= NEVER else max(0, int(end - manager.clock()))
