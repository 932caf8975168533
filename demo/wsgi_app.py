"""The raw WSGI page: the session stands in the environ."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from sessionkit import CookieOptions
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import device_of

from . import parallel
from .page import render
from .page import typed_in
from .shared import Shared

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> cabc.Iterable[bytes]:
    session: Session = environ["sessionkit.session"]
    return answer(Request(environ), session)(environ, start_response)


def answer(request: Request, session: Session) -> Response | NotFound | MethodNotAllowed:
    if request.path == "/":
        if request.method not in ("GET", "HEAD"):
            return MethodNotAllowed(["GET", "HEAD"])

        return Response(render("wsgi", session), mimetype="text/html")

    action = ACTIONS.get(request.path)

    if action is None:
        return NotFound()

    if request.method != "POST":
        return MethodNotAllowed(["POST"])

    action(session, request)
    return redirect(f"{request.root_path}/", 303)


def log_in(session: Session, request: Request) -> None:
    session.bind(typed_in(request.form, "name"), through="raw WSGI", **device_of(request.environ))
    session.flash["message"] = f"Welcome, {session.owner}!"


def log_out(session: Session, request: Request) -> None:
    session.destroy()
    session.flash["message"] = "You are logged out of all three."


def log_out_elsewhere(session: Session, request: Request) -> None:
    if session.owner is not None:
        ended = session.manager.revoke_all(session.owner, except_=session)
        session.flash["message"] = f"Logged out elsewhere: {ended}."


def add_to_cart(session: Session, request: Request) -> None:
    session.setdefault("cart", []).append(typed_in(request.form, "item"))


def leave_message(session: Session, request: Request) -> None:
    session.flash["message"] = typed_in(request.form, "message")


def forget_keys(session: Session, request: Request) -> None:
    parallel.forget_keys(session)


def key_writer(number: int) -> cabc.Callable[[Session, Request], None]:
    return lambda session, request: parallel.write_key(session, number)


ACTIONS: dict[str, cabc.Callable[[Session, Request], None]] = {
    "/login": log_in,
    "/logout": log_out,
    "/logout-elsewhere": log_out_elsewhere,
    "/cart": add_to_cart,
    "/flash": leave_message,
    "/parallel": forget_keys,
    **{f"/parallel/{number}": key_writer(number) for number in parallel.NUMBERS},
}


def create_app(shared: Shared) -> SessionMiddleware:
    manager = SessionManager(
        shared.store,
        secrets=shared.secrets,
        policy=shared.policy,
        cookie=CookieOptions(name=shared.cookie),
    )
    return SessionMiddleware(application, manager)
