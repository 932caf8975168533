"""Middleware within middleware, of the same manager and of others."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit.errors import ConfigurationError
from tests.core.conftest import MakeManager
from tests.core.support import FullStore
from tests.core.support import View
from tests.wsgi.support import App
from tests.wsgi.support import Client
from tests.wsgi.support import Server
from tests.wsgi.support import call
from tests.wsgi.support import new_environ
from tests.wsgi.support import raising
from tests.wsgi.support import serving
from tests.wsgi.support import write


class TestNesting:
    def test_the_same_manager_twice_is_one_session_and_one_commit(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        def outer(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            session = environ["sessionkit.session"]
            session["outer"] = 1
            body = inner(environ, start_response)
            assert environ["inner"] is session
            session["after"] = 1
            return body

        inner = SessionMiddleware(serving_at("inner", write), manager, environ_key="inner")
        store.calls.clear()
        visitor.app = SessionMiddleware(outer, manager)
        reply = visitor.get()
        assert store.calls == ["get", "swap"]
        assert reply.all("Set-Cookie") == []
        assert dict(manager.open(visitor.cookie)) == {"a": 1, "outer": 1, "n": 1, "after": 1}

    def test_another_manager_with_the_same_cookie_is_an_error(
        self, make_manager: MakeManager
    ) -> None:
        inner = SessionMiddleware(serving(write), make_manager())

        with pytest.raises(ConfigurationError, match="two session managers use the cookie 'sid'"):
            call(SessionMiddleware(inner, make_manager()))

    def test_another_manager_with_another_cookie_keeps_its_own_session(
        self, make_manager: MakeManager
    ) -> None:
        outer, inner = make_manager(), make_manager(cookie=CookieOptions(name="inner"))
        mounted = SessionMiddleware(serving(lambda session: session.update(inner=1)), inner)

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            environ["sessionkit.session"]["outer"] = 1
            return mounted(environ, start_response)

        cookies = [c.split(";")[0] for c in call(SessionMiddleware(app, outer)).all("Set-Cookie")]
        assert [cookie.split("=")[0] for cookie in cookies] == ["inner", "sid"]
        assert dict(inner.open(cookies[0])) == {"inner": 1}
        assert dict(outer.open(cookies[1])) == {"outer": 1}

    def test_an_environ_that_is_used_again_gets_a_session_of_its_own(
        self, manager: SessionManager
    ) -> None:
        views = iter([raising(ValueError("first"), write), write])

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            return serving(next(views))(environ, start_response)

        attempt = SessionMiddleware(app, manager)

        def trying_again(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            with pytest.raises(ValueError, match="first"):
                attempt(environ, start_response)

            return attempt(environ, start_response)

        reply = call(trying_again)
        assert dict(manager.open(reply.cookie)) == {"n": 1}


def serving_at(key: str, view: View) -> App:
    def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
        return serving(view)({"sessionkit.session": environ[key]}, start_response)

    return app


def test_a_second_middleware_needs_no_more_than_a_manager() -> None:
    with pytest.raises(ConfigurationError, match="SessionManager"):
        SessionMiddleware(serving(write), "sqlite://")  # type: ignore[arg-type]


def test_the_session_stands_where_it_was_asked_for(manager: SessionManager) -> None:
    app = SessionMiddleware(serving_at("my.session", write), manager, environ_key="my.session")
    environ = new_environ()
    reply = Server().run(app, environ)
    assert reply.cookie is not None
    assert "sessionkit.session" not in environ
