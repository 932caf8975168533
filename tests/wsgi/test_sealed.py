"""Sealed sessions under the middleware: streams, errors, nesting, caches."""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from wsgiref.validate import validator

import pytest

from sessionkit import SealedSessionManager
from sessionkit import SessionMiddleware
from sessionkit import current_session
from sessionkit import keys
from sessionkit.errors import ConfigurationError
from sessionkit.errors import CookieTooLarge
from sessionkit.errors import SessionCommitted
from tests.wsgi.support import App
from tests.wsgi.support import Client
from tests.wsgi.support import call
from tests.wsgi.support import webtest_lint

SECRET = keys.new_key()


@pytest.fixture(params=[True, False], ids=["encrypted", "signed"])
def manager(request: pytest.FixtureRequest) -> SealedSessionManager:
    return SealedSessionManager([SECRET], encrypted=request.param)


def count(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    session = environ["sessionkit.session"]
    assert current_session() is session
    session["n"] = session.get("n", 0) + 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(session["n"]).encode()]


def test_requests_that_follow_each_other(manager: SealedSessionManager) -> None:
    client = Client(SessionMiddleware(count, manager))
    assert [client.get().body for _ in range(3)] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("lint", [validator, webtest_lint])
def test_both_sides_keep_to_pep_3333(
    manager: SealedSessionManager, lint: cabc.Callable[[t.Any], App]
) -> None:
    client = Client(lint(SessionMiddleware(lint(count), manager)))
    assert [client.get().body for _ in range(2)] == [b"1", b"2"]


def test_an_answer_that_sets_it_is_private(manager: SealedSessionManager) -> None:
    reply = call(SessionMiddleware(count, manager))
    assert reply.get("Vary") == "Cookie"
    assert "private" in (reply.get("Cache-Control") or "")


def test_a_stream_may_change_it_before_its_first_byte_only(manager: SealedSessionManager) -> None:
    def stream(environ: t.Any, start_response: t.Any) -> cabc.Iterator[bytes]:
        session = environ["sessionkit.session"]
        session["n"] = 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"first "

        with pytest.raises(SessionCommitted):
            session["n"] = 2

        yield str(session["n"]).encode()

    client = Client(SessionMiddleware(stream, manager))
    assert client.get().body == b"first 1"
    assert dict(manager.open(client.cookie)) == {"n": 1}


def test_a_write_callable_commits(manager: SealedSessionManager) -> None:
    def writing(environ: t.Any, start_response: t.Any) -> list[bytes]:
        environ["sessionkit.session"]["n"] = 1
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"written")

        with pytest.raises(SessionCommitted):
            environ["sessionkit.session"]["n"] = 2

        return []

    client = Client(SessionMiddleware(writing, manager))
    assert client.get().body == b"written"
    assert dict(manager.open(client.cookie)) == {"n": 1}


def test_one_that_does_not_fit_fails_the_request_and_sets_nothing(
    manager: SealedSessionManager,
) -> None:
    def large(environ: t.Any, start_response: t.Any) -> list[bytes]:
        environ["sessionkit.session"]["large"] = "x" * 4096
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"not sent"]

    with pytest.raises(CookieTooLarge):
        call(SessionMiddleware(large, manager))


def test_a_failing_application_logs_out_all_the_same(manager: SealedSessionManager) -> None:
    def failing(environ: t.Any, start_response: t.Any) -> list[bytes]:
        environ["sessionkit.session"].destroy()
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [b"failed"]

    client = Client(SessionMiddleware(count, manager))
    client.get()
    client.app = SessionMiddleware(failing, manager)
    assert "Max-Age=0" in (client.get().get("Set-Cookie") or "")


def test_one_that_raises_logs_nobody_out(manager: SealedSessionManager) -> None:
    def raising(environ: t.Any, start_response: t.Any) -> list[bytes]:
        environ["sessionkit.session"].destroy()
        raise RuntimeError

    client = Client(SessionMiddleware(count, manager))
    client.get()
    client.app = SessionMiddleware(raising, manager)

    with pytest.raises(RuntimeError):
        client.get()

    client.app = SessionMiddleware(count, manager)
    assert client.get().body == b"2"


def test_one_session_however_many_layers(manager: SealedSessionManager) -> None:
    client = Client(SessionMiddleware(SessionMiddleware(count, manager), manager))
    assert len(client.get().all("Set-Cookie")) == 1
    assert client.get().body == b"2"


def test_two_managers_need_two_cookies(manager: SealedSessionManager) -> None:
    other = SealedSessionManager([SECRET])

    with pytest.raises(ConfigurationError, match="cookie 'sid'"):
        call(SessionMiddleware(SessionMiddleware(count, manager), other))
