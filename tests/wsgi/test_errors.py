"""Exceptions and error answers of the application."""

from __future__ import annotations

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import current_session
from sessionkit.errors import SessionError
from tests.core.support import FullStore
from tests.wsgi.support import Client
from tests.wsgi.support import call
from tests.wsgi.support import generator_of
from tests.wsgi.support import raising
from tests.wsgi.support import serving
from tests.wsgi.support import write


class TestExceptions:
    def test_they_pass_unchanged_and_nothing_is_written(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        error = ValueError("the application's")
        stored = store.records()
        visitor.app = SessionMiddleware(serving(raising(error, write)), manager)

        with pytest.raises(ValueError, match="the application's") as raised:
            visitor.get()

        assert raised.value is error
        assert store.records() == stored

    @pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), SystemExit()])
    @pytest.mark.parametrize("late", [True, False])
    def test_a_logout_is_carried_out(
        self,
        manager: SessionManager,
        visitor: Client,
        store: FullStore,
        error: BaseException,
        late: bool,
    ) -> None:
        app = serving(raising(error, Session.destroy))
        visitor.app = SessionMiddleware(generator_of(app) if late else app, manager)

        with pytest.raises(type(error)):
            visitor.get()

        assert store.records() == {}

    def test_the_current_session_does_not_outlive_them(self, manager: SessionManager) -> None:
        with pytest.raises(ValueError, match="x"):
            call(SessionMiddleware(serving(raising(ValueError("x"))), manager))

        with pytest.raises(SessionError):
            current_session()


class TestErrorAnswers:
    @pytest.mark.parametrize(
        ("status", "kept"),
        [
            ("200 OK", True),
            ("302 Found", True),
            ("404 Not Found", True),
            ("500 Oops", False),
            ("503 Busy", False),
        ],
    )
    def test_a_5xx_writes_nothing(
        self, manager: SessionManager, visitor: Client, status: str, kept: bool
    ) -> None:
        visitor.app = SessionMiddleware(serving(write, status=status), manager)
        visitor.get()
        assert ("n" in manager.open(visitor.cookie)) is kept

    def test_a_5xx_still_logs_out(
        self, manager: SessionManager, visitor: Client, store: FullStore
    ) -> None:
        visitor.app = SessionMiddleware(serving(Session.destroy, status="500 Oops"), manager)
        assert visitor.get().cookie == "sid="
        assert store.records() == {}

    def test_a_5xx_announces_what_was_saved_early(self, manager: SessionManager) -> None:
        reply = call(SessionMiddleware(serving(Session.save, status="500 Oops"), manager))
        assert reply.cookie is not None
