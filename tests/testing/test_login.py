"""Test clients of all three ways in are logged in without a login page."""

from __future__ import annotations

import typing as t

import flask
import flask_login
import pytest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from flask_sessionkit import SessionKit
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from sessionkit.testing import login
from tests.security.sites import django_site
from tests.security.sites import flask_site
from tests.security.sites import wsgi_site


class User(flask_login.UserMixin):  # type: ignore[misc]
    def __init__(self, name: str) -> None:
        self.id = name


@pytest.fixture
def manager() -> SessionManager:
    return SessionManager(MemoryStore(), secrets=["a secret"])


def test_of_werkzeug(manager: SessionManager) -> None:
    client = Client(ProxyFix(wsgi_site(manager).wsgi))
    login(client, "alice", user="alice", theme="dark")
    assert client.get("/show").text == "[('theme', 'dark'), ('user', 'alice')]"
    assert len(manager.sessions_of("alice")) == 1


def test_of_flask(manager: SessionManager) -> None:
    app: t.Any = flask_site(manager).wsgi
    client = app.test_client()
    client.get("/put?cart=tea")
    login(client, 7)
    assert client.get("/show").text == "[('cart', 'tea')]"
    assert len(manager.sessions_of(7)) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"SERVER_NAME": "shop.example:8080"},
        {"SERVER_NAME": "shop.example", "SESSION_COOKIE_DOMAIN": ".example"},
        {"SESSION_COOKIE_PATH": "/app"},
        {"APPLICATION_ROOT": "/app"},
    ],
    ids=str,
)
def test_wherever_the_cookie_goes(settings: dict[str, str]) -> None:
    app = flask.Flask("elsewhere")
    app.config.update(SESSIONKIT_STORE="memory:", **settings)
    SessionKit(app)

    @app.get("/app/<key>")
    def put(key: str) -> str:
        flask.session[key] = 1
        return str(sorted(flask.session))

    client = app.test_client()
    client.get("/app/cart")
    session = login(client, "alice", user="alice")
    assert dict(session) == {"cart": 1, "user": "alice"}
    assert client.get("/app/more").text == "['cart', 'more', 'user']"
    assert client.get("/app/more").text == "['cart', 'more', 'user']"


def test_of_flask_login(manager: SessionManager) -> None:
    app: t.Any = flask_site(manager).wsgi
    app.secret_key = "of Flask-Login"
    users = flask_login.LoginManager(app)
    users.user_loader(User)
    app.add_url_rule("/who", view_func=lambda: str(flask_login.current_user.get_id()))
    client = app.test_client()
    login(client, "alice", _user_id="alice")
    assert client.get("/who").text == "alice"


def test_of_django(manager: SessionManager) -> None:
    with django_site(manager):
        from django.test import Client as DjangoClient

        client = DjangoClient()
        client.get("/put?cart=tea")
        login(client, "alice")
        assert client.get("/show").content.decode() == "[('cart', 'tea')]"
        assert len(manager.sessions_of("alice")) == 1


def test_what_is_no_client_or_has_no_sessions_is_said(manager: SessionManager) -> None:
    with pytest.raises(TypeError, match="not str"):
        login("client", "alice")
    with pytest.raises(TypeError, match="manager="):
        login(Client(flask.Flask("without")), "alice")
    login(Client(flask.Flask("without")), "alice", manager=manager)


def test_the_clock_of_a_test_is_that_of_managers_that_exist(session_clock: FakeClock) -> None:
    app = flask.Flask("timed")
    store = MemoryStore()
    SessionKit(app, manager=SessionManager(store, policy=SessionPolicy(idle_timeout=60)))
    app.add_url_rule("/", view_func=lambda: str(flask.session.get("user")))
    client = app.test_client()
    login(client, "alice", user="alice")
    assert client.get("/").text == "alice"
    session_clock.advance(61)
    assert client.get("/").text == "None"
