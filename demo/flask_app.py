"""The Flask page: ``flask.session``, as always."""

from __future__ import annotations

import typing as t

import flask

from flask_sessionkit import SessionKit
from sessionkit import Session
from sessionkit import SessionPolicy
from sessionkit import Store

from .actions import perform
from .page import render


def create_app(
    store: Store, secrets: tuple[str, ...], cookie: str, policy: SessionPolicy
) -> flask.Flask:
    app = flask.Flask(__name__)
    app.config.update(
        SESSIONKIT_STORE=store,
        SESSIONKIT_SECRETS=[*secrets],
        SESSIONKIT_POLICY=policy,
        SESSION_COOKIE_NAME=cookie,
    )
    # Behind the dispatcher Flask would send the cookie for /flask alone.
    app.config["SESSION_COOKIE_PATH"] = "/"
    SessionKit(app)

    @app.get("/")
    def show() -> str:
        session = t.cast(Session, flask.session)
        owner = session.owner
        sessions = session.manager.sessions_of(owner) if owner is not None else []
        return render("flask", session, sessions)

    @app.post("/<path:action>")
    def act(action: str) -> flask.typing.ResponseReturnValue:
        session = t.cast(Session, flask.session)

        if not perform(session, action, flask.request.form.to_dict(), "Flask"):
            flask.abort(404)

        return flask.redirect("/flask/", 303)

    return app
