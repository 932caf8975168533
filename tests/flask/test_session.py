"""flask.session is the session of the core."""

from __future__ import annotations

import typing as t

import flask
import pytest
from flask.sessions import SessionMixin

from flask_sessionkit import session
from sessionkit import Session
from tests.flask.support import cookie
from tests.flask.support import login
from tests.spies import Spy

from .conftest import MakeApp


def test_it_is_the_cores_session(app: flask.Flask) -> None:
    with app.test_request_context():
        current = flask.session._get_current_object()  # type: ignore[attr-defined]
        assert type(current) is Session
        assert isinstance(current, SessionMixin)


def test_values_stay(make_app: MakeApp, store_url: str) -> None:
    app = make_app(SESSIONKIT_STORE=store_url)

    @app.get("/")
    def count() -> dict[str, t.Any]:
        session["visits"] = session.get("visits", 0) + 1
        session.setdefault("seen", []).append(session["visits"])
        return dict(session)

    client = app.test_client()
    assert client.get("/").json == {"visits": 1, "seen": [1]}
    assert client.get("/").json == {"visits": 2, "seen": [1, 2]}


def test_parallel_requests_lose_nothing(make_app: MakeApp, store_url: str) -> None:
    app = make_app(SESSIONKIT_STORE=store_url)
    client = app.test_client()

    @app.get("/<name>")
    def write(name: str) -> str:
        session.get("load")

        if name == "outer":
            client.get("/inner")

        session[name] = 1
        flask.flash(name)
        return ""

    with client.session_transaction() as opened:
        opened["start"] = 1

    client.get("/outer")

    with client.session_transaction() as opened:
        assert {"inner", "outer"} <= set(opened)
        assert sorted(message for _, message in opened["_flashes"]) == ["inner", "outer"]


def test_untouched_costs_nothing(app: flask.Flask, spy: Spy) -> None:
    client = app.test_client()
    login(client)
    spy.last_calls()
    response = client.get("/missing")
    assert spy.last_calls() == []
    assert {"Vary", "Cache-Control", "Set-Cookie"}.isdisjoint(response.headers.keys())


@pytest.mark.parametrize(
    ("vary", "cache_control", "expected"),
    [
        (None, None, ("Cookie", "private")),
        ("Accept-Encoding", "no-cache", ("Accept-Encoding, Cookie", "no-cache")),
        ("cookie", None, ("cookie", "private")),
        ("*", "public", ("*", "public")),
    ],
)
def test_a_read_is_told_to_caches(
    app: flask.Flask, vary: str | None, cache_control: str | None, expected: tuple[str, str]
) -> None:
    @app.get("/")
    def read() -> flask.Response:
        session.get("user_id")
        response = flask.Response()

        if vary:
            response.headers["Vary"] = vary

        if cache_control:
            response.headers["Cache-Control"] = cache_control

        return response

    client = app.test_client()
    login(client)
    headers = client.get("/").headers
    assert headers.getlist("Vary") == [expected[0]]
    assert headers.getlist("Cache-Control") == [expected[1]]
    assert "Set-Cookie" not in headers


def test_one_cookie_for_each_id(app: flask.Flask) -> None:
    @app.get("/")
    def write() -> str:
        session["n"] = session.get("n", 0) + 1
        return ""

    client = app.test_client()
    assert len(client.get("/").headers.getlist("Set-Cookie")) == 1
    assert "Set-Cookie" not in client.get("/").headers


def test_permanent(app: flask.Flask) -> None:
    @app.get("/<int:value>")
    def write(value: int) -> str:
        session["x"] = 1
        session.permanent = bool(value)
        return str(session.permanent)

    client = app.test_client()
    assert "Max-Age=7776000" in client.get("/1").headers["Set-Cookie"]
    assert "Set-Cookie" not in client.get("/1").headers
    response = client.get("/0")
    assert response.text == "False"
    assert "Max-Age" not in response.headers["Set-Cookie"]


def test_permanent_alone_makes_no_session(app: flask.Flask, spy: Spy) -> None:
    @app.before_request
    def make_permanent() -> None:
        session.permanent = True

    response = app.test_client().get("/")
    assert "Set-Cookie" not in response.headers
    assert spy.last_calls() == []


def test_the_tutorials_login_and_logout(app: flask.Flask) -> None:
    @app.get("/login")
    def log_in() -> str:
        session.clear()
        session["user_id"] = 2
        return ""

    @app.get("/logout")
    def log_out() -> str:
        session.clear()
        return ""

    client = app.test_client()
    before = login(client)
    client.get("/login")
    after = cookie(client)
    assert after not in (None, before)
    response = client.get("/logout")
    assert response.headers["Set-Cookie"].startswith("session=; Path=/; Max-Age=0")

    for old in (before, after):
        client.set_cookie("session", str(old))

        with client.session_transaction() as opened:
            assert not opened


def test_the_quick_starts_logout(app: flask.Flask) -> None:
    @app.get("/logout")
    def log_out() -> str:
        session.pop("user_id", None)
        return ""

    client = app.test_client()
    login(client)
    assert "Set-Cookie" not in client.get("/logout").headers

    with client.session_transaction() as opened:
        assert "user_id" not in opened


def test_renew_and_owner(app: flask.Flask) -> None:
    @app.get("/")
    def bind() -> str:
        session.bind("alice")
        return ""

    client = app.test_client()
    before = login(client)
    client.get("/")
    assert cookie(client) != before

    with client.session_transaction() as opened:
        assert t.cast(Session, opened).owner == "alice"
        assert opened["user_id"] == 1


def test_flash(app: flask.Flask) -> None:
    @app.get("/flash")
    def flash() -> str:
        flask.flash("saved", "info")
        return ""

    @app.get("/show")
    def show() -> str:
        return repr(flask.get_flashed_messages(with_categories=True))

    @app.get("/other")
    def other() -> str:
        session["x"] = 1
        return ""

    client = app.test_client()
    client.get("/flash")
    client.get("/other")
    assert client.get("/show").text == "[('info', 'saved')]"
    assert client.get("/show").text == "[]"


def test_session_transaction(app: flask.Flask) -> None:
    client = app.test_client()

    with client.session_transaction() as opened:
        opened["x"] = [1]

    with client.session_transaction() as opened:
        opened["x"].append(2)

    with client.session_transaction() as opened:
        assert opened["x"] == [1, 2]
        opened.clear()

    assert cookie(client) is None


def test_async_views(app: flask.Flask) -> None:
    @app.get("/")
    async def write() -> str:
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    client = app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["1", "2"]


def test_lazy_texts_become_text(app: flask.Flask) -> None:
    lazy = type("LazyString", (), {"__str__": lambda self: "hallo"})
    lazy.__module__ = "flask_babel.speaklater"

    @app.get("/")
    def flash() -> str:
        flask.flash(lazy())
        return ""

    client = app.test_client()
    client.get("/")

    with client.session_transaction() as opened:
        assert opened["_flashes"] == [("message", "hallo")]


@pytest.mark.parametrize("value", ["x" * 9000, "\xff\x00", '"', "a=b; session=c; session="])
def test_garbage_is_an_anonymous_session(make_app: MakeApp, value: str) -> None:
    app = make_app(SESSIONKIT_SECRETS=["s" * 32])

    @app.get("/")
    def read() -> dict[str, t.Any]:
        return dict(session)

    response = app.test_client(use_cookies=False).get("/", headers={"Cookie": f"session={value}"})
    assert response.json == {}
    assert "Set-Cookie" not in response.headers


def test_a_proxy_without_proxyfix_warns_once(
    app: flask.Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    def write() -> str:
        session["x"] = 1
        return ""

    for _ in range(2):
        app.test_client().get("/", headers={"X-Forwarded-Proto": "https"})

    assert len(caplog.records) == 1
    assert "ProxyFix" in caplog.text
