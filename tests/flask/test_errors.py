"""Answers that are errors, and what cannot be saved."""

from __future__ import annotations

import flask
import pytest

from flask_sessionkit import session
from sessionkit import signals
from sessionkit.errors import PayloadTooLarge
from sessionkit.errors import ValueNotSupported
from tests.flask.support import cookie
from tests.flask.support import login

from .conftest import MakeApp


def test_an_error_page_saves_nothing(app: flask.Flask) -> None:
    app.testing = False

    @app.get("/")
    def fail() -> str:
        session["x"] = 1
        raise KeyError

    client = app.test_client()
    assert client.get("/").status_code == 500
    assert cookie(client) is None


@pytest.mark.parametrize("testing", [False, True])
def test_an_error_does_not_save_the_session_from_its_end(app: flask.Flask, testing: bool) -> None:
    app.testing = testing

    @app.get("/")
    def fail() -> str:
        session.clear()
        raise KeyError

    client = app.test_client()
    before = login(client)

    if testing:
        with pytest.raises(KeyError):
            client.get("/")
    else:
        assert client.get("/").status_code == 500
        assert cookie(client) is None

    client.set_cookie("session", before)

    with client.session_transaction() as opened:
        assert not opened


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_whatever_leaves_the_application_ends_what_was_destroyed(
    app: flask.Flask, error: BaseException
) -> None:
    heard: list[str] = []

    def listen(sender: object, **_: object) -> None:
        heard.append(flask.current_app.name)

    @app.get("/")
    def fail() -> str:
        session.destroy()
        raise error

    client = app.test_client()
    login(client)

    with signals.destroyed.connected_to(listen), pytest.raises(type(error)) as raised:
        client.get("/")

    assert raised.value is error
    assert heard == ["shop"]

    with client.session_transaction() as opened:
        assert not opened


@pytest.fixture
def spoiling(make_app: MakeApp) -> flask.Flask:
    app = make_app(SESSIONKIT_POLICY={"max_payload": 1000})

    @app.get("/value")
    def value() -> str:
        session["cart"] = []
        session["cart"].append(object())
        return "fine"

    @app.get("/size")
    def size() -> str:
        session["large"] = "x" * 1000
        return "fine"

    return app


@pytest.mark.parametrize(
    ("path", "error", "text"),
    [
        ("/value", ValueNotSupported, "session['cart'][0]"),
        ("/size", PayloadTooLarge, "'large' ("),
    ],
)
def test_what_cannot_be_saved_is_a_visible_error(
    spoiling: flask.Flask,
    path: str,
    error: type[Exception],
    text: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(error):
        spoiling.test_client().get(path)

    spoiling.testing = False
    response = spoiling.test_client().get(path)
    assert response.status_code == 500
    assert "Set-Cookie" not in response.headers
    assert text in caplog.text


def test_what_cannot_be_saved_does_not_save_the_session_from_its_end(app: flask.Flask) -> None:
    app.testing = False

    @app.get("/logout")
    def logout() -> str:
        session.clear()
        session["x"] = []
        session["x"].append(object())
        return ""

    client = app.test_client()
    before = login(client)
    assert client.get("/logout").status_code == 500
    assert cookie(client) is None
    client.set_cookie("session", before)

    with client.session_transaction() as opened:
        assert not opened


def test_debug_mode_shows_what_cannot_be_saved(make_app: MakeApp) -> None:
    app = make_app(TESTING=False, PROPAGATE_EXCEPTIONS=True)

    @app.get("/")
    def spoil() -> str:
        session["cart"] = [1]
        session["cart"].append(object())
        return ""

    with pytest.raises(ValueNotSupported):
        app.test_client().get("/")
