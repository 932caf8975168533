"""An application with users."""

from __future__ import annotations

import typing as t

import flask
import flask_login
from flask.testing import FlaskClient

from flask_sessionkit import session


class User(flask_login.UserMixin):  # type: ignore[misc]
    def __init__(self, name: str) -> None:
        self.id = name


def add_login(app: flask.Flask) -> flask_login.LoginManager:
    app.secret_key = "for the remember-me cookie"
    manager = flask_login.LoginManager(app)
    manager.user_loader(User)

    @app.get("/login/<name>")
    def login(name: str) -> str:
        flask_login.login_user(User(name), remember="remember" in flask.request.args)
        session["by"] = name
        return ""

    @app.get("/logout")
    def logout() -> str:
        flask_login.logout_user()
        flask.flash("bye")
        return ""

    @app.get("/who")
    def who() -> str:
        return str(flask_login.current_user.get_id())

    @app.get("/put/<key>")
    def put(key: str) -> str:
        session[key] = 1
        return ""

    @app.get("/keys")
    def all_keys() -> list[str]:
        return sorted(session)

    @app.get("/owner")
    def owner() -> str:
        return str(session.owner)

    return manager


def keys(client: FlaskClient) -> list[str]:
    return t.cast("list[str]", client.get("/keys").json)


def is_live(app: flask.Flask, value: str | None) -> bool:
    manager = app.extensions["sessionkit"].manager_of(app)
    return manager.load(str(value)) is not None
