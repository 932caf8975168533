"""Applications on every store, and a store that counts and can be out of reach."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from pathlib import Path

import flask
import pytest

from flask_sessionkit import SessionKit
from tests.spies import Spy

MakeApp = cabc.Callable[..., flask.Flask]


@pytest.fixture
def spy() -> Spy:
    return Spy()


@pytest.fixture
def make_app() -> MakeApp:
    """A function that makes an application; its settings are the arguments."""

    def make(**config: t.Any) -> flask.Flask:
        app = flask.Flask("shop")
        app.config.update({"TESTING": True, "SESSIONKIT_STORE": "memory:", **config})
        SessionKit(app)
        return app

    return make


@pytest.fixture
def app(make_app: MakeApp, spy: Spy) -> flask.Flask:
    return make_app(SESSIONKIT_STORE=spy)


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every store, empty."""
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        return url

    return f"sqlite:///{tmp_path}/sessions.sqlite3" if request.param == "sqlite" else "memory:"
