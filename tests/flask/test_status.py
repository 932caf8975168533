"""Why a session is over, and the limit per owner, as a Flask application meets them."""

from __future__ import annotations

import typing as t

import flask
import flask_login
import pytest
from flask.testing import FlaskClient

from flask_sessionkit import SessionKit
from flask_sessionkit import session
from flask_sessionkit.status import status
from sessionkit.base_manager import BaseManager
from sessionkit.errors import ConfigurationError
from sessionkit.errors import TooManySessions
from tests.flask.login.support import add_login
from tests.spies import Spy

from .conftest import MakeApp

LIMITED: dict[str, t.Any] = {"max_sessions_per_owner": 1}
REFUSING: dict[str, t.Any] = {**LIMITED, "at_limit": "refuse"}

# Flask-Login calls it for the remember-me cookie.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


def add_views(app: flask.Flask) -> flask.Flask:
    app.add_url_rule("/status", view_func=status)

    @app.get("/enter/<name>")
    def enter(name: str) -> str:
        session.bind(name)
        return ""

    @app.get("/reason")
    def reason() -> str:
        session["csrf_token"] = "token"
        return str(session.ended_reason)

    @app.errorhandler(TooManySessions)
    def refused(error: TooManySessions) -> tuple[str, int]:
        return f"{error.count} of {error.limit}", 403

    return app


@pytest.fixture
def app(app: flask.Flask) -> flask.Flask:
    return add_views(app)


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


def manager_of(app: flask.Flask) -> BaseManager:
    return t.cast(SessionKit, app.extensions["sessionkit"]).manager_of(app)


def test_a_login_page_says_why(app: flask.Flask, client: FlaskClient) -> None:
    client.get("/enter/ann")
    manager_of(app).revoke_all("ann")
    assert client.get("/status").get_json()["reason"] == "revoked"
    assert client.get("/reason").text == "revoked"
    # It has written a token, into a session of its own.
    assert client.get("/reason").text == "None"


def test_the_status_extends_nothing(app: flask.Flask, client: FlaskClient, spy: Spy) -> None:
    app.before_request(lambda: session.get("theme") and None)
    client.get("/enter/ann")
    spy.calls.clear()
    answer = client.get("/status")
    assert answer.get_json()["state"] == "live"
    assert 31 * 86400 - 5 < answer.get_json()["seconds_left"] <= 31 * 86400
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Vary"] == "Cookie"
    assert "Set-Cookie" not in answer.headers
    assert spy.last_calls() == ["get"]


def test_the_status_in_an_outage(client: FlaskClient, spy: Spy) -> None:
    client.get("/enter/ann")
    spy.down = True
    answer = client.get("/status")
    assert (answer.status_code, answer.get_json()["state"]) == (503, "unavailable")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_status_takes_no_other_method(client: FlaskClient, method: str) -> None:
    answer = client.open("/status", method=method)
    assert answer.status_code == 405
    assert client.head("/status").text == ""


def test_settings_limit_the_sessions_of_an_owner(make_app: MakeApp) -> None:
    app = add_views(make_app(SESSIONKIT_POLICY=LIMITED))
    first, second = app.test_client(), app.test_client()
    first.get("/enter/ann")
    second.get("/enter/ann")
    assert (first.get("/reason").text, second.get("/reason").text) == ("evicted", "None")


def test_settings_refuse_a_login(make_app: MakeApp) -> None:
    app = add_views(make_app(SESSIONKIT_POLICY=REFUSING))
    first, second = app.test_client(), app.test_client()
    first.get("/enter/ann")
    answer = second.get("/enter/ann")
    assert (answer.status_code, answer.text) == (403, "1 of 1")
    assert "Set-Cookie" not in answer.headers


def test_a_limit_needs_a_store_that_lists(make_app: MakeApp) -> None:
    app = make_app(
        SESSIONKIT_STORE="cookie:", SESSIONKIT_SECRETS=["s" * 40], SESSIONKIT_POLICY=LIMITED
    )
    with pytest.raises(ConfigurationError, match="max_sessions_per_owner needs a store"):
        manager_of(app)


class TestFlaskLogin:
    @pytest.fixture
    def app(self, make_app: MakeApp, spy: Spy) -> flask.Flask:
        app = add_views(make_app(SESSIONKIT_STORE=spy, SESSIONKIT_POLICY=REFUSING))
        add_login(app)
        app.add_url_rule("/leave", view_func=lambda: str(flask_login.logout_user()))
        return app

    def test_a_refused_login_leaves_nothing(self, app: flask.Flask, client: FlaskClient) -> None:
        app.test_client().get("/login/ann")
        client.get("/put/cart")
        answer = client.get("/login/ann")
        assert (answer.status_code, answer.text) == (403, "1 of 1")
        assert client.get("/keys").get_json() == ["cart"]
        assert client.get("/who").text == "None"
        assert len(manager_of(app).sessions_of("ann")) == 1

    def test_a_page_of_the_refusal_sees_nobody(self, app: flask.Flask, client: FlaskClient) -> None:
        @app.get("/try")
        def try_it() -> str:
            with pytest.raises(TooManySessions):
                flask_login.login_user(app.login_manager._user_callback("ann"))  # type: ignore[attr-defined]
            return str(flask_login.current_user.is_authenticated)

        app.test_client().get("/login/ann")
        assert client.get("/try").text == "False"

    def test_a_logout_of_what_was_revoked_deletes_the_cookie(
        self, app: flask.Flask, client: FlaskClient
    ) -> None:
        client.get("/login/ann")
        manager_of(app).revoke_all("ann")
        assert "Max-Age=0" in client.get("/leave").headers["Set-Cookie"]
        assert client.get_cookie("session") is None

    def test_it_is_asked_once(
        self, client: FlaskClient, spy: Spy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        listing = spy.owned_by

        def owned_by(owner: str, now: float) -> t.Any:
            asked.append(owner)
            return listing(owner, now)

        monkeypatch.setattr(spy, "owned_by", owned_by)
        client.get("/login/ann")
        assert (asked, client.get("/who").text) == (["ann"], "ann")

    def test_a_remembered_user_is_refused_while_the_view_can_answer(
        self, app: flask.Flask, client: FlaskClient
    ) -> None:
        client.get("/login/ann?remember")
        client.delete_cookie("session")
        answer = client.get("/who")
        assert (answer.status_code, answer.text) == (403, "1 of 1")
        manager_of(app).revoke_all("ann")
        assert client.get("/who").text == "ann"
