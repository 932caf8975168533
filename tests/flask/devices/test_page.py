"""A page on which users see their devices and end them."""

from __future__ import annotations

import collections.abc as cabc
import re

import flask
import jinja2
import pytest
from werkzeug.test import TestResponse

from flask_sessionkit import SessionKit
from flask_sessionkit import flask_policy
from flask_sessionkit.devices import devices
from sessionkit import SessionManager
from sessionkit.base_manager import BaseManager
from sessionkit.errors import UnsupportedOperation
from sessionkit.keys import new_key
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from tests.flask.conftest import MakeApp
from tests.flask.devices.support import FIREFOX
from tests.flask.devices.support import PAGE
from tests.flask.devices.support import add_login
from tests.flask.devices.support import fields
from tests.flask.devices.support import log_in
from tests.flask.devices.support import names
from tests.flask.devices.support import press
from tests.flask.devices.support import who
from tests.spies import Spy


def public_ids(page: TestResponse) -> list[str]:
    return re.findall(r'name="end" value="([^"]+)"', page.text)


def test_the_list_names_devices_and_this_one(app: flask.Flask) -> None:
    log_in(app, user_agent=FIREFOX)
    log_in(app, label="Phone", user_agent=FIREFOX)
    page = log_in(app, user_agent="curl/8").get(PAGE)

    assert page.status_code == 200
    assert sorted(names(page)) == ["Firefox on Linux", "Phone", "curl/8 This device"]
    assert page.text.count("127.0.0.1") == 3
    assert len(public_ids(page)) == 2


def test_one_is_ended(app: flask.Flask) -> None:
    here, there, elsewhere = (log_in(app, label=name) for name in ("here", "there", "else"))
    page = press(here, end=public_ids(here.get(PAGE))[0])

    assert "The device was logged out." in page.text
    assert len(names(page)) == 2
    assert [who(client) for client in (here, there, elsewhere)].count("alice") == 2
    assert who(here) == "alice"
    assert "logged out." not in here.get(PAGE).text


def test_all_others_are_ended(app: flask.Flask) -> None:
    here, there, bob = log_in(app), log_in(app), log_in(app, "bob")

    page = press(here, others="1")

    assert "All other devices were logged out." in page.text
    assert [who(client) for client in (here, there, bob)] == ["alice", None, "bob"]
    assert "Log out all" not in page.text


@pytest.mark.parametrize("end", ["", "x", "x" * 10_000, "\0", "../../", "é"])
def test_what_there_is_not_is_logged_out_already(app: flask.Flask, end: str) -> None:
    assert "logged out already" in press(log_in(app), end=end).text


def test_one_that_was_ended_meanwhile(app: flask.Flask, manager: BaseManager) -> None:
    here, _ = log_in(app), log_in(app)
    (other,) = public_ids(here.get(PAGE))
    assert manager.revoke("alice", other)
    page = press(here, end=other)
    assert "logged out already" in page.text
    assert len(names(page)) == 1


@pytest.mark.parametrize("ended", ["here", "there"])
def test_one_that_is_ended_while_it_is_listed_is_not_shown(
    app: flask.Flask,
    manager: BaseManager,
    spy: Spy,
    ended: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, _ = log_in(app, label="here"), log_in(app, label="there")
    (wanted,) = (info.public_id for info in manager.sessions_of("alice") if info.label == ended)
    owned_by = spy.owned_by

    def end_what_is_listed(owner: str, now: float) -> cabc.Collection[str]:
        keys = owned_by(owner, now)
        monkeypatch.setattr(spy, "owned_by", owned_by)
        assert manager.revoke("alice", wanted)
        return keys

    monkeypatch.setattr(spy, "owned_by", end_what_is_listed)
    page = here.get(PAGE)
    assert page.status_code == 200
    assert names(page) == (["there"] if ended == "here" else ["here This device"])
    assert here.get(PAGE).status_code == (403 if ended == "here" else 200)


def test_this_device_is_logged_out_elsewhere(app: flask.Flask, manager: BaseManager) -> None:
    client = log_in(app)
    (info,) = manager.sessions_of("alice")
    assert "Log out as usual" in press(client, end=info.public_id).text
    assert who(client) == "alice"


def test_a_login_page_of_the_application(make_app: MakeApp) -> None:
    app = make_app()
    app.register_blueprint(devices(url_prefix="/here", login_endpoint="login"))
    add_login(app)
    answer = app.test_client().get("/here/")
    assert (answer.status_code, answer.location) == (303, "/login")


def test_an_expired_session_is_not_listed() -> None:
    clock = FakeClock()
    policy = flask_policy(idle_timeout=60)
    app = flask.Flask("shop")
    SessionKit(app, SessionManager(MemoryStore(clock=clock), policy=policy, clock=clock))
    app.register_blueprint(devices())
    add_login(app)
    old = log_in(app, label="old")
    clock.advance(61)
    assert names(log_in(app, label="new").get(PAGE)) == ["new This device"]
    assert old.get(PAGE).status_code == 403


def test_an_outage_is_a_503(app: flask.Flask, spy: Spy) -> None:
    client = log_in(app)
    form = {**fields(client.get(PAGE)), "others": "1"}
    spy.down = True
    assert client.get(PAGE).status_code == 503
    assert client.post(PAGE, data=form).status_code == 503


def test_an_outage_is_no_logout_where_the_policy_shows_an_empty_session(
    make_app: MakeApp, spy: Spy
) -> None:
    app = make_app(SESSIONKIT_STORE=spy, SESSIONKIT_POLICY={"outage": "unavailable"})
    app.register_blueprint(devices())
    add_login(app)
    client = log_in(app)
    spy.down = True
    assert client.get(PAGE).status_code == 503


def test_a_site_restyles_it_by_templates_of_its_own(app: flask.Flask) -> None:
    app.jinja_loader = jinja2.DictLoader(
        {"sessionkit/base.html": "my frame {% block content %}{% endblock %}"}
    )
    page = log_in(app).get(PAGE)
    assert page.text.startswith("my frame")
    assert "This device" in page.text


def test_sessions_that_cannot_be_listed_are_an_error_that_says_so(make_app: MakeApp) -> None:
    app = make_app(SESSIONKIT_STORE="cookie:", SESSIONKIT_SECRETS=[new_key()])
    app.register_blueprint(devices())
    add_login(app)
    with pytest.raises(UnsupportedOperation, match="cannot be listed"):
        log_in(app).get(PAGE)
