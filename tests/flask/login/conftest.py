"""An application with users, and a client."""

from __future__ import annotations

import flask
import pytest
from flask.testing import FlaskClient

from tests.flask.conftest import MakeApp
from tests.flask.login.support import add_login
from tests.spies import Spy


@pytest.fixture
def app(make_app: MakeApp, spy: Spy) -> flask.Flask:
    app = make_app(SESSIONKIT_STORE=spy)
    add_login(app)
    return app


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()
