"""Flask's session interface on top of the core: opens the session, commits it, writes headers."""

from __future__ import annotations

import collections.abc as cabc
import threading
import typing as t

import flask
from flask.sessions import SessionInterface
from flask.sessions import SessionMixin

from sessionkit.answer import UNAVAILABLE
from sessionkit.answer import check_proxy
from sessionkit.answer import session_headers
from sessionkit.answer import varies_with
from sessionkit.base_manager import BaseManager
from sessionkit.cookie import Instruction
from sessionkit.nesting import open_once
from sessionkit.session import Session

from . import failures
from . import login
from .settings import make_manager
from .settings import refuse_settings

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Flask-Login looks for it after every request, those for static files included.
_LOOKED_FOR: t.Final = ("_remember",)

# What the answer says of these already is looked at.
_REPLACED: t.Final = ("vary", "cache-control")

# Holds the interface that has opened the request's session and therefore commits it.
_COMMITTER: t.Final = "flask_sessionkit.committer"

# It has all that Flask asks of one.
t.cast(t.Any, SessionMixin).register(Session)

# What `flask.request` stands for, without the proxy's way of handing out attributes.
_current_request: t.Final[cabc.Callable[[], flask.Request]] = t.cast(
    t.Any, flask.request
)._get_current_object


class SessionKitInterface(SessionInterface):
    """The session interface of one application.

    :param manager: None: made from the application's settings, at its first request.
    """

    def __init__(self, manager: BaseManager | None = None) -> None:
        self._given = manager
        self._manager: BaseManager | None = None
        self._lock = threading.Lock()
        self._watches_login = False

    def manager_of(self, app: flask.Flask) -> BaseManager:
        """Return the manager; reads the settings of *app* when called for the first time.

        :raises ConfigurationError: if they are wrong.
        """
        with self._lock:
            if self._manager is None:
                if self._given is not None:
                    refuse_settings(app)

                self._manager = self._given or make_manager(app, self)

        return self._manager

    def open_session(self, app: flask.Flask, request: flask.Request) -> SessionMixin:
        """Return the request's session. Nothing is read before it is used."""
        environ = request.environ
        session, outermost = open_once(environ, self._manager or self.manager_of(app))

        if hasattr(app, "login_manager"):
            session.absent_until_used = _LOOKED_FOR

            if not self._watches_login:
                self._watches_login = True
                login.watch(app)

        # Test clients open a session twice in one environ.
        if outermost:
            environ[_COMMITTER] = self

        return t.cast(SessionMixin, session)

    def is_null_session(self, obj: object) -> bool:
        """Say that there is always something to save; Flask would ask of what class it is."""
        return False

    def save_session(
        self, app: flask.Flask, session: SessionMixin, response: flask.Response
    ) -> None:
        """Commit *session* and tell the browser; an outage turns *response* into a 503.

        Errors of the application, such as a value that cannot be stored, are raised: Flask logs
        them, shows its debugger or its error page, and calls again.
        """
        opened: object = session

        if not isinstance(opened, Session):
            return  # opening it has failed

        environ = _current_request().environ
        ok = response.status_code < 500

        try:
            if opened.loaded_draft is None:
                # Flask sets it at every mention of `flask.session`, used or not.
                opened.accessed = False
            elif not opened.committed:
                login.settle(opened, environ, ok=ok)

            if environ.get(_COMMITTER) is not self:
                return

            instruction = opened.manager.commit(opened, ok=ok)
        except UNAVAILABLE as error:
            error.instruction = error.instruction or _end_only(opened)
            failures.replace(response, error, environ["REQUEST_METHOD"])
            opened.drop_custom_cookies()
            instruction = error.instruction

        _add_headers(response, opened, instruction, environ)

    def abandon(self) -> None:
        """Carry out a wish to end the session when an error leaves the application.

        Flask does not save sessions then, which is so in debugging and testing.
        """
        environ = flask.request.environ

        if self._manager is not None and environ.get(_COMMITTER) is self:
            _end_only(open_once(environ, self._manager)[0])


def _end_only(session: Session) -> Instruction:
    try:
        return session.manager.commit(session, ok=False)
    except UNAVAILABLE as error:
        return error.instruction


def _is_made_while_sent(response: flask.Response) -> bool:
    return response.is_streamed and not response.direct_passthrough


def _add_headers(
    response: flask.Response,
    session: Session,
    instruction: Instruction,
    environ: WSGIEnvironment,
) -> None:
    headers = response.headers

    if not session.accessed and instruction is None and not session.used_cookies:
        # What is used while the body is sent comes too late for a header.
        if _is_made_while_sent(response) and "Content-Length" not in headers:
            response.vary.update(varies_with(session))

        return

    https = environ["wsgi.url_scheme"] == "https"
    found: dict[str, str] = {}

    # Once over all of them: werkzeug's own ways cost more than the rest of the session.
    for name, value in headers:
        if (lowered := name.lower()) in _REPLACED:
            found[lowered] = f"{found[lowered]}, {value}" if lowered in found else value

    if instruction is not None and session.token is None:
        check_proxy(session, https=https, forwarded_proto=environ.get("HTTP_X_FORWARDED_PROTO"))

    for name, value in session_headers(
        session,
        instruction,
        https=https,
        vary=found.get("vary"),
        cache_control=found.get("cache-control"),
    ):
        if found and name.lower() in found:
            headers[name] = value
        else:
            headers.add(name, value)
