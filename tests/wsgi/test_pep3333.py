"""Every way to answer that PEP 3333 allows."""

from __future__ import annotations

import collections.abc as cabc
import sys
import typing as t
import wsgiref.validate

import pytest
import werkzeug.middleware.lint

from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from tests.wsgi.apps import OK
from tests.wsgi.apps import TEXT
from tests.wsgi.apps import count
from tests.wsgi.support import App
from tests.wsgi.support import Client
from tests.wsgi.support import Server
from tests.wsgi.support import call
from tests.wsgi.support import new_environ
from tests.wsgi.support import webtest_lint


class TestEveryWayToAnswer:
    def test_the_session_is_saved_and_its_cookie_sent(
        self, app: App, manager: SessionManager
    ) -> None:
        client = Client(SessionMiddleware(app, manager))
        assert [client.get().body for _ in range(3)] == [b"1", b"2", b"3"]

    def test_only_the_first_answer_sets_the_cookie(self, app: App, manager: SessionManager) -> None:
        client = Client(SessionMiddleware(app, manager))
        first, second = client.get(), client.get()
        assert (len(first.all("Set-Cookie")), len(second.all("Set-Cookie"))) == (1, 0)
        assert (first.get("Vary"), second.get("Vary")) == ("Cookie", "Cookie")
        assert first.starts == second.starts == [(OK, False)]

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    @pytest.mark.filterwarnings("ignore:.*(HEAD|Unknown REQUEST_METHOD).*")
    def test_it_is_clean_under_wsgiref_validate_on_both_sides(
        self, app: App, manager: SessionManager, method: str
    ) -> None:
        inside: t.Any = wsgiref.validate.validator(app)
        outside = wsgiref.validate.validator(SessionMiddleware(inside, manager))
        assert call(outside, REQUEST_METHOD=method).status == OK

    def test_it_is_clean_under_the_linters_of_werkzeug_and_webtest(
        self, app: App, manager: SessionManager
    ) -> None:
        def ended(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            length = [TEXT, ("Content-Length", "1")]
            return app(
                environ, lambda status, headers, *rest: start_response(status, length, *rest)
            )

        for lint in (werkzeug.middleware.lint.LintMiddleware, webtest_lint):
            inside = lint(ended)
            assert call(lint(SessionMiddleware(inside, manager))).body == b"1"


@pytest.mark.parametrize(
    ("status", "headers"),
    [("204 No Content", [("Content-Length", "0")]), ("304 Not Modified", [])],
)
def test_answers_without_a_body_get_their_headers(
    status: str, headers: list[tuple[str, str]], manager: SessionManager
) -> None:
    def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
        count(environ)
        start_response(status, headers)
        return []

    inside: t.Any = wsgiref.validate.validator(t.cast(t.Any, app))
    reply = call(wsgiref.validate.validator(SessionMiddleware(inside, manager)))
    assert (reply.status, reply.body) == (status, b"")
    assert reply.cookie is not None
    linted = werkzeug.middleware.lint.LintMiddleware
    assert call(linted(SessionMiddleware(linted(app), manager))).status == status


def test_the_applications_list_of_headers_is_not_changed(manager: SessionManager) -> None:
    headers = [TEXT, ("Vary", "Accept"), ("Cache-Control", "public")]

    def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
        count(environ)
        start_response(OK, headers)
        return []

    reply = call(SessionMiddleware(app, manager))
    assert headers == [TEXT, ("Vary", "Accept"), ("Cache-Control", "public")]
    assert (reply.get("Vary"), reply.get("Cache-Control")) == ("Accept, Cookie", "private")


class TestStartResponse:
    def test_twice_without_exc_info_is_an_error(self, manager: SessionManager) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            start_response(OK, [TEXT])
            start_response(OK, [TEXT])
            return []

        with pytest.raises(AssertionError, match="exc_info"):
            call(SessionMiddleware(app, manager))

    def test_with_exc_info_before_the_headers_are_sent_it_replaces_them(
        self, manager: SessionManager
    ) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            count(environ)
            start_response(OK, [TEXT])

            try:
                raise ValueError
            except ValueError:
                start_response("500 Oops", [("X-Error", "yes")], sys.exc_info())

            return [b"error"]

        reply = call(SessionMiddleware(app, manager))
        assert reply.starts == [("500 Oops", True)]
        assert (reply.get("X-Error"), reply.cookie) == ("yes", None), "a 5xx makes no session"

    def test_with_exc_info_after_the_headers_are_sent_the_server_raises(
        self, manager: SessionManager
    ) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            write = start_response(OK, [TEXT])
            write(count(environ))

            try:
                raise ValueError("after the headers")
            except ValueError:
                start_response("500 Oops", [], sys.exc_info())

            return [b"never sent"]

        server = Server()

        with pytest.raises(ValueError, match="after the headers"):
            server.run(SessionMiddleware(app, manager), new_environ())

        assert (server.reply.status, server.reply.body) == (OK, b"1")

    def test_a_generator_may_replace_an_answer_that_was_not_sent(
        self, manager: SessionManager
    ) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
            count(environ)
            start_response(OK, [TEXT])
            yield b""

            try:
                raise ValueError
            except ValueError:
                start_response("500 Oops", [TEXT], sys.exc_info())

            yield b"error"

        reply = call(SessionMiddleware(app, manager))
        assert (reply.status, reply.body) == ("500 Oops", b"error")
        assert reply.starts == [(OK, False), ("500 Oops", True)]
        assert reply.cookie is not None, "the session was saved with the first answer"

    def test_write_before_it_cannot_happen(self, manager: SessionManager) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            return [b"no status"]

        with pytest.raises(AssertionError, match="not called"):
            call(SessionMiddleware(app, manager))
