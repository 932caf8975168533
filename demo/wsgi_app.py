"""The raw WSGI page: the session stands in the environ."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from sessionkit import Session

from .actions import perform
from .page import render

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> cabc.Iterable[bytes]:
    session: Session = environ["sessionkit.session"]
    return _respond(Request(environ), session)(environ, start_response)


def _respond(request: Request, session: Session) -> cabc.Callable[..., cabc.Iterable[bytes]]:
    action = request.path.strip("/")

    if request.method == "POST":
        known = perform(session, action, request.form.to_dict(), "raw WSGI")
        return redirect("/wsgi/", 303) if known else NotFound()

    if request.method not in ("GET", "HEAD"):
        return MethodNotAllowed(["GET", "HEAD", "POST"])

    if action:
        return NotFound()

    owner = session.owner
    sessions = session.manager.sessions_of(owner) if owner is not None else []
    return Response(render("wsgi", session, sessions), mimetype="text/html")
