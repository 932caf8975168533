"""Logins that Flask-Login has not made: by the application, by another framework."""

from __future__ import annotations

import flask
import flask_login
import pytest
from flask.testing import FlaskClient

from flask_sessionkit import load_user_from_owner
from flask_sessionkit import session
from tests.flask.conftest import MakeApp
from tests.flask.login.support import User
from tests.flask.login.support import add_login
from tests.flask.login.support import is_live
from tests.flask.login.support import keys
from tests.flask.support import cookie

# Flask-Login calls it for the remember-me cookie.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.mark.parametrize("first", [True, False])
def test_an_owner_that_the_application_chose(
    app: flask.Flask, client: FlaskClient, first: bool
) -> None:
    @app.get("/chosen")
    def chosen() -> str:
        if first:
            session.bind("uuid-1")

        flask_login.login_user(User("1"))

        if not first:
            session.bind("uuid-1")

        return ""

    client.get("/chosen")
    assert client.get("/owner").text == "uuid-1"
    assert client.get("/who").text == "1"
    client.get("/put/x")
    assert client.get("/owner").text == "uuid-1"
    client.get("/logout")
    assert client.get("/owner").text == "None"


def test_a_session_from_before_gets_its_owner(app: flask.Flask, client: FlaskClient) -> None:
    manager = app.extensions["sessionkit"].manager_of(app)
    old = manager.open()
    old["_user_id"] = "alice"
    client.set_cookie("session", manager.commit(old).value)
    assert client.get("/who").text == "alice"
    assert client.get("/owner").text == "alice"


class TestKnownFromElsewhere:
    @pytest.fixture(params=["basic", "strong"])
    def app(self, request: pytest.FixtureRequest, make_app: MakeApp) -> flask.Flask:
        app = make_app(SESSION_PROTECTION=request.param)
        manager = add_login(app)
        load_user_from_owner(manager)

        @app.get("/elsewhere")
        def elsewhere() -> str:
            session["theirs"] = 1
            session.bind("alice")
            return ""

        @app.get("/elsewhere/logout")
        def elsewhere_logout() -> str:
            session.unbind()
            return ""

        return app

    def test_known(self, client: FlaskClient) -> None:
        assert client.get("/who").text == "None"
        client.get("/elsewhere")
        assert [client.get("/who").text for _ in range(2)] == ["alice", "alice"]

    def test_logged_out_here(self, app: flask.Flask, client: FlaskClient) -> None:
        client.get("/elsewhere")
        before = cookie(client)
        client.get("/logout")
        assert client.get("/who").text == "None"
        assert not is_live(app, before)

    def test_logged_out_there(self, client: FlaskClient) -> None:
        client.get("/elsewhere")
        client.get("/who")
        client.get("/elsewhere/logout")
        assert client.get("/who").text == "None"

    def test_logged_in_here_too(self, client: FlaskClient) -> None:
        client.get("/elsewhere")
        client.get("/login/alice")
        assert "theirs" in keys(client)
        client.get("/login/bob")
        assert "theirs" not in keys(client)
