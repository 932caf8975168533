"""The middleware keeps to PEP 3333, whatever way the application uses to answer."""

from __future__ import annotations

import collections.abc as cabc
import sys
import typing as t
import wsgiref.validate
from wsgiref.util import FileWrapper

import pytest
import werkzeug.middleware.lint

from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import current_session
from sessionkit.errors import SessionCommitted
from sessionkit.errors import SessionError
from tests.core.support import FullStore
from tests.wsgi.support import App
from tests.wsgi.support import Body
from tests.wsgi.support import Client
from tests.wsgi.support import Server
from tests.wsgi.support import call
from tests.wsgi.support import new_environ
from tests.wsgi.support import webtest_lint

OK = "200 OK"
TEXT = ("Content-Type", "text/plain")


def count(environ: t.Any) -> bytes:
    session = environ["sessionkit.session"]
    session["n"] = session.get("n", 0) + 1
    return str(session["n"]).encode()


def plain(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    body = count(environ)
    start_response(OK, [TEXT])
    return [body]


def early(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    start_response(OK, [TEXT])
    return [count(environ)]


def generator(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
    body = count(environ)
    start_response(OK, [TEXT])
    yield body
    yield b""


def early_generator(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
    start_response(OK, [TEXT])
    yield count(environ)


def writing(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    write = start_response(OK, [TEXT])
    write(count(environ))
    return []


def writing_and_returning(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    body = count(environ)
    start_response(OK, [TEXT])(body[:0])
    return [body]


class Iterated:
    """An application as a class whose instances are the body."""

    def __init__(self, environ: t.Any, start_response: t.Any) -> None:
        self.environ, self.start_response = environ, start_response

    def __iter__(self) -> cabc.Iterator[bytes]:
        self.start_response(OK, [TEXT])
        yield count(self.environ)


APPS: tuple[t.Any, ...] = (
    plain,
    early,
    generator,
    early_generator,
    writing,
    writing_and_returning,
    Iterated,
)


@pytest.fixture(params=APPS, ids=lambda app: app.__name__)
def app(request: pytest.FixtureRequest) -> App:
    return t.cast(App, request.param)


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


class TestBody:
    @pytest.mark.parametrize("touch", [True, False])
    @pytest.mark.parametrize(
        "body", [[b"1"], (b"1",), FileWrapper(t.cast(t.Any, None)), Body(b"1")]
    )
    def test_it_is_handed_on_untouched(
        self, manager: SessionManager, body: t.Any, touch: bool
    ) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            if touch:
                count(environ)

            start_response(OK, [TEXT])
            return t.cast(cabc.Iterable[bytes], body)

        assert SessionMiddleware(app, manager)(new_environ(), Server().start_response) is body

    def test_it_is_closed_once(self, manager: SessionManager) -> None:
        body = Body(b"1")

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            start_response(OK, [TEXT])
            return body

        call(SessionMiddleware(app, manager))
        assert body.closed == 1

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_it_is_closed_once_if_the_503_takes_its_place(
        self, manager: SessionManager, store: FullStore, method: str
    ) -> None:
        body = Body(b"1")

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            environ["sessionkit.session"]["a"] = 1
            start_response(OK, [TEXT])
            return body

        store.fail()
        reply = call(SessionMiddleware(app, manager), REQUEST_METHOD=method)
        assert reply.starts == [("503 Service Unavailable", False)]
        assert body.closed == 1
        assert bool(reply.body) == (method == "GET")

    def test_it_is_closed_once_if_the_commit_raises(self, manager: SessionManager) -> None:
        body = Body(b"1")

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            environ["sessionkit.session"]["a"] = held = []
            held.append(object())
            start_response(OK, [TEXT])
            return body

        with pytest.raises(TypeError):
            call(SessionMiddleware(app, manager))

        assert body.closed == 1

    def test_its_generator_is_closed_if_the_client_goes_away(self, manager: SessionManager) -> None:
        closed = []

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
            try:
                start_response(OK, [TEXT])
                yield count(environ)
                yield b"never sent"
            finally:
                closed.append(True)

        body: t.Any = SessionMiddleware(app, manager)(new_environ(), Server().start_response)
        assert next(body) == b"1"
        body.close()
        assert closed == [True]

    def test_items_are_passed_on_one_by_one(self, manager: SessionManager) -> None:
        produced = []

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
            start_response(OK, [TEXT])

            for number in b"abc":
                produced.append(number)
                yield bytes([number])

        body = iter(SessionMiddleware(app, manager)(new_environ(), Server().start_response))
        assert produced == []
        assert [(next(body), len(produced)) for _ in range(3)] == [(b"a", 1), (b"b", 2), (b"c", 3)]
        assert list(body) == []


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


class TestStreams:
    def test_after_the_first_item_reads_work_and_writes_raise(
        self, manager: SessionManager
    ) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
            session = environ["sessionkit.session"]
            start_response(OK, [TEXT])
            session["early"] = 1
            yield b"first"
            assert session["early"] == 1

            with pytest.raises(SessionCommitted, match="before its first byte"):
                session["late"] = 2

            yield b"second"

        client = Client(SessionMiddleware(app, manager))
        assert client.get().body == b"firstsecond"
        assert dict(manager.open(client.cookie)) == {"early": 1}

    def test_after_write_too(self, manager: SessionManager) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            start_response(OK, [TEXT])(b"first")

            with pytest.raises(SessionCommitted):
                environ["sessionkit.session"]["late"] = 2

            return []

        assert call(SessionMiddleware(app, manager)).cookie is None

    def test_in_a_body_that_was_returned_too(self, manager: SessionManager) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            def body() -> cabc.Iterator[bytes]:
                environ["sessionkit.session"]["late"] = 2
                yield b"never"

            start_response(OK, [TEXT])
            return body()

        with pytest.raises(SessionCommitted):
            call(SessionMiddleware(app, manager))

    def test_current_session_is_valid_until_the_first_item(self, manager: SessionManager) -> None:
        seen = []

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
            seen.append(current_session() is environ["sessionkit.session"])
            start_response(OK, [TEXT])
            yield b"first"

            with pytest.raises(SessionError, match="environ"):
                current_session()

        call(SessionMiddleware(app, manager))
        assert seen == [True]
