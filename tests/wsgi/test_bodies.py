"""Bodies: handed on untouched, closed once, and streamed."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from wsgiref.util import FileWrapper

import pytest

from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import current_session
from sessionkit.errors import SessionCommitted
from sessionkit.errors import SessionError
from tests.core.support import FullStore
from tests.wsgi.apps import OK
from tests.wsgi.apps import TEXT
from tests.wsgi.apps import count
from tests.wsgi.support import Body
from tests.wsgi.support import Client
from tests.wsgi.support import Server
from tests.wsgi.support import call
from tests.wsgi.support import new_environ


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
