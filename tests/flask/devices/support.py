"""A browser that uses the page."""

from __future__ import annotations

import html
import re
import typing as t

import flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_sessionkit import session
from sessionkit import device_of

PAGE = "/account/devices/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def add_login(app: flask.Flask) -> None:
    @app.post("/login")
    def login() -> str:
        form = flask.request.form
        session.bind(form["name"], label=form.get("label"), **device_of(flask.request.environ))
        return ""


def log_in(
    app: flask.Flask, name: str = "alice", *, user_agent: str = "curl", **form: str
) -> FlaskClient:
    client = app.test_client()
    client.post("/login", data={"name": name, **form}, headers={"User-Agent": user_agent})
    return client


def names(page: TestResponse) -> list[str]:
    found = re.findall(r"<h2[^>]*>(.*?)</h2>", page.text, re.DOTALL)
    return [" ".join(html.unescape(re.sub("<[^>]*>", "", text)).split()) for text in found]


def fields(page: TestResponse) -> dict[str, str]:
    """What the forms of the page send beside their buttons."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page.text))


def press(client: FlaskClient, **button: str) -> TestResponse:
    """Press a button of the page; return the page after it."""
    form = {**fields(client.get(PAGE)), **button}

    # A page on which there is nothing to end has no form.
    with client.session_transaction() as opened:
        form["devices_token"] = opened["_sessionkit_devices_token"]

    return client.post(PAGE, data=form, follow_redirects=True)


def who(client: FlaskClient) -> str | None:
    with client.session_transaction() as opened:
        return t.cast("str | None", opened.owner)  # type: ignore[attr-defined]
