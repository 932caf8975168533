"""An application with the page."""

from __future__ import annotations

import typing as t

import flask
import pytest

from flask_sessionkit import SessionKit
from flask_sessionkit.devices import devices
from sessionkit.base_manager import BaseManager
from tests.flask.devices.support import add_login


@pytest.fixture
def app(app: flask.Flask) -> flask.Flask:
    app.register_blueprint(devices())
    add_login(app)
    return app


@pytest.fixture
def manager(app: flask.Flask) -> BaseManager:
    return t.cast(SessionKit, app.extensions["sessionkit"]).manager_of(app)
