"""``SESSIONKIT_TRACE``: a line for each request, in debug mode."""

from __future__ import annotations

import flask
import pytest
from flask import session

from sessionkit import SessionManager
from sessionkit import keys
from sessionkit.errors import ConfigurationError
from sessionkit.stores.memory import MemoryStore
from tests.flask.conftest import MakeApp


def visit_twice(app: flask.Flask) -> None:
    @app.get("/")
    def view() -> str:
        session.setdefault("cart", []).append("tea")
        return ""

    client = app.test_client()
    client.get("/")
    client.get("/")


@pytest.mark.parametrize("store", ["memory:", "cookie:"])
def test_in_debug_mode_each_request_has_a_line(make_app: MakeApp, store: str) -> None:
    lines: list[str] = []
    app = make_app(
        SESSIONKIT_STORE=store, SESSIONKIT_SECRETS=[keys.new_key()], SESSIONKIT_TRACE=lines.append
    )
    app.debug = True
    visit_twice(app)
    assert len(lines) == 2
    assert lines[0].startswith("session session: new, cookie not sent; ")
    assert "; changed 'cart' (6 -> 10 B, inside of it); written, " in lines[1]


def test_true_is_the_logger(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(SESSIONKIT_TRACE=True)
    app.debug = True

    with caplog.at_level("DEBUG", "sessionkit.trace"):
        visit_twice(app)

    assert [record.name for record in caplog.records] == ["sessionkit.trace"] * 2


def test_without_debug_mode_there_is_none(make_app: MakeApp) -> None:
    lines: list[str] = []
    visit_twice(make_app(SESSIONKIT_TRACE=lines.append))
    assert lines == []


@pytest.mark.parametrize("debug", [True, False])
def test_a_wrong_setting_is_named(make_app: MakeApp, debug: bool) -> None:
    app = make_app(SESSIONKIT_TRACE="yes")
    app.debug = debug

    with pytest.raises(ConfigurationError, match="SESSIONKIT_TRACE: trace must be True"):
        visit_twice(app)


def test_beside_a_manager_it_would_have_no_effect() -> None:
    from flask_sessionkit import SessionKit

    app = flask.Flask("shop")
    app.config.update(TESTING=True, SESSIONKIT_TRACE=True)
    SessionKit(app, SessionManager(MemoryStore()))

    with pytest.raises(ConfigurationError, match="SESSIONKIT_TRACE: SessionKit was given a man"):
        visit_twice(app)
