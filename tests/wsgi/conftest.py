"""The fixtures of the core's tests serve here too, beside a visitor and applications."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import SessionManager
from tests.core.conftest import browser
from tests.core.conftest import clock
from tests.core.conftest import make_manager
from tests.core.conftest import manager
from tests.core.conftest import store
from tests.core.support import Browser
from tests.wsgi.apps import APPS
from tests.wsgi.support import App
from tests.wsgi.support import Client

__all__ = ["browser", "clock", "make_manager", "manager", "store"]


@pytest.fixture
def visitor(manager: SessionManager, browser: Browser) -> Client:
    """Somebody who has a session already."""
    browser.put(a=1)
    return Client(None, browser.header)


@pytest.fixture(params=APPS, ids=lambda app: app.__name__)
def app(request: pytest.FixtureRequest) -> App:
    return t.cast(App, request.param)
