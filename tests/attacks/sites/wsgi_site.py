"""The site without a framework. Its form has no CSRF token: there is nobody to check it."""

from __future__ import annotations

import collections.abc as cabc
import time
import typing as t
import urllib.parse

from sessionkit import CookieOptions
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import current_session
from sessionkit.stores import open_store

from . import environment
from . import views
from .gate import pass_gate
from .views import Query

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment


def login(session: Session, query: Query) -> str:
    session.get("user")
    pass_gate(query.get("gate"))
    session.bind(query["user"])
    session["user"] = query["user"]
    return "logged in"


def logout(session: Session, query: Query) -> str:
    session.get("user")
    pass_gate(query.get("gate"))
    session.destroy()
    return "logged out"


def renew(session: Session, query: Query) -> str:
    session.get("user")
    pass_gate(query.get("gate"))
    session.renew()
    return "renewed"


def who(session: Session, query: Query) -> str:
    return str(session.get("user", "nobody"))


def current(session: Session, query: Query) -> str:
    """What code finds that is not given the request, while others are served."""
    seen = set()

    for _ in range(5):
        seen.add(str(current_session().get("user")))
        time.sleep(0)

    return " ".join(sorted(seen))


VIEWS: dict[str, cabc.Callable[[t.Any, Query], str]] = {
    **views.VIEWS,
    "/login": login,
    "/logout": logout,
    "/renew": renew,
    "/who": who,
    "/form": who,
    "/current": current,
}


def _stream(session: Session) -> cabc.Iterator[bytes]:
    while True:
        time.sleep(0)
        yield f"{session['user']}\n".encode() * 1000


def answer(environ: WSGIEnvironment, start_response: StartResponse) -> cabc.Iterable[bytes]:
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    session: Session = environ["sessionkit.session"]
    path = environ["PATH_INFO"]
    # uWSGI resets the connection if it is left unread.
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))

    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return _stream(session)

    text = VIEWS[path](session, query)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]


manager = SessionManager(
    open_store(environment.STORE),
    secrets=environment.SECRETS,
    cookie=CookieOptions(name=environment.COOKIE),
)
application = SessionMiddleware(answer, manager)

if environment.IS_WARM:
    views.warm_up(manager)
