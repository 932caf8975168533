"""Flask sessions inside of their cookie: settings, flash, Flask-Login, Flask-WTF."""

from __future__ import annotations

import datetime
import re
import typing as t

import flask
import flask_login
import flask_wtf
import pytest

from flask_sessionkit import SessionKit
from flask_sessionkit import flask_policy
from flask_sessionkit import session
from sessionkit import SealedSessionManager
from sessionkit import keys
from sessionkit.errors import ConfigurationError
from sessionkit.errors import CookieTooLarge

from .conftest import MakeApp

# Flask-Login calls it for the remember-me cookie.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

SECRET = keys.new_key()


class User(flask_login.UserMixin):  # type: ignore[misc]
    def __init__(self, name: str) -> None:
        self.id = name


@pytest.fixture(params=["cookie:", "cookie:signed"])
def app(request: pytest.FixtureRequest, make_app: MakeApp) -> flask.Flask:
    return make_app(
        SESSIONKIT_STORE=request.param, SESSIONKIT_SECRETS=[SECRET], SECRET_KEY="for the tokens"
    )


def test_flask_settings_hold(make_app: MakeApp) -> None:
    app = make_app(
        SESSIONKIT_STORE="cookie:",
        SESSIONKIT_SECRETS=[SECRET],
        SESSIONKIT_POLICY={"absolute_timeout": 3600},
        SESSION_COOKIE_NAME="shop",
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=datetime.timedelta(minutes=5),
    )

    @app.get("/")
    def index() -> str:
        session.permanent = True
        session["day"] = datetime.date(2033, 5, 18)
        return ""

    client = app.test_client()
    header = client.get("/").headers["Set-Cookie"]
    assert header.startswith("shop=")
    assert header.endswith("; Path=/; Max-Age=300; HttpOnly; SameSite=Strict")

    with client.session_transaction() as opened:
        assert opened["day"] == datetime.date(2033, 5, 18)


def test_a_manager_in_place_of_settings() -> None:
    app = flask.Flask("given")
    manager = SealedSessionManager([SECRET], policy=flask_policy())
    kit = SessionKit(app, manager=manager)
    assert kit.manager_of(app) is manager


def test_flash_messages_are_shown_once(app: flask.Flask) -> None:
    @app.get("/add")
    def add() -> str:
        flask.flash("saved", "note")
        return ""

    @app.get("/show")
    def show() -> str:
        return str(flask.get_flashed_messages(with_categories=True))

    client = app.test_client()
    client.get("/add")
    assert client.get("/show").text == "[('note', 'saved')]"
    assert client.get("/show").text == "[]"


def test_flask_login(app: flask.Flask) -> None:
    manager = flask_login.LoginManager(app)
    manager.user_loader(User)

    @app.get("/login/<name>")
    def login(name: str) -> str:
        flask_login.login_user(User(name))
        return ""

    @app.get("/logout")
    def logout() -> str:
        flask_login.logout_user()
        return ""

    @app.get("/who")
    def who() -> str:
        return f"{flask_login.current_user.get_id()} {session.owner}"

    client = app.test_client()
    assert client.get("/who").text == "None None"
    client.get("/login/ann")
    assert client.get("/who").text == "ann ann"
    client.get("/login/bob")
    assert client.get("/who").text == "bob bob"
    assert "Max-Age=0" in client.get("/logout").headers["Set-Cookie"]
    assert client.get("/who").text == "None None"


def test_flask_wtf(app: flask.Flask) -> None:
    flask_wtf.CSRFProtect(app)

    @app.get("/form")
    def form() -> str:
        return flask.render_template_string("token={{ csrf_token() }}.")

    @app.post("/change")
    def change() -> str:
        return "changed"

    client = app.test_client()
    token = t.cast("re.Match[str]", re.search("token=(.*)[.]", client.get("/form").text))[1]
    assert client.post("/change", data={"csrf_token": token}).text == "changed"
    assert client.post("/change", data={"csrf_token": "forged"}).status_code == 400


def test_one_that_does_not_fit_is_an_error_of_the_application(app: flask.Flask) -> None:
    @app.get("/")
    def index() -> str:
        session["large"] = "x" * 4096
        return "not sent"

    with pytest.raises(CookieTooLarge, match="large"):
        app.test_client().get("/")

    app.config["TESTING"] = app.config["PROPAGATE_EXCEPTIONS"] = False
    response = app.test_client().get("/")
    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"SESSIONKIT_STORE": "cookie:"}, "SESSIONKIT_SECRETS"),
        ({"SESSIONKIT_STORE": "cookie:", "SESSIONKIT_SECRETS": ["dev"]}, "SESSIONKIT_SECRETS"),
        ({"SESSIONKIT_STORE": "cookie:plain", "SESSIONKIT_SECRETS": [SECRET]}, "SESSIONKIT_STORE"),
    ],
)
def test_wrong_settings_are_named(
    make_app: MakeApp, settings: dict[str, t.Any], named: str
) -> None:
    app = make_app(**settings)
    kit: SessionKit = app.extensions["sessionkit"]

    with pytest.raises(ConfigurationError, match=named):
        kit.manager_of(app)
