"""A login of Flask-Login binds and renews, a logout ends."""

from __future__ import annotations

import flask
import flask_login
import pytest
from flask.testing import FlaskClient

from flask_sessionkit import session
from tests.flask.conftest import MakeApp
from tests.flask.login.support import User
from tests.flask.login.support import add_login
from tests.flask.login.support import is_live
from tests.flask.login.support import keys
from tests.flask.support import cookie
from tests.spies import Spy

# Flask-Login calls it for the remember-me cookie.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


def test_login_binds_and_renews(app: flask.Flask, client: FlaskClient) -> None:
    client.get("/put/cart")
    before = cookie(client)
    client.get("/login/alice")
    assert client.get("/owner").text == client.get("/who").text == "alice"
    assert "cart" in keys(client)
    assert cookie(client) != before
    assert not is_live(app, before)


def test_logout_ends_everything_but_messages(app: flask.Flask, client: FlaskClient) -> None:
    client.get("/login/alice")
    client.get("/put/secret")
    before = cookie(client)
    client.get("/logout")
    assert not is_live(app, before)
    assert cookie(client) != before
    assert keys(client) == ["_flashes"]
    assert client.get("/who").text == "None"
    assert client.get("/owner").text == "None"


def test_a_logout_that_fails_is_a_logout(app: flask.Flask, client: FlaskClient) -> None:
    @app.get("/fail")
    def fail() -> tuple[str, int]:
        flask_login.logout_user()
        return "", 500

    client.get("/login/alice")
    before = cookie(client)
    client.get("/fail")
    assert not is_live(app, before)


def test_a_login_that_fails_is_none(app: flask.Flask, client: FlaskClient) -> None:
    @app.get("/fail")
    def fail() -> tuple[str, int]:
        flask_login.login_user(User("alice"))
        return "", 500

    client.get("/fail")
    assert client.get("/who").text == "None"


def test_another_users_login_drops_the_first_ones_data(client: FlaskClient) -> None:
    client.get("/login/alice")
    client.get("/put/secret")
    client.get("/login/bob")
    assert client.get("/owner").text == "bob"
    assert "secret" not in keys(client)
    assert "by" in keys(client)


def test_another_users_login_that_is_saved_early(app: flask.Flask, client: FlaskClient) -> None:
    @app.get("/early")
    def early() -> str:
        flask_login.login_user(User("bob"))
        session.save()
        return ""

    client.get("/login/alice")
    client.get("/put/secret")
    client.get("/early")
    assert client.get("/owner").text == client.get("/who").text == "bob"
    assert "secret" not in keys(client)


def test_the_same_users_login_renews(client: FlaskClient) -> None:
    client.get("/login/alice")
    client.get("/put/cart")
    before = cookie(client)
    client.get("/login/alice")
    assert cookie(client) != before
    assert "cart" in keys(client)


def test_a_confirmed_login_renews(app: flask.Flask, client: FlaskClient) -> None:
    @app.get("/confirm")
    def confirm() -> str:
        flask_login.confirm_login()
        return ""

    client.get("/login/alice")

    with client.session_transaction() as opened:
        opened["_fresh"] = False

    before = cookie(client)
    client.get("/confirm")
    assert cookie(client) != before
    before = cookie(client)
    client.get("/confirm")
    assert cookie(client) == before


def test_a_logout_by_clear(client: FlaskClient, app: flask.Flask) -> None:
    @app.get("/clear")
    def clear() -> str:
        session.clear()
        flask_login.login_user(User("carol"))
        return ""

    client.get("/login/alice")
    client.get("/put/secret")
    client.get("/clear")
    assert client.get("/owner").text == "carol"
    assert keys(client) == ["_fresh", "_id", "_user_id"]


def test_a_logout_of_nobody_changes_nothing(client: FlaskClient) -> None:
    client.get("/put/cart")
    before = cookie(client)
    client.get("/logout")
    assert cookie(client) == before
    assert "cart" in keys(client)


def test_a_logout_with_the_old_id_ends_the_new_one(app: flask.Flask, client: FlaskClient) -> None:
    client.get("/login/alice")
    before = cookie(client)
    client.get("/login/alice")
    after = cookie(client)
    client.set_cookie("session", str(before))
    client.get("/logout")
    assert not is_live(app, after)


def test_login_during_an_outage(make_app: MakeApp, spy: Spy) -> None:
    app = make_app(SESSIONKIT_STORE=spy, SESSIONKIT_POLICY={"outage": "unavailable"})
    add_login(app)
    client = app.test_client()
    client.get("/put/x")
    before = cookie(client)
    spy.down = True
    assert client.get("/login/alice").status_code == 503
    assert client.get("/logout").status_code == 503
    spy.down = False
    assert cookie(client) is None or cookie(client) == before
