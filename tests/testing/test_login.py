"""Test clients of all three ways in are logged in without a login page."""

from __future__ import annotations

import typing as t

import flask
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
