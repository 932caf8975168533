"""One session for each cookie of a request, however many layers ask for it."""

from __future__ import annotations

import typing as t

from .base_manager import BaseManager
from .errors import ConfigurationError
from .session import Session

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def open_once(environ: WSGIEnvironment, manager: BaseManager) -> tuple[Session, bool]:
    """Return the request's session and whether the caller is the outermost, who commits it.

    :raises ConfigurationError: if another manager has opened a session with the same cookie.
    """
    key = manager.environ_key
    session: Session | None = environ.get(key)

    # One that is committed is left from another run over the same environ, as when an outer
    # middleware tries again or asks for an error page.
    if session is None or session.committed:
        session = environ[key] = manager.open(environ.get("HTTP_COOKIE"))

        if manager.reads_requests:
            apply_request(session, environ)

        return session, True

    if session.manager is not manager:
        raise ConfigurationError(
            f"two session managers use the cookie {manager.cookie.name!r} in one request; let them "
            "share one manager, or give one of them another cookie name"
        )

    return session, False


def apply_request(session: Session, environ: WSGIEnvironment) -> None:
    """Tell *session* what there is in its request beside cookies."""
    manager = session.manager

    if manager.id_header is not None:
        session.token = manager.id_header.find(environ)

    policy = manager.policy

    if policy.knows_routes:
        session.outage = policy.outage_for(environ)
        session.passive = policy.is_passive(environ)
