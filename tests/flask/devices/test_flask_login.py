"""The page of the devices of a user of Flask-Login."""

from __future__ import annotations

import typing as t

import flask
import flask_login
import pytest

from flask_sessionkit import SessionKit
from flask_sessionkit import session
from flask_sessionkit.devices import devices
from sessionkit.errors import ConfigurationError
from tests.flask.conftest import MakeApp
from tests.flask.devices.support import FIREFOX
from tests.flask.devices.support import PAGE
from tests.flask.devices.support import log_in
from tests.flask.devices.support import names
from tests.flask.devices.support import press

# Flask-Login calls it for the remember-me cookie.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


class User(flask_login.UserMixin):  # type: ignore[misc]
    id = "alice"


@pytest.fixture
def with_flask_login(make_app: MakeApp) -> flask.Flask:
    app = make_app(SECRET_KEY="for the remember-me cookie", SESSIONKIT_REMEMBER_DEVICES=True)
    app.register_blueprint(devices())
    manager = flask_login.LoginManager(app)
    manager.user_loader(lambda name: User())
    manager.login_view = "login"

    @app.post("/login")
    def login() -> str:
        flask_login.login_user(User(), remember="remember" in flask.request.form)
        return ""

    @app.post("/name")
    def name() -> str:
        session.describe(label="Work")
        return ""

    @app.post("/confirm")
    def confirm() -> str:
        session["_fresh"] = False
        session.save()
        flask_login.confirm_login()
        return ""

    return app


def test_flask_logins_user_sees_the_device_that_is_remembered(
    with_flask_login: flask.Flask,
) -> None:
    client = log_in(with_flask_login, user_agent=FIREFOX)
    assert names(client.get(PAGE)) == ["Firefox on Linux This device"]


def test_a_device_keeps_its_name_when_the_login_is_confirmed(
    with_flask_login: flask.Flask,
) -> None:
    client = log_in(with_flask_login)
    client.post("/name")
    client.post("/confirm")
    assert names(client.get(PAGE)) == ["Work This device"]


def test_flask_logins_login_page(with_flask_login: flask.Flask) -> None:
    answer = with_flask_login.test_client().get(PAGE)
    assert (answer.status_code, answer.location) == (302, "/login?next=%2Faccount%2Fdevices%2F")


def test_a_login_that_flask_login_remembers_is_listed_at_once(
    with_flask_login: flask.Flask,
) -> None:
    client = log_in(with_flask_login, remember="1")
    client.delete_cookie("session")
    assert len([name for name in names(client.get(PAGE)) if "This device" in name]) == 1
    assert press(client, others="1").status_code == 200
    assert len(names(client.get(PAGE))) == 1


def test_whether_devices_are_remembered_is_true_or_false(make_app: MakeApp) -> None:
    app = make_app(SESSIONKIT_REMEMBER_DEVICES="no")
    with pytest.raises(ConfigurationError, match="SESSIONKIT_REMEMBER_DEVICES must be True"):
        app.test_client().get("/")


def test_devices_are_not_remembered_unless_asked_for(make_app: MakeApp) -> None:
    app = make_app(SECRET_KEY="x")
    flask_login.LoginManager(app).user_loader(lambda name: User())

    @app.post("/login")
    def login() -> str:
        flask_login.login_user(User())
        return ""

    log_in(app)
    manager = t.cast(SessionKit, app.extensions["sessionkit"]).manager_of(app)
    (info,) = manager.sessions_of("alice")
    assert info.meta == {}
