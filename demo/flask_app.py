"""The Flask page: ``flask.session``, as always."""

from __future__ import annotations

import flask
import werkzeug

from flask_sessionkit import SessionKit
from flask_sessionkit import session  # flask.session, with types
from flask_sessionkit.devices import devices
from sessionkit import device_of

from . import parallel
from .page import render
from .page import typed_in
from .shared import Shared

pages = flask.Blueprint("pages", __name__)


@pages.get("/")
def show() -> str:
    return render("flask", session)


@pages.post("/login")
def log_in() -> werkzeug.Response:
    device = device_of(flask.request.environ)
    session.bind(typed_in(flask.request.form, "name"), through="Flask", **device)
    session.flash["message"] = f"Welcome, {session.owner}!"
    return back()


@pages.post("/logout")
def log_out() -> werkzeug.Response:
    session.destroy()
    session.flash["message"] = "You are logged out of all three."
    return back()


@pages.post("/logout-elsewhere")
def log_out_elsewhere() -> werkzeug.Response:
    if session.owner is not None:
        ended = session.manager.revoke_all(session.owner, except_=session)
        session.flash["message"] = f"Logged out elsewhere: {ended}."

    return back()


@pages.post("/cart")
def add_to_cart() -> werkzeug.Response:
    session.setdefault("cart", []).append(typed_in(flask.request.form, "item"))
    return back()


@pages.post("/flash")
def leave_message() -> werkzeug.Response:
    session.flash["message"] = typed_in(flask.request.form, "message")
    return back()


@pages.post("/parallel")
def forget_keys() -> werkzeug.Response:
    parallel.forget_keys(session)
    return back()


@pages.post("/parallel/<int(max=19):number>")
def write_key(number: int) -> werkzeug.Response:
    parallel.write_key(session, number)
    return back()


def back() -> werkzeug.Response:
    return flask.redirect(flask.url_for("pages.show"), 303)


def create_app(shared: Shared) -> flask.Flask:
    app = flask.Flask(__name__)
    app.config.update(
        SESSIONKIT_STORE=shared.store,
        SESSIONKIT_SECRETS=[*shared.secrets],
        SESSIONKIT_POLICY=shared.policy,
        SESSION_COOKIE_NAME=shared.cookie,
        # Under /flask, Flask would send the cookie for /flask alone.
        SESSION_COOKIE_PATH="/",
    )
    SessionKit(app)
    app.register_blueprint(pages)
    app.register_blueprint(devices(url_prefix="/account/devices", login_endpoint="pages.show"))
    return app
