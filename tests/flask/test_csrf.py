"""Flask-WTF: its tokens live in the session; forms that are sent twice."""

from __future__ import annotations

import re

import flask
import flask_login
import flask_wtf
import pytest
from flask.testing import FlaskClient

from flask_sessionkit import session

from .conftest import MakeApp


class User(flask_login.UserMixin):  # type: ignore[misc]
    id = "alice"


@pytest.fixture(params=["csrf_token", "other_name"])
def client(request: pytest.FixtureRequest, make_app: MakeApp) -> FlaskClient:
    app = make_app(SECRET_KEY="for the tokens", WTF_CSRF_FIELD_NAME=request.param)
    flask_wtf.CSRFProtect(app)
    manager = flask_login.LoginManager(app)
    manager.user_loader(lambda name: User())

    @app.get("/form")
    def form() -> str:
        return flask.render_template_string("token={{ csrf_token() }}.")

    @app.post("/login")
    def login() -> str:
        flask_wtf.FlaskForm().validate_on_submit()
        flask_login.login_user(User())
        return flask.render_template_string("token={{ csrf_token() }}.")

    @app.post("/change")
    def change() -> str:
        session["x"] = 1
        return ""

    @app.get("/who")
    def who() -> str:
        return str(flask_login.current_user.get_id())

    return app.test_client()


def token(text: str) -> str:
    match = re.search(r"token=(\S+)\.", text)
    assert match is not None
    return match[1]


def post(client: FlaskClient, path: str, value: str) -> int:
    name = client.application.config["WTF_CSRF_FIELD_NAME"]
    return client.post(path, data={name: value}).status_code


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie("session")
    assert found is not None
    return found.value


def test_a_form(client: FlaskClient) -> None:
    value = token(client.get("/form").text)
    assert post(client, "/change", value) == 200
    assert post(client, "/change", "x") == 400


@pytest.mark.parametrize("kept", [1, 2])
def test_a_login_form_sent_twice(client: FlaskClient, kept: int) -> None:
    value = token(client.get("/form").text)
    anonymous = cookie(client)
    cookies: list[str] = []

    for _ in range(2):
        client.set_cookie("session", anonymous)
        assert post(client, "/login", value) == 200
        cookies.append(cookie(client))

    # Whichever answer the browser has kept.
    client.set_cookie("session", cookies[kept - 1])
    assert client.get("/who").text == "alice"


def test_a_form_shown_by_the_answer_to_the_login(client: FlaskClient) -> None:
    name = client.application.config["WTF_CSRF_FIELD_NAME"]
    old = token(client.get("/form").text)
    new = token(client.post("/login", data={name: old}).text)
    assert post(client, "/change", new) == 200
    assert post(client, "/change", old) == 400
