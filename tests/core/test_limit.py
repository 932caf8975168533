"""A limit of sessions per owner."""

from __future__ import annotations

import logging
import pickle
import typing as t

import pytest

from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import signals
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.errors import TooManySessions
from sessionkit.keys import new_key
from sessionkit.testing import FakeClock
from tests.core.support import logged_in

from .conftest import MakeManager
from .support import Browser
from .support import FullStore
from .support import PlainStore
from .support import View
from .support import received


def then_log_in(again: View) -> View:
    def view(session: Session) -> None:
        again(session)
        session.bind("ann")

    return view


def reasons(browsers: list[Browser]) -> list[str | None]:
    return [browser.open().ended_reason for browser in browsers]


class TestEndOldest:
    @pytest.fixture
    def manager(self, make_manager: MakeManager) -> SessionManager:
        return make_manager(max_sessions_per_owner=2)

    def test_beyond_the_limit_the_oldest_is_evicted(
        self, manager: SessionManager, clock: FakeClock
    ) -> None:
        with received(signals.destroyed) as events:
            browsers = logged_in(manager, clock, 4)
        assert reasons(browsers) == ["evicted", "evicted", None, None]
        assert [event["reason"] for event in events] == ["evicted"] * 2
        assert len(manager.sessions_of("ann")) == 2

    def test_the_one_seen_longest_ago_goes_first(
        self, manager: SessionManager, clock: FakeClock
    ) -> None:
        first, second = logged_in(manager, clock, 2)
        clock.advance(1)
        first.put(seen=True)
        (third,) = logged_in(manager, clock)
        assert reasons([first, second, third]) == [None, "evicted", None]

    def test_others_are_left_alone(self, manager: SessionManager, clock: FakeClock) -> None:
        bob, nobody = Browser(manager), Browser(manager)
        bob.log_in("bob")
        nobody.put(a=1)
        logged_in(manager, clock, 3)
        assert (bob.open().owner, nobody.see()) == ("bob", {"a": 1})

    @pytest.mark.parametrize("again", [Session.destroy, Session.renew, lambda session: None])
    def test_a_browser_that_logs_in_again_and_again_is_one(
        self,
        manager: SessionManager,
        clock: FakeClock,
        again: View,
    ) -> None:
        here, there = logged_in(manager, clock, 2)

        for _ in range(3):
            clock.advance(1)
            here.visit(then_log_in(again))

        assert reasons([here, there]) == [None, None]

    def test_only_a_login_asks(
        self, manager: SessionManager, store: FullStore, clock: FakeClock
    ) -> None:
        (browser,) = logged_in(manager, clock)
        assert "owned_by" in store.calls
        store.calls.clear()
        browser.put(a=1)
        browser.visit(lambda session: session.renew())
        assert "owned_by" not in store.calls

    def test_an_early_save_keeps_to_it(self, manager: SessionManager, clock: FakeClock) -> None:
        browsers = logged_in(manager, clock, 2)
        clock.advance(1)
        session = manager.open()
        session.bind("ann")
        session.save()
        assert reasons(browsers) == ["evicted", None]

    @pytest.mark.parametrize("method", ["owned_by", "get", "swap"])
    def test_trouble_does_not_undo_the_login(
        self,
        make_manager: MakeManager,
        store: FullStore,
        clock: FakeClock,
        caplog: pytest.LogCaptureFixture,
        method: str,
    ) -> None:
        manager = make_manager(max_sessions_per_owner=1)
        browsers = logged_in(manager, clock)
        clock.advance(1)
        session = manager.open()
        session.bind("ann")
        # The one write of the login itself is made before the list is asked for.
        store.before["owned_by"] = lambda: store.fail(method, "delete")

        with caplog.at_level(logging.WARNING, "sessionkit"):
            instruction = manager.commit(session)

        store.recover()
        assert isinstance(instruction, Set)
        assert "the next login tries again" in caplog.text
        assert len(manager.sessions_of("ann")) == 2
        browsers += logged_in(manager, clock)
        assert len(manager.sessions_of("ann")) == 1

    def test_what_logs_in_later_is_left_alone(
        self, make_manager: MakeManager, store: FullStore
    ) -> None:
        # A host with a fast clock.
        fast = SessionManager(store, clock=FakeClock(2_000_000_005.0))
        other = Browser(fast)
        other.log_in("ann")
        browser = Browser(make_manager(max_sessions_per_owner=1))
        browser.log_in("ann")
        assert reasons([other, browser]) == [None, None]


class TestRefuse:
    @pytest.fixture
    def manager(self, make_manager: MakeManager) -> SessionManager:
        return make_manager(max_sessions_per_owner=2, at_limit="refuse")

    def test_a_login_beyond_the_limit_is_refused(
        self, manager: SessionManager, clock: FakeClock
    ) -> None:
        browsers = logged_in(manager, clock, 2)
        session = manager.open()
        session["cart"] = ["tea"]
        with pytest.raises(TooManySessions) as refused:
            session.bind("ann")
        assert (refused.value.count, refused.value.limit) == (2, 2)
        assert (session.owner, session.state, dict(session)) == (None, "new", {"cart": ["tea"]})
        assert isinstance(manager.commit(session), Set)
        assert reasons(browsers) == [None, None]

    def test_the_error_can_be_pickled(self) -> None:
        error = pickle.loads(pickle.dumps(TooManySessions(3, 2)))
        assert (error.count, error.limit) == (3, 2)
        assert "max_sessions_per_owner" in str(error)

    def test_room_is_made_by_ending_one(self, manager: SessionManager, clock: FakeClock) -> None:
        browsers = logged_in(manager, clock, 2)
        manager.revoke("ann", browsers[0].open().public_id or "")
        browsers += logged_in(manager, clock)
        assert reasons(browsers) == ["revoked", None, None]

    @pytest.mark.parametrize("again", [Session.destroy, Session.renew, lambda session: None])
    def test_a_browser_that_logs_in_again_does_not_count_itself(
        self,
        manager: SessionManager,
        clock: FakeClock,
        again: View,
    ) -> None:
        here, there = logged_in(manager, clock, 2)
        here.visit(then_log_in(again))
        assert [here.open().owner, there.open().owner] == ["ann", "ann"]

    def test_a_page_can_ask_before_it_asks_for_a_password(
        self, manager: SessionManager, clock: FakeClock
    ) -> None:
        logged_in(manager, clock, 2)
        session = manager.open()
        session.check_limit("bob")
        with pytest.raises(TooManySessions):
            session.check_limit("ann")

    def test_it_is_asked_once(self, manager: SessionManager, store: FullStore) -> None:
        session = manager.open()
        session.check_limit("ann")
        session.bind("ann")
        assert store.calls.count("owned_by") == 1

    def test_an_outage_is_no_admission(self, manager: SessionManager, store: FullStore) -> None:
        session = manager.open()
        store.fail("owned_by")
        with pytest.raises(StoreUnavailable):
            session.bind("ann")
        assert session.owner is None


class TestSettings:
    def test_a_store_must_list(self, make_manager: MakeManager, clock: FakeClock) -> None:
        with pytest.raises(ConfigurationError, match="PlainStore cannot"):
            make_manager(on=PlainStore(clock), max_sessions_per_owner=1)

    def test_sealed_sessions_have_none(self) -> None:
        with pytest.raises(ConfigurationError, match="max_sessions_per_owner needs a store"):
            SealedSessionManager([new_key()], policy=SessionPolicy(max_sessions_per_owner=1))

    @pytest.mark.parametrize(
        "settings",
        [
            {"max_sessions_per_owner": 0},
            {"max_sessions_per_owner": True},
            {"max_sessions_per_owner": 1.0},
            {"at_limit": "end_newest"},
            {"ended_timeout": 0},
            {"ended_timeout": None},
        ],
    )
    def test_nonsense_is_refused(self, settings: dict[str, t.Any]) -> None:
        (name,) = settings
        with pytest.raises(ConfigurationError, match=name):
            SessionPolicy(**settings)


def test_who_was_evicted_logs_out(make_manager: MakeManager, clock: FakeClock) -> None:
    first, _ = logged_in(make_manager(max_sessions_per_owner=1), clock, 2)
    assert first.visit(lambda session: session.destroy()) == Delete()
