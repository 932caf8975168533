"""When the cookie is set, for how long, and how it is signed."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import tokens
from sessionkit.cookie import MAX_AGE_LIMIT
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import FullStore


class TestCookie:
    def test_it_is_set_when_the_session_is_created_and_never_by_a_write(
        self, browser: Browser, clock: FakeClock
    ) -> None:
        assert browser.put(a=1) == Set(t.cast(str, browser.value), int(90 * DAY))
        clock.advance(DAY / 2)
        assert browser.put(a=2) is None
        assert browser.see() == {"a": 2}

    def test_without_an_absolute_limit_it_is_promised_again_below_half(
        self, make_manager: MakeManager, clock: FakeClock
    ) -> None:
        browser = Browser(
            make_manager(absolute_timeout=None, idle_timeout=None, ownerless_timeout=None)
        )
        instruction = browser.put(a=1)
        assert instruction == Set(t.cast(str, browser.value), MAX_AGE_LIMIT)
        clock.advance(MAX_AGE_LIMIT / 2 - 60)
        assert browser.put(a=2) is None
        clock.advance(120)
        assert browser.visit() is None
        assert browser.visit(lambda session: session.get("a")) == instruction
        assert browser.visit(lambda session: session.get("a")) is None
        clock.advance(MAX_AGE_LIMIT / 2 + 1)
        assert browser.put(a=3) == instruction

    def test_a_longer_absolute_limit_sends_it_again(
        self, make_manager: MakeManager, clock: FakeClock
    ) -> None:
        browser = Browser(make_manager(absolute_timeout=10 * DAY))
        browser.put(a=1)
        longer = Browser(make_manager(absolute_timeout=20 * DAY), browser.value)
        assert longer.visit(lambda session: session.get("a")) == Set(
            t.cast(str, browser.value), int(20 * DAY)
        )
        assert longer.visit(lambda session: session.get("a")) is None

    def test_it_says_nothing_about_the_content(self, browser: Browser) -> None:
        browser.log_in("marker-user", a="marker-value")
        value = browser.value
        browser.put(a="other")
        assert browser.value == value
        assert "marker" not in str(value)


class TestSecrets:
    def test_the_cookie_is_signed(self, make_manager: MakeManager, store: FullStore) -> None:
        browser = Browser(make_manager(secrets=["secret"]))
        browser.put(a=1)
        value = t.cast(str, browser.value)
        bare = t.cast(str, tokens.verify(value, ["secret"]))
        assert tokens.digest(bare) in store.records()
        assert browser.see() == {"a": 1}
        assert Browser(browser.manager, bare).see() == {}
        assert Browser(browser.manager, value[:-1]).see() == {}

    def test_old_secrets_are_accepted_and_the_newest_signs(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(secrets=["old"]))
        browser.put(a=1)
        both, new = make_manager(secrets=["new", "old"]), make_manager(secrets=["new"])
        assert Browser(new, browser.value).see() == {}
        rotated = Browser(both, browser.value)
        assert rotated.see() == {"a": 1}
        rotated.visit(lambda session: session.renew())
        assert Browser(new, rotated.value).see() == {"a": 1}

    def test_the_name_of_the_cookie_is_signed_with_it(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(secrets=["secret"]))
        browser.put(a=1)
        other = make_manager(secrets=["secret"], cookie=CookieOptions(name="admin"))
        assert Browser(other, browser.value).see() == {}

    @pytest.mark.parametrize("secrets", [[], "text", [""]])
    def test_useless_secrets_are_refused_when_the_manager_is_made(
        self, make_manager: MakeManager, secrets: t.Any
    ) -> None:
        with pytest.raises(ConfigurationError, match="secrets"):
            make_manager(secrets=secrets)


def test_deleting_repeats_the_attributes_of_the_session(manager: SessionManager) -> None:
    options = CookieOptions(path="/device", samesite="Strict")
    session = manager.start(cookie=options)
    session.save()
    session.destroy()
    assert manager.commit(session) == Delete()
    assert session.cookie.header(Delete(), https=True).startswith("sid=; Path=/device; Max-Age=0")
