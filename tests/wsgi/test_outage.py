"""A store that is away: a 503 where the session was needed."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit.errors import SessionError
from tests.core.conftest import MakeManager
from tests.core.support import FullStore
from tests.wsgi.support import Client
from tests.wsgi.support import call
from tests.wsgi.support import generator_of
from tests.wsgi.support import raising
from tests.wsgi.support import serving
from tests.wsgi.support import write


@pytest.fixture(params=[lambda app: app, generator_of], ids=["returning", "generator"])
def form(request: pytest.FixtureRequest) -> t.Any:
    return request.param


class TestOutage:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "DELETE"])
    def test_a_view_that_needs_the_session_answers_503(
        self, manager: SessionManager, visitor: Client, store: FullStore, form: t.Any, method: str
    ) -> None:
        store.fail()
        visitor.app = SessionMiddleware(form(serving(len)), manager)
        reply = visitor.get(REQUEST_METHOD=method)
        assert reply.starts == [("503 Service Unavailable", False)]
        assert reply.cookie is None
        assert (reply.get("Cache-Control"), reply.get("Vary")) == ("no-store", "Cookie")
        assert (reply.get("Retry-After") is not None) == (method in ("GET", "HEAD", "OPTIONS"))
        assert bool(reply.body) == (method != "HEAD")

    def test_a_commit_that_fails_answers_503_in_place_of_the_application(
        self, manager: SessionManager, visitor: Client, store: FullStore, form: t.Any
    ) -> None:
        store.fail("swap")
        visitor.app = SessionMiddleware(form(serving(write, ("X-App", "yes"))), manager)
        reply = visitor.get(REQUEST_METHOD="POST")
        assert reply.starts == [("503 Service Unavailable", False)]
        assert (reply.cookie, reply.get("X-App")) == (None, None)
        store.recover()
        assert visitor.get().status == "200 OK"

    def test_at_the_first_write_too(self, manager: SessionManager, store: FullStore) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            write(environ["sessionkit.session"])
            start_response("200 OK", [])(b"never")
            return []

        store.fail()
        reply = call(SessionMiddleware(app, manager))
        assert reply.starts == [("503 Service Unavailable", False)]
        assert b"never" not in reply.body

    def test_an_untouched_session_does_not_notice(
        self, manager: SessionManager, visitor: Client, store: FullStore, form: t.Any
    ) -> None:
        store.fail()
        visitor.app = SessionMiddleware(form(serving(lambda session: "fine")), manager)
        reply = visitor.get()
        assert (reply.status, reply.body, len(reply.headers)) == ("200 OK", b"fine", 1)

    def test_an_application_may_handle_it(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        def view(session: Session) -> str:
            try:
                return str(session["a"])
            except SessionError:
                return "handled"

        store.fail()
        visitor.app = SessionMiddleware(serving(view), manager)
        assert visitor.get().body == b"handled"

    def test_where_the_policy_tolerates_it_the_answer_goes_out(
        self, make_manager: MakeManager, visitor: Client, store: FullStore
    ) -> None:
        store.fail()
        visitor.app = SessionMiddleware(serving(len), make_manager(outage="unavailable"))
        reply = visitor.get()
        assert (reply.status, reply.body, reply.cookie) == ("200 OK", b"0", None)

    @pytest.mark.parametrize("when", ["before", "at the commit"])
    def test_a_logout_deletes_the_cookie_and_says_that_the_server_was_not_told(
        self, manager: SessionManager, visitor: Client, store: FullStore, form: t.Any, when: str
    ) -> None:
        store.fail(*(["get", "delete"] if when == "before" else ["delete"]))
        visitor.app = SessionMiddleware(form(serving(Session.destroy)), manager)
        reply = visitor.get()
        assert (reply.status, reply.cookie) == ("503 Service Unavailable", "sid=")
        assert b"could not be told" in reply.body

    def test_an_exception_after_a_logout_in_an_outage_passes(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        store.fail()
        visitor.app = SessionMiddleware(serving(raising(ValueError("x"), Session.destroy)), manager)

        with pytest.raises(ValueError, match="x"):
            visitor.get()

    def test_what_was_saved_before_it_is_announced(
        self, manager: SessionManager, store: FullStore
    ) -> None:
        def view(session: Session) -> None:
            session.save()
            session["n"] = 1
            store.fail()

        reply = call(SessionMiddleware(serving(view), manager))
        assert reply.status == "503 Service Unavailable"
        assert reply.cookie is not None
