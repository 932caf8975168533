"""What sessions in their cookies keep of the promises, and what becomes of the others."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import Session
from sessionkit.base_manager import BaseManager
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import UnsupportedOperation
from sessionkit.sealed import SealedSessionManager

from .promises import MakeManager
from .promises import Promises
from .promises import cookie_of
from .promises import seen
from .promises import visit


class TestSealed(Promises):
    place = "the cookie itself"
    instead: t.ClassVar = {
        1: "the last answer wins",
        2: "a copy of the cookie works on",
        5: "no store",
        8: "an error",
    }

    @pytest.fixture
    def make_manager(self) -> MakeManager:
        return lambda: SealedSessionManager(["a secret of at least 32 characters"])

    def test_1_the_last_answer_wins(self, manager: BaseManager) -> None:
        cookie = cookie_of(manager, lambda session: session.update(before=True))
        first = visit(manager, cookie, lambda session: session.update(first=True))
        second = visit(manager, cookie, lambda session: session.update(second=True))
        assert isinstance(first, Set)
        assert isinstance(second, Set)
        last = seen(manager, f"{manager.cookie.name}={second.value}")
        assert last == {"before": True, "second": True}

    def test_2_a_copy_of_the_cookie_works_on(self, manager: BaseManager) -> None:
        cookie = cookie_of(manager, lambda session: session.update(a=1))
        assert visit(manager, cookie, Session.destroy) == Delete()
        assert seen(manager, cookie) == {"a": 1}

    def test_3_an_untouched_session_costs_nothing(self, manager: BaseManager) -> None:
        cookie = cookie_of(manager, lambda session: session.update(a=1))
        assert manager.commit(manager.open(cookie)) is None
        assert manager.commit(manager.open()) is None

    def test_4_the_cookie_is_deleted_only_by_the_request_that_ends_the_session(
        self, manager: BaseManager
    ) -> None:
        cookie = cookie_of(manager, lambda session: session.update(a=1))
        assert visit(manager, cookie, Session.destroy) == Delete()

        for dead in f"{cookie}x", f"{manager.cookie.name}=%00":
            assert seen(manager, dead) == {}
            assert visit(manager, dead, Session.destroy) is None

    def test_8_listing_is_an_error(self, manager: BaseManager) -> None:
        for call in manager.sessions_of, manager.revoke_all:
            with pytest.raises(UnsupportedOperation, match="cannot"):
                call("alice")
