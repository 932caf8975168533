"""A store that is away: what the application, the browser and the log learn of it."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import signals
from sessionkit.cookie import Delete
from sessionkit.errors import SessionError
from sessionkit.errors import StoreFull
from sessionkit.errors import StoreUnavailable
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import received


@pytest.fixture
def tolerant(make_manager: MakeManager) -> SessionManager:
    return make_manager(outage="unavailable")


class TestUntouched:
    def test_nothing_is_asked_and_nothing_raised(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        store.fail()
        store.calls.clear()
        assert browser.visit() is None
        assert browser.visit(ok=False) is None
        assert store.calls == []

    def test_without_a_cookie_reading_needs_no_store(
        self, browser: Browser, store: FullStore
    ) -> None:
        store.fail()
        assert browser.see() == {}


class TestPolicyError:
    @pytest.mark.parametrize(
        "access",
        [
            lambda session: session.get("a"),
            lambda session: session.update(a=2),
            lambda session: "a" in session,
            len,
            bool,
            list,
            lambda session: session.owner,
            lambda session: session.is_new,
            lambda session: session.flash.get("a"),
            lambda session: session.bind("ann"),
            lambda session: session.renew(),
            lambda session: session.save(),
            lambda session: session.mutate("a", lambda value: value),
            lambda session: session.set_expiry(60),
        ],
    )
    def test_every_use_raises(
        self, browser: Browser, store: FullStore, access: cabc.Callable[[Session], object]
    ) -> None:
        browser.put(a=1)
        store.fail()
        session = browser.open()

        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                access(session)

        store.recover()
        assert browser.manager.commit(session) is None
        assert browser.see() == {"a": 1}

    def test_the_state_can_be_asked(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        store.fail()
        session = browser.open()
        assert (session.state, session.available) == ("unavailable", False)
        assert isinstance(session.error, StoreUnavailable)
        assert repr(session) == "<Session unavailable, 0 keys>"

    def test_a_write_that_cannot_be_stored_raises_at_the_commit(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        session = browser.open()
        session["a"] = 2
        store.fail()

        with pytest.raises(StoreUnavailable) as raised:
            browser.manager.commit(session)

        assert raised.value.instruction is None
        store.recover()
        assert browser.manager.commit(session) is None
        assert browser.see() == {"a": 1}

    def test_a_creation_too(self, browser: Browser, store: FullStore) -> None:
        store.fail()

        with pytest.raises(StoreUnavailable) as raised:
            browser.put(a=1)

        assert raised.value.instruction is None

    def test_a_mere_reader_does_not_learn_of_a_failed_refresh(
        self, browser: Browser, store: FullStore, clock: FakeClock
    ) -> None:
        browser.put(a=1)
        clock.advance(DAY / 2)
        store.fail("swap")
        assert browser.see() == {"a": 1}


class TestPolicyUnavailable:
    def test_the_session_is_empty_and_keeps_nothing(
        self, tolerant: SessionManager, store: FullStore
    ) -> None:
        browser = Browser(tolerant)
        browser.log_in("ann", a=1)
        value = browser.value
        store.fail()
        session = browser.open()
        assert (dict(session), session.owner, session.is_new) == ({}, None, False)
        assert (session.public_id, session.created_at, bool(session)) == (None, None, False)
        session["a"] = 2
        session.flash["b"] = 1
        assert session["a"] == 2
        store.recover()

        with received(signals.dropped) as dropped:
            assert browser.keep(tolerant.commit(session)) is None

        assert [(e["keys"], e["reason"]) for e in dropped] == [({"a", "flash:b"}, "unavailable")]
        assert (browser.value, browser.see(), browser.open().owner) == (value, {"a": 1}, "ann")

    @pytest.mark.parametrize(
        "use",
        [
            lambda session: session.bind("ann"),
            lambda session: session.renew(),
            lambda session: session.mutate("a", lambda value: value),
            lambda session: session.save(),
            lambda session: session.manager.save(session),
        ],
    )
    def test_what_must_not_be_dropped_raises(
        self, tolerant: SessionManager, store: FullStore, use: cabc.Callable[[Session], object]
    ) -> None:
        browser = Browser(tolerant)
        browser.put(a=1)
        store.fail("get")
        session = browser.open()
        session["a"] = 2

        with pytest.raises(StoreUnavailable):
            use(session)

        store.recover()
        assert tolerant.commit(session) is None
        assert browser.see() == {"a": 1}


@pytest.mark.parametrize("outage", ["error", "unavailable"])
@pytest.mark.parametrize("end", [Session.destroy, Session.clear, Session.unbind])
class TestEnding:
    def test_the_browsers_cookie_is_deleted_and_the_failure_told(
        self,
        make_manager: MakeManager,
        store: FullStore,
        outage: str,
        end: cabc.Callable[[Session], None],
    ) -> None:
        browser = Browser(make_manager(outage=outage))
        browser.log_in("ann")
        store.fail()

        for ok in (True, False):
            session = browser.open()
            end(session)
            assert (dict(session), session.owner) == ({}, None)

            with pytest.raises(StoreUnavailable, match="could not be told") as raised:
                browser.manager.commit(session, ok=ok)

            assert raised.value.instruction == Delete()

    def test_the_same_if_only_the_end_fails(
        self,
        make_manager: MakeManager,
        store: FullStore,
        outage: str,
        end: cabc.Callable[[Session], None],
    ) -> None:
        browser = Browser(make_manager(outage=outage))
        browser.log_in("ann", a=1)
        session = browser.open()
        assert session["a"] == 1
        end(session)
        store.fail()

        with pytest.raises(StoreUnavailable, match="could not be told") as raised:
            browser.manager.commit(session)

        assert raised.value.instruction == Delete()

    def test_without_a_session_there_is_nothing_to_tell(
        self,
        make_manager: MakeManager,
        store: FullStore,
        outage: str,
        end: cabc.Callable[[Session], None],
    ) -> None:
        store.fail()
        assert Browser(make_manager(outage=outage)).visit(end) is None


def test_a_session_that_could_not_be_created_after_clear_is_an_ordinary_failure(
    browser: Browser, store: FullStore
) -> None:
    def view(session: Session) -> None:
        session.clear()
        session["a"] = 1

    store.fail()

    with pytest.raises(StoreUnavailable, match="refused") as raised:
        browser.visit(view)

    assert raised.value.instruction is None


def test_a_full_store_is_an_outage_of_writing(make_manager: MakeManager, store: FullStore) -> None:
    store.memory.max_sessions = 1
    manager = make_manager()
    Browser(manager).log_in("ann")

    with pytest.raises(StoreFull):
        Browser(manager).put(a=1)

    assert issubclass(StoreFull, SessionError)
