"""The session of the request that is being handled, for code that is not given the request."""

from __future__ import annotations

import contextvars

from .errors import SessionError
from .session import Session

#: Set by the middleware while the application is called.
current: contextvars.ContextVar[Session] = contextvars.ContextVar("sessionkit.current")


def current_session() -> Session:
    """Return the session of the current request.

    Valid while the application is being called; inside a streamed body use the environ.

    :raises SessionError: outside of a request.
    """
    session = current.get(None)

    if session is None:
        raise SessionError(
            "there is no current session: no request is being handled below SessionMiddleware. "
            "In a streamed body use environ['sessionkit.session']; outside of requests "
            "manager.load(session_id)."
        )

    return session
