"""Below SessionMiddleware of the same manager there is one session, and one who commits it."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import flask
import flask_login
import pytest
from werkzeug.test import Client

from flask_sessionkit import SessionKit
from flask_sessionkit import flask_policy
from flask_sessionkit import session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit.errors import ConfigurationError
from tests.spies import Spy

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment


@pytest.fixture
def manager(spy: Spy) -> SessionManager:
    return SessionManager(spy, policy=flask_policy())


@pytest.fixture
def app(manager: SessionManager) -> flask.Flask:
    app = flask.Flask("inner", static_folder=None)
    app.testing = True
    app.secret_key = "for Flask-Login"
    SessionKit(app, manager=manager)
    login_manager = flask_login.LoginManager(app)
    login_manager.user_loader(lambda name: None)

    @app.get("/write")
    def write() -> str:
        session["inner"] = 1
        return ""

    @app.get("/keys")
    def keys() -> list[str]:
        return sorted(session)

    @app.get("/login")
    def login() -> str:
        session["_user_id"] = "alice"
        return ""

    return app


@pytest.fixture
def client(app: flask.Flask, manager: SessionManager) -> Client:
    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> cabc.Iterable[bytes]:
        if environ["PATH_INFO"] != "/untouched":
            environ["sessionkit.session"]["outer"] = 1

        return app(environ, start_response)

    return Client(SessionMiddleware(outer, manager))


def test_one_session_and_one_cookie(client: Client, spy: Spy) -> None:
    response = client.get("/write")
    assert len(response.headers.getlist("Set-Cookie")) == 1
    assert response.headers.getlist("Vary") == ["Cookie"]
    assert spy.last_calls() == ["swap"]
    assert client.get("/keys").json == ["inner", "outer"]


def test_untouched(client: Client, spy: Spy) -> None:
    client.get("/write")
    spy.last_calls()
    response = client.get("/untouched")
    assert response.status_code == 404
    assert spy.last_calls() == []
    assert "Vary" not in response.headers


def test_a_login_inside_binds(client: Client, manager: SessionManager) -> None:
    client.get("/login")
    assert len(manager.sessions_of("alice")) == 1


def test_an_outage_is_answered_once(client: Client, spy: Spy) -> None:
    client.get("/write")
    spy.down = True
    response = client.get("/keys")
    assert response.status_code == 503
    assert "Set-Cookie" not in response.headers


def test_another_manager_with_the_same_cookie(app: flask.Flask, spy: Spy) -> None:
    other = SessionMiddleware(app, SessionManager(spy))

    with pytest.raises(ConfigurationError, match="two session managers"):
        Client(other).get("/keys")
