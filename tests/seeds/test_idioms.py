"""What docs/seeds.md puts in the place of what has no counterpart here works."""

from __future__ import annotations

import collections.abc as cabc
import enum
import os
import typing as t
from datetime import timedelta
from pathlib import Path

import flask
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flask_sessionkit import SessionKit
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit.stores import open_store
from tests.core.conftest import MakeManager
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.wsgi.support import Client


class Color(enum.Enum):
    RED = "red"


def test_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SESSION_STORE", f"sqlite:///{tmp_path}/one.sqlite3")
    monkeypatch.setenv("SHOP_SESSIONKIT_STORE", f"sqlite:///{tmp_path}/two.sqlite3")
    one = SessionManager(open_store(os.environ["SESSION_STORE"]))
    app = flask.Flask(__name__)
    app.config.from_prefixed_env("SHOP")
    kit = SessionKit(app)

    @app.get("/")
    def write() -> str:
        flask.session["a"] = 1
        return ""

    Browser(one).put(a=1)
    app.test_client().get("/")
    one.close()
    kit.manager_of(app).close()
    assert {path.name for path in tmp_path.glob("*.sqlite3")} == {"one.sqlite3", "two.sqlite3"}


def test_sessions_for_a_part_of_an_application(manager: SessionManager, store: FullStore) -> None:
    def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
        start_response("200 OK", [])
        return [b"with" if "sessionkit.session" in environ else b"without"]

    client = Client(DispatcherMiddleware(app, {"/account": SessionMiddleware(app, manager)}))
    assert [client.get(path).body for path in ("/", "/account")] == [b"without", b"with"]
    assert store.calls == []


def test_types_of_ones_own(make_manager: MakeManager) -> None:
    browser = Browser(make_manager(types=[Color]))
    browser.put(color=Color.RED)
    assert browser.see() == {"color": Color.RED}


def test_durations() -> None:
    assert SessionPolicy(idle_timeout=timedelta(days=28)).idle_timeout == 28 * 24 * 3600


def test_a_write_in_any_case(browser: Browser, store: FullStore) -> None:
    browser.put(a=1)
    store.calls.clear()
    browser.visit(lambda session: setattr(session, "modified", True))
    assert store.calls == ["get", "swap"]


def test_sessions_by_a_field_of_ones_own(manager: SessionManager) -> None:
    by_office: dict[str, list[tuple[str, str | None]]] = {"rome": [], "oslo": []}
    browsers = {}

    for name, office in ("ann", "rome"), ("bob", "oslo"), ("eve", "rome"):
        browsers[name] = Browser(manager)
        browsers[name].log_in(name)
        by_office[office].append((name, browsers[name].open().public_id))

    assert all(manager.revoke(owner, public_id or "") for owner, public_id in by_office["rome"])
    assert [browser.open().owner for browser in browsers.values()] == [None, "bob", None]
