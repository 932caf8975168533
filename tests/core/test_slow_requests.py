"""Requests that began before their session was ended elsewhere."""

from __future__ import annotations

import pytest

from sessionkit import Session
from sessionkit import signals
from sessionkit.testing import FakeClock
from tests.core.support import ComposedStore
from tests.core.support import before_the
from tests.core.support import ended_reason

from .support import DAY
from .support import Browser
from .support import FullStore
from .support import received


class TestSlowRequests:
    """They have loaded the session before it was revoked."""

    @pytest.fixture(params=[FullStore, ComposedStore])
    def store(self, request: pytest.FixtureRequest, clock: FakeClock) -> FullStore:
        kind: type[FullStore] = request.param
        return kind(clock)

    @pytest.fixture
    def slow(self, browser: Browser) -> Session:
        browser.log_in("ann", visits=1)
        session = browser.open()
        assert session["visits"] == 1
        return session

    @pytest.mark.parametrize("early", [False, True])
    def test_what_they_write_is_dropped(self, slow: Session, early: bool) -> None:
        slow["a"] = 1
        slow.mutate("visits", lambda visits: visits + 1)
        slow.manager.revoke_all("ann")
        with received(signals.dropped) as events:
            assert not early or slow.save() is False
            assert slow.manager.commit(slow) is None
        assert {event["reason"] for event in events} == {"ended"}
        assert events[0]["keys"] == {"a", "visits"}
        assert slow.ended_reason == "revoked"
        assert slow.manager.sessions_of("ann") == []

    def test_what_they_read_does_not_extend_it(
        self, slow: Session, store: FullStore, clock: FakeClock
    ) -> None:
        slow.manager.revoke_all("ann")
        (before,) = store.records().values()
        clock.advance(3 * DAY)
        assert slow.manager.commit(slow) is None
        assert [*store.records().values()] == [before]

    def test_what_they_renew_is_not_alive(self, slow: Session) -> None:
        slow.manager.revoke_all("ann")
        slow.renew()
        assert slow.manager.commit(slow) is None
        assert slow.manager.sessions_of("ann") == []

    @pytest.mark.parametrize("command", ["get", "swap", "move", "owned_by"])
    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_a_renewal_between_the_commands_of_a_revocation(
        self, slow: Session, browser: Browser, store: FullStore, command: str, number: int
    ) -> None:
        def renew() -> None:
            slow.renew()
            browser.keep(slow.manager.commit(slow))

        before_the(number, command, store, renew)
        slow.manager.revoke_all("ann")
        store.before.clear()
        if not slow.committed:
            renew()
        assert slow.manager.sessions_of("ann") == []
        assert ended_reason(browser) == "revoked"

    @pytest.mark.parametrize("command", ["get", "swap", "move", "delete"])
    @pytest.mark.parametrize("number", [1, 2])
    def test_a_revocation_between_the_commands_of_a_renewal(
        self, slow: Session, browser: Browser, store: FullStore, command: str, number: int
    ) -> None:
        before_the(number, command, store, lambda: slow.manager.revoke_all("ann"))
        slow.renew()
        browser.keep(slow.manager.commit(slow))
        store.before.clear()
        slow.manager.revoke_all("ann")
        assert slow.manager.sessions_of("ann") == []
        assert (ended_reason(browser), browser.see()) == ("revoked", {})
