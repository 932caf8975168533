"""The devices page in Flask: its user alone sees and ends where they are logged in."""

from __future__ import annotations

import collections.abc as cabc
import html
import re
import typing as t

import flask
import flask_login
import flask_wtf
import jinja2
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_sessionkit import SessionKit
from flask_sessionkit import flask_policy
from flask_sessionkit import session
from flask_sessionkit.devices import devices
from sessionkit import SessionManager
from sessionkit import device_of
from sessionkit.base_manager import BaseManager
from sessionkit.errors import ConfigurationError
from sessionkit.errors import UnsupportedOperation
from sessionkit.keys import new_key
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock

from .conftest import MakeApp
from .conftest import Spy

PAGE = "/account/devices/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

# Flask-Login calls it for the remember-me cookie.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


def add_login(app: flask.Flask) -> None:
    @app.post("/login")
    def login() -> str:
        form = flask.request.form
        session.bind(form["name"], label=form.get("label"), **device_of(flask.request.environ))
        return ""


@pytest.fixture
def app(app: flask.Flask) -> flask.Flask:
    app.register_blueprint(devices())
    add_login(app)
    return app


@pytest.fixture
def manager(app: flask.Flask) -> BaseManager:
    return t.cast(SessionKit, app.extensions["sessionkit"]).manager_of(app)


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


def public_ids(page: TestResponse) -> list[str]:
    return re.findall(r'name="end" value="([^"]+)"', page.text)


def who(client: FlaskClient) -> str | None:
    with client.session_transaction() as opened:
        return t.cast("str | None", opened.owner)  # type: ignore[attr-defined]


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


def test_a_foreign_session_cannot_be_ended(app: flask.Flask, manager: BaseManager) -> None:
    alice, _ = log_in(app), log_in(app, "bob")
    (foreign,) = manager.sessions_of("bob")

    assert "logged out already" in press(alice, end=foreign.public_id).text
    assert len(manager.sessions_of("bob")) == 1


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


def test_a_login_page_of_the_application(make_app: MakeApp) -> None:
    app = make_app()
    app.register_blueprint(devices(url_prefix="/here", login_endpoint="login"))
    add_login(app)
    answer = app.test_client().get("/here/")
    assert (answer.status_code, answer.location) == (303, "/login")


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


def test_a_site_restyles_it_by_templates_of_its_own(app: flask.Flask) -> None:
    app.jinja_loader = jinja2.DictLoader(
        {"sessionkit/base.html": "my frame {% block content %}{% endblock %}"}
    )
    page = log_in(app).get(PAGE)
    assert page.text.startswith("my frame")
    assert "This device" in page.text


class User(flask_login.UserMixin):  # type: ignore[misc]
    id = "alice"


@pytest.fixture
def with_flask_login(make_app: MakeApp) -> flask.Flask:
    app = make_app(SECRET_KEY="for the remember-me cookie", SESSIONKIT_REMEMBER_DEVICES=True)
    app.register_blueprint(devices())
    manager = flask_login.LoginManager(app)
    manager.user_loader(lambda name: User())
    manager.login_view = "login"

    @app.post("/login")
    def login() -> str:
        flask_login.login_user(User(), remember="remember" in flask.request.form)
        return ""

    @app.post("/name")
    def name() -> str:
        session.describe(label="Work")
        return ""

    @app.post("/confirm")
    def confirm() -> str:
        session["_fresh"] = False
        session.save()
        flask_login.confirm_login()
        return ""

    return app


def test_flask_logins_user_sees_the_device_that_is_remembered(
    with_flask_login: flask.Flask,
) -> None:
    client = log_in(with_flask_login, user_agent=FIREFOX)
    assert names(client.get(PAGE)) == ["Firefox on Linux This device"]


def test_a_device_keeps_its_name_when_the_login_is_confirmed(
    with_flask_login: flask.Flask,
) -> None:
    client = log_in(with_flask_login)
    client.post("/name")
    client.post("/confirm")
    assert names(client.get(PAGE)) == ["Work This device"]


def test_flask_logins_login_page(with_flask_login: flask.Flask) -> None:
    answer = with_flask_login.test_client().get(PAGE)
    assert (answer.status_code, answer.location) == (302, "/login?next=%2Faccount%2Fdevices%2F")


def test_a_login_that_flask_login_remembers_is_listed_at_once(
    with_flask_login: flask.Flask,
) -> None:
    client = log_in(with_flask_login, remember="1")
    client.delete_cookie("session")
    assert len([name for name in names(client.get(PAGE)) if "This device" in name]) == 1
    assert press(client, others="1").status_code == 200
    assert len(names(client.get(PAGE))) == 1


def test_whether_devices_are_remembered_is_true_or_false(make_app: MakeApp) -> None:
    app = make_app(SESSIONKIT_REMEMBER_DEVICES="no")
    with pytest.raises(ConfigurationError, match="SESSIONKIT_REMEMBER_DEVICES must be True"):
        app.test_client().get("/")


def test_devices_are_not_remembered_unless_asked_for(make_app: MakeApp) -> None:
    app = make_app(SECRET_KEY="x")
    flask_login.LoginManager(app).user_loader(lambda name: User())

    @app.post("/login")
    def login() -> str:
        flask_login.login_user(User())
        return ""

    log_in(app)
    manager = t.cast(SessionKit, app.extensions["sessionkit"]).manager_of(app)
    (info,) = manager.sessions_of("alice")
    assert info.meta == {}


def test_sessions_that_cannot_be_listed_are_an_error_that_says_so(make_app: MakeApp) -> None:
    app = make_app(SESSIONKIT_STORE="cookie:", SESSIONKIT_SECRETS=[new_key()])
    app.register_blueprint(devices())
    add_login(app)
    with pytest.raises(UnsupportedOperation, match="cannot be listed"):
        log_in(app).get(PAGE)
