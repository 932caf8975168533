"""Sessions that server code loads or starts."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import SessionManager
from sessionkit import tokens
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.errors import SessionConflict
from sessionkit.errors import StoreUnavailable
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import UNKNOWN
from tests.core.support import Browser
from tests.core.support import FullStore


class TestLoad:
    def test_it_finds_a_live_session_by_its_bare_or_signed_id(
        self, make_manager: MakeManager
    ) -> None:
        browser = Browser(make_manager(secrets=["secret"]))
        browser.put(a=1)
        signed = t.cast(str, browser.value)

        for value in (signed, t.cast(str, tokens.verify(signed, ["secret"]))):
            session = browser.manager.load(value)
            assert session is not None
            assert dict(session) == {"a": 1}

    def test_background_work_can_write(self, browser: Browser) -> None:
        browser.put(a=1)
        session = browser.manager.load(t.cast(str, browser.value))
        assert session is not None
        session["b"] = 2
        assert session.save()
        assert browser.see() == {"a": 1, "b": 2}

    def test_unknown_malformed_and_superseded_ids_are_none(self, browser: Browser) -> None:
        browser.put(a=1)
        old = t.cast(str, browser.value)
        browser.visit(lambda session: session.renew())

        for value in (old, UNKNOWN, "", "short", f"{old}.signature", "\0"):
            assert browser.manager.load(value) is None

    def test_an_outage_raises(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        store.fail()

        with pytest.raises(StoreUnavailable):
            browser.manager.load(t.cast(str, browser.value))


class TestStart:
    def test_server_code_may_choose_the_id(self, manager: SessionManager) -> None:
        session = manager.start("chosen-by-the-server-0001")
        session["a"] = 1
        assert manager.commit(session) == Set("chosen-by-the-server-0001", int(90 * DAY))
        again = manager.start("chosen-by-the-server-0001")
        assert (again.state, dict(again)) == ("live", {"a": 1})

    def test_without_an_id_one_is_drawn(self, manager: SessionManager) -> None:
        one, two = manager.start(), manager.start()
        assert isinstance(manager.commit(one), Set), "created even if nothing is written"
        assert manager.commit(one) != manager.commit(two)

    def test_it_may_have_a_cookie_of_its_own(self, manager: SessionManager) -> None:
        options = CookieOptions(name="device", path="/device")
        assert manager.start(cookie=options).cookie is options
        assert manager.start().cookie is manager.cookie

    @pytest.mark.parametrize(
        "session_id", ["", "short", "a b" * 10, "ä" * 30, "a" * 129, "a" * 30 + "\n"]
    )
    def test_a_malformed_id_is_refused(self, manager: SessionManager, session_id: str) -> None:
        with pytest.raises(ConfigurationError, match="22 to 128"):
            manager.start(session_id)

    def test_a_replaced_id_is_refused(self, browser: Browser) -> None:
        browser.put(a=1)
        old = t.cast(str, browser.value)
        browser.visit(lambda session: session.renew())

        with pytest.raises(ConfigurationError, match="replaced"):
            browser.manager.start(old)

    def test_two_requests_that_create_the_same_id_do_not_overwrite_each_other(
        self, manager: SessionManager
    ) -> None:
        one, two = (
            manager.start("chosen-by-the-server-0001"),
            manager.start("chosen-by-the-server-0001"),
        )
        one["a"] = two["b"] = 1
        manager.commit(one)

        with pytest.raises(SessionConflict, match="in use"):
            manager.commit(two)

        assert dict(manager.start("chosen-by-the-server-0001")) == {"a": 1}
