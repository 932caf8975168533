"""How long a sealed session lives."""

from __future__ import annotations

import datetime

from sessionkit import Session
from sessionkit import signals
from sessionkit.cookie import MAX_AGE_LIMIT
from sessionkit.cookie import Set
from sessionkit.testing import FakeClock
from tests.core.sealed.support import MakeSealed
from tests.core.support import DAY
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import received


class TestLives:
    def test_idle(self, make_sealed: MakeSealed, clock: FakeClock) -> None:
        browser = Browser(make_sealed(idle_timeout=100, ownerless_timeout=None))
        assert browser.put(a=1) == Set(browser.value or "", 100)
        clock.advance(99)
        assert dict(browser.open()) == {"a": 1}
        clock.advance(1)

        with received(signals.expired) as expired:
            assert dict(browser.open()) == {}

        assert expired == [{"session": None, "owned": False}]

    def test_a_read_extends_it_after_a_tenth(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(idle_timeout=100, ownerless_timeout=None))
        browser.put(a=1)

        for _ in range(20):
            clock.advance(9)
            assert browser.visit(lambda session: session["a"]) is None
            clock.advance(1)
            instruction = browser.visit(lambda session: session["a"])
            assert isinstance(instruction, Set)
            assert instruction.max_age == 100

        assert browser.see() == {"a": 1}

    def test_absolute(self, make_sealed: MakeSealed, clock: FakeClock) -> None:
        manager = make_sealed(idle_timeout=20, absolute_timeout=40, ownerless_timeout=None)
        browser = Browser(manager)
        browser.put(a=1)
        clock.advance(15)
        browser.put(b=1)
        clock.advance(15)
        assert browser.put(c=1) == Set(browser.value or "", 10)
        browser.visit(lambda session: session.renew())
        clock.advance(10)
        assert browser.see() == {}

    def test_a_login_starts_the_absolute_limit_anew(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(absolute_timeout=100))
        browser.put(a=1)
        clock.advance(90)
        browser.log_in("ann")
        clock.advance(90)
        assert browser.see() == {"a": 1}
        clock.advance(10)
        assert browser.see() == {}

    def test_a_shorter_limit_without_an_owner(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(idle_timeout=100, ownerless_timeout=10))
        assert browser.put(a=1) == Set(browser.value or "", 10)
        assert browser.log_in("ann") == Set(browser.value or "", 100)

    def test_without_limits_the_browser_is_told_in_time(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(
            make_sealed(idle_timeout=None, absolute_timeout=None, ownerless_timeout=None)
        )
        assert browser.put(a=1) == Set(browser.value or "", MAX_AGE_LIMIT)
        clock.advance(39 * DAY)
        assert browser.visit(lambda session: session["a"]) is None
        clock.advance(1 * DAY)
        instruction = browser.visit(lambda session: session["a"])
        assert instruction == Set(browser.value or "", MAX_AGE_LIMIT)

    def test_a_browser_session_has_no_max_age(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(transient=True, idle_timeout=100))
        assert browser.put(a=1) == Set(browser.value or "", None)

        def remember(session: Session) -> None:
            session.permanent = True

        assert browser.visit(remember) == Set(browser.value or "", 100)
        clock.advance(100)
        assert browser.see() == {}

    def test_set_expiry(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        instruction = browser.visit(lambda session: session.set_expiry(60))
        assert instruction == Set(browser.value or "", 60)
        at = datetime.datetime.fromtimestamp(NOW + 300, datetime.timezone.utc)
        assert browser.visit(lambda session: session.set_expiry(at)) == Set(
            browser.value or "", 300
        )
        assert browser.open().expires_at == at
        clock.advance(299)
        assert browser.visit(lambda session: session["a"]) is None
        clock.advance(1)
        assert browser.see() == {}

    def test_a_clock_that_is_slow_shortens_no_life(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(idle_timeout=100, ownerless_timeout=None))
        browser.put(a=1)
        clock.advance(-50)
        browser.put(b=1)
        clock.advance(149)
        assert browser.see() == {"a": 1, "b": 1}
