"""What the page refuses, hides and escapes."""

from __future__ import annotations

import re

import flask
import flask_wtf
import pytest

from flask_sessionkit.devices import devices
from sessionkit.base_manager import BaseManager
from tests.flask.conftest import MakeApp
from tests.flask.devices.support import PAGE
from tests.flask.devices.support import add_login
from tests.flask.devices.support import fields
from tests.flask.devices.support import log_in
from tests.flask.devices.support import names
from tests.flask.devices.support import press
from tests.flask.devices.support import who
from tests.spies import Spy


def test_a_foreign_session_cannot_be_ended(app: flask.Flask, manager: BaseManager) -> None:
    alice, _ = log_in(app), log_in(app, "bob")
    (foreign,) = manager.sessions_of("bob")

    assert "logged out already" in press(alice, end=foreign.public_id).text
    assert len(manager.sessions_of("bob")) == 1


def test_whoever_is_not_logged_in_sees_and_ends_nothing(
    app: flask.Flask, manager: BaseManager
) -> None:
    log_in(app)
    client = app.test_client()
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, data={"others": "1"}).status_code == 403
    assert len(manager.sessions_of("alice")) == 1


def test_whoever_was_logged_out_here_meanwhile_ends_nothing(
    app: flask.Flask, manager: BaseManager
) -> None:
    here, _ = log_in(app), log_in(app)
    form = {**fields(here.get(PAGE)), "others": "1"}
    (mine,) = (i for i in manager.sessions_of("alice") if i.public_id not in here.get(PAGE).text)
    manager.revoke("alice", mine.public_id)
    assert here.post(PAGE, data=form).status_code == 403
    assert len(manager.sessions_of("alice")) == 1


@pytest.mark.parametrize("token", [None, "", "x", "é" * 43, "\0"])
def test_a_form_from_elsewhere_ends_nothing(app: flask.Flask, token: str | None) -> None:
    here, there = log_in(app), log_in(app)
    here.get(PAGE)

    page = here.post(PAGE, data={"others": "1", "devices_token": token})

    assert page.status_code == 400
    assert "nothing was done" in page.text
    assert who(there) == "alice"


def test_the_token_of_somebody_else_is_worthless(app: flask.Flask) -> None:
    form = {**fields(log_in(app, "mallory").get(PAGE)), "others": "1"}
    here, there = log_in(app), log_in(app)
    assert here.post(PAGE, data=form).status_code == 400
    assert who(there) == "alice"


@pytest.mark.parametrize("default", [True, False])
def test_flask_wtf_checks_too(make_app: MakeApp, default: bool) -> None:
    app = make_app(SECRET_KEY="x", WTF_CSRF_CHECK_DEFAULT=default, WTF_CSRF_FIELD_NAME="csrf")
    protection = flask_wtf.CSRFProtect(app)
    app.register_blueprint(devices())
    add_login(app)
    protection.exempt(app.view_functions["login"])
    here, there = log_in(app), log_in(app)
    assert {"csrf", "devices_token"} == fields(here.get(PAGE)).keys()
    assert here.post(PAGE, data={"others": "1"}).status_code == 400
    assert who(there) == "alice"
    assert press(here, others="1").status_code == 200
    assert who(there) is None


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "工作電腦"]
)
def test_what_clients_send_is_shown_as_text(app: flask.Flask, text: str) -> None:
    sent = text if text.isascii() else "curl"
    log_in(app, user_agent=sent)
    page = log_in(app, label=text).get(PAGE)
    assert sorted(names(page)) == sorted([f"{text} This device", sent])
    assert not re.search("<(script|img)", page.text)


def test_a_user_agent_of_10_kb(app: flask.Flask) -> None:
    page = log_in(app, user_agent="y" * 10_000).get(PAGE)
    assert names(page) == ["y" * 256 + " This device"]


def test_the_page_is_kept_by_nobody_and_shown_in_no_frame(app: flask.Flask) -> None:
    page = log_in(app).get(PAGE)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Frame-Options"] == "DENY"


def test_no_id_and_no_key_is_on_the_page_or_in_a_url(app: flask.Flask, spy: Spy) -> None:
    here, _ = log_in(app), log_in(app)
    page = press(here, others="1")
    log_in(app)
    page = here.get(PAGE)
    cookie = here.get_cookie("session")
    assert cookie is not None
    assert cookie.value not in page.text
    stored = [*spy.keys()]
    assert stored
    assert not any(key in page.text for key in stored)
    assert set(re.findall(r'(?:href|action)="([^"]+)"', page.text)) == {
        PAGE,
        PAGE + "static/devices.css",
    }


def test_the_page_has_nothing_that_a_strict_policy_forbids(app: flask.Flask) -> None:
    client = log_in(app)
    assert not re.search(r"<style|<script|style=|\son\w+=|https?://", client.get(PAGE).text)
    stylesheet = client.get(PAGE + "static/devices.css")
    assert stylesheet.mimetype == "text/css"
    assert "Vary" not in stylesheet.headers
    stylesheet.close()
