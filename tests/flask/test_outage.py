"""A store that does not answer: 503 where the session was needed, and the cookie is left alone."""

from __future__ import annotations

import typing as t

import flask
import pytest
from flask.testing import FlaskClient

from flask_sessionkit import session
from sessionkit.errors import SessionConflict
from sessionkit.errors import StoreUnavailable
from tests.spies import Spy

from .conftest import MakeApp


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    @app.get("/untouched")
    def untouched() -> str:
        return "fine"

    @app.route("/read", methods=["GET", "POST"])
    def read() -> str:
        return str(session.get("x"))

    @app.get("/late")
    def late() -> flask.Response:
        session["x"] = 2
        spy_of(app).down = True
        response = flask.Response("saved")
        response.set_cookie("other", "1")
        return response

    @app.get("/logout")
    def logout() -> str:
        session.destroy()
        return "logged out"

    client = app.test_client()

    with client.session_transaction() as opened:
        opened["x"] = 1

    return client


def spy_of(app: flask.Flask) -> Spy:
    spy: Spy = app.config["SESSIONKIT_STORE"]
    return spy


def test_untouched_requests_do_not_notice(client: FlaskClient, spy: Spy) -> None:
    spy.down = True
    assert client.get("/untouched").text == "fine"


def test_a_read_is_answered_503(client: FlaskClient, spy: Spy) -> None:
    spy.down = True
    response = client.get("/read")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers
    assert "Retry-After" not in client.post("/read").headers
    spy.down = False
    assert client.get("/read").text == "1"


def test_a_failed_commit_is_answered_503(client: FlaskClient, spy: Spy) -> None:
    response = client.get("/late")
    assert response.status_code == 503
    assert "saved" not in response.text
    assert "Set-Cookie" not in response.headers
    spy.down = False
    assert client.get("/read").text == "1"


def test_head(client: FlaskClient, spy: Spy) -> None:
    spy.down = True
    response = client.head("/read")
    assert (response.status_code, response.data) == (503, b"")


def test_a_streamed_body_is_closed(app: flask.Flask, client: FlaskClient, spy: Spy) -> None:
    closed: list[bool] = []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    @app.get("/stream")
    def stream() -> flask.Response:
        session["x"] = 2
        spy.down = True
        return flask.Response(Body([b"never sent"]))

    assert client.get("/stream").status_code == 503
    assert closed == [True]


def test_a_logout_deletes_the_cookie_and_says_so(client: FlaskClient, spy: Spy) -> None:
    spy.down = True
    response = client.get("/logout")
    assert response.status_code == 503
    assert "logged out" in response.text
    assert response.headers["Set-Cookie"].startswith("session=; Path=/; Max-Age=0")


def test_what_was_saved_before_is_announced(
    app: flask.Flask, client: FlaskClient, spy: Spy
) -> None:
    @app.get("/both")
    def both() -> str:
        session["x"] = 5
        session.renew()
        session.save()
        session["x"] = 6
        spy.down = True
        return ""

    response = client.get("/both")
    assert response.status_code == 503
    assert "Set-Cookie" in response.headers
    spy.down = False
    assert client.get("/read").text == "5"


def test_a_page_of_ones_own_for_503(app: flask.Flask, client: FlaskClient, spy: Spy) -> None:
    @app.errorhandler(503)
    def page(error: Exception) -> tuple[str, int]:
        return "my page", 503

    spy.down = True
    response = client.get("/read")
    assert (response.status_code, response.text) == (503, "my page")


def test_a_page_that_needs_the_session_itself(
    app: flask.Flask, client: FlaskClient, spy: Spy
) -> None:
    @app.errorhandler(503)
    def page(error: Exception) -> str:
        return str(session["x"])

    spy.down = True
    response = client.get("/read")
    assert response.status_code == 503
    assert "cannot reach your session" in response.text


def test_a_handler_of_ones_own(app: flask.Flask, client: FlaskClient, spy: Spy) -> None:
    @app.errorhandler(StoreUnavailable)
    def handle(error: StoreUnavailable) -> tuple[str, int]:
        return "mine", 500

    spy.down = True
    assert client.get("/read").text == "mine"


def test_a_handler_registered_before_us_stays(spy: Spy) -> None:
    from flask_sessionkit import SessionKit

    app = flask.Flask("before")

    @app.errorhandler(SessionConflict)
    def handle(error: SessionConflict) -> str:
        return "mine"

    SessionKit(app)
    assert app.error_handler_spec[None][None][SessionConflict] is handle
    assert StoreUnavailable in app.error_handler_spec[None][None]


def test_a_policy_that_goes_on_without_the_session(make_app: MakeApp, spy: Spy) -> None:
    app = make_app(SESSIONKIT_STORE=spy, SESSIONKIT_POLICY={"outage": "unavailable"})

    @app.get("/")
    def read() -> str:
        session["x"] = 1
        return f"{session.available} {session.get('y')}"

    client = app.test_client()
    client.get("/")
    spy.down = True
    response = client.get("/")
    assert (response.status_code, response.text) == (200, "False None")
    assert "Set-Cookie" not in response.headers


def test_a_conflict_is_answered_503(make_app: MakeApp) -> None:
    class Busy(Spy):
        busy = False

        def swap(self, *arguments: t.Any) -> bool:
            return not self.busy and super().swap(*arguments)

    store = Busy()
    app = make_app(SESSIONKIT_STORE=store, SESSIONKIT_POLICY={"commit_timeout": 0.01})

    @app.get("/")
    def write() -> str:
        session["x"] = session.get("x", 0) + 1
        return ""

    client = app.test_client()
    assert client.get("/").status_code == 200
    store.busy = True
    assert client.get("/").status_code == 503
