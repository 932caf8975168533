"""The life that an application gives one session."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from sessionkit import Session
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import moment


class TestExpiry:
    def test_seconds_or_timedelta_without_use(self, browser: Browser, clock: FakeClock) -> None:
        browser.visit(lambda session: session.set_expiry(datetime.timedelta(minutes=1)))
        assert browser.open().state == "new", "an expiry alone makes no session"
        browser.put(a=1)
        browser.visit(lambda session: session.set_expiry(60))
        clock.advance(59)
        browser.put(b=1)
        clock.advance(59)
        assert browser.open().state == "live"
        clock.advance(1)
        assert browser.open().state == "new"

    def test_a_fixed_moment_used_or_not(self, browser: Browser, clock: FakeClock) -> None:
        def view(session: Session) -> None:
            session["a"] = 1
            session.set_expiry(moment(60))

        instruction = browser.visit(view)
        assert isinstance(instruction, Set)
        assert instruction.max_age == 60
        clock.advance(59)
        browser.put(b=1)
        assert browser.open().expires_at == moment(60)
        clock.advance(1)
        assert browser.open().state == "new"

    def test_putting_the_end_off_sends_the_cookie_again(
        self, browser: Browser, clock: FakeClock
    ) -> None:
        def view(session: Session) -> None:
            session["a"] = 1
            session.set_expiry(moment(60))

        browser.visit(view)
        value = browser.value
        instruction = browser.visit(lambda session: session.set_expiry(moment(600)))
        assert (instruction, browser.value) == (Set(t.cast(str, value), 600), value)
        assert browser.visit(lambda session: session.set_expiry(moment(500))) is None

    def test_none_is_the_policy_again(self, browser: Browser) -> None:
        browser.put(a=1)
        browser.visit(lambda session: session.set_expiry(60))
        assert browser.open().expires_at == moment(60)
        browser.visit(lambda session: session.set_expiry(None))
        assert browser.open().expires_at == moment(DAY)

    def test_it_never_outlives_the_absolute_limit(self, browser: Browser) -> None:
        browser.put(a=1)
        browser.visit(lambda session: session.set_expiry(moment(1000 * DAY)))
        assert browser.open().expires_at == moment(90 * DAY)

    @pytest.mark.parametrize(
        "expiry", [0, -1, True, "60", datetime.datetime(2050, 1, 1), moment(-1), moment(0)]
    )
    def test_what_is_none_of_these_or_over_is_refused(
        self, browser: Browser, expiry: t.Any
    ) -> None:
        with pytest.raises(ConfigurationError, match="expiry"):
            browser.open().set_expiry(expiry)


class TestPermanent:
    def test_the_policy_decides_unless_the_session_does(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(transient=True))
        assert not browser.open().permanent

        def view(session: Session) -> None:
            session["a"] = 1
            session.permanent = True

        browser.visit(view)
        assert browser.open().permanent

    def test_changing_it_sends_the_cookie_again(self, browser: Browser) -> None:
        browser.put(a=1)
        value = t.cast(str, browser.value)
        assert browser.visit(lambda session: setattr(session, "permanent", True)) is None
        for permanent, max_age in [(False, None), (True, int(90 * DAY))]:
            session = browser.open()
            session.permanent = permanent
            assert browser.manager.commit(session) == Set(value, max_age)
            assert browser.visit() is None
            assert browser.put(n=max_age) is None
