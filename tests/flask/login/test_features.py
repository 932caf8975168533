"""Remember me, protection, and other features of Flask-Login."""

from __future__ import annotations

import typing as t

import flask
import flask_login
import pytest
from flask.testing import FlaskClient

from flask_sessionkit import load_user_from_owner
from sessionkit import Session
from sessionkit.errors import ConfigurationError
from tests.flask.conftest import MakeApp
from tests.flask.login.support import User
from tests.flask.login.support import add_login
from tests.flask.login.support import is_live
from tests.flask.login.support import keys
from tests.flask.support import cookie
from tests.spies import Spy

# Flask-Login calls it for the remember-me cookie.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


def test_remember_me(app: flask.Flask, client: FlaskClient) -> None:
    client.get("/login/alice?remember=1")
    client.delete_cookie("session")
    assert client.get("/who").text == "alice"
    assert client.get("/owner").text == "alice"
    client.get("/logout")
    assert client.get_cookie("remember_token") is None
    assert client.get("/who").text == "None"


@pytest.mark.parametrize("permanent", [False, True])
def test_strong_protection(make_app: MakeApp, permanent: bool) -> None:
    app = make_app(SESSION_PROTECTION="strong")
    add_login(app)
    client = app.test_client()
    client.get("/login/alice", headers={"User-Agent": "mine"})
    client.get("/put/secret", headers={"User-Agent": "mine"})

    if permanent:
        with client.session_transaction() as opened:
            opened.permanent = True

    before = cookie(client)
    who = client.get("/who", headers={"User-Agent": "a thief's"}).text
    assert who == ("alice" if permanent else "None")
    assert is_live(app, before) == permanent


@pytest.mark.parametrize("path", ["/missing", "/static/missing.css"])
def test_its_glance_after_every_request_costs_nothing(
    client: FlaskClient, spy: Spy, path: str
) -> None:
    client.get("/login/alice")
    spy.last_calls()
    response = client.get(path)
    assert spy.last_calls() == []
    assert {"Vary", "Cache-Control", "Set-Cookie"}.isdisjoint(response.headers.keys())


def test_an_id_that_cannot_be_an_owner(client: FlaskClient) -> None:
    with pytest.raises(ConfigurationError, match="owner"):
        client.get(f"/login/{'x' * 300}")


def test_no_id_is_nobody(app: flask.Flask, client: FlaskClient) -> None:
    with client.session_transaction() as opened:
        opened["_user_id"] = None
        opened["cart"] = 1

    before = cookie(client)
    assert "cart" in keys(client)
    assert client.get("/owner").text == "None"
    assert cookie(client) == before


def test_a_login_manager_that_comes_late(make_app: MakeApp) -> None:
    app = make_app()
    client = app.test_client()

    with client.session_transaction() as opened:
        t.cast(Session, opened).bind("alice")

    load_user_from_owner(add_login(app))
    assert client.get("/who").text == "alice"
    client.get("/logout")
    assert client.get("/who").text == "None"


def test_its_test_client(app: flask.Flask) -> None:
    app.test_client_class = flask_login.FlaskLoginClient
    client = app.test_client(user=User("alice"))
    assert client.get("/who").text == client.get("/owner").text == "alice"


def test_a_loader_of_ones_own(make_app: MakeApp) -> None:
    app = make_app()
    manager = add_login(app)
    load_user_from_owner(manager, lambda owner: User(f"the one called {owner}"))

    with app.test_client() as client:
        with client.session_transaction() as opened:
            t.cast(Session, opened).bind("alice")

        assert client.get("/who").text == "the one called alice"
