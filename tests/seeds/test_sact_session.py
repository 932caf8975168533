"""@sact/session: a session as a login with metadata, and log out everywhere, in our idiom.

The last class holds what that library got wrong and we do not.
"""

from __future__ import annotations

import collections.abc as cabc
import re
import typing as t

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit import tokens
from sessionkit.errors import ConfigurationError
from sessionkit.stores import open_store
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.wsgi.support import Client


class TestLogin:
    def test_set_and_get(self, browser: Browser) -> None:
        browser.visit(lambda session: session.bind(7, device="phone"))
        session = browser.open()
        assert (session.owner, session.meta) == ("7", {"device": "phone"})

    def test_get_of_nobody(self, browser: Browser) -> None:
        assert browser.open().owner is None

    def test_delete(self, browser: Browser) -> None:
        browser.log_in("ann")
        browser.visit(Session.destroy)
        assert (browser.value, browser.open().owner) == (None, None)

    def test_the_id_is_the_cookies_and_the_key_its_digest(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.log_in("ann")
        assert list(store.records()) == [tokens.digest(str(browser.value))]

    def test_what_names_a_session_is_kept_and_opens_nothing(self, browser: Browser) -> None:
        browser.log_in("ann")
        name = str(browser.open().public_id)
        browser.visit(Session.renew)
        assert browser.open().public_id == name
        assert Browser(browser.manager, name).open().owner is None

    def test_a_session_knows_its_manager_and_no_request(self, manager: SessionManager) -> None:
        session = manager.open()
        assert session.manager is manager
        assert (session.cookie, manager.policy.outage) == (manager.cookie, session.outage)

    def test_a_store_is_required(self) -> None:
        with pytest.raises(ConfigurationError, match="store"):
            SessionManager(None)  # type: ignore[arg-type]

    def test_touching_extends_the_life(self, browser: Browser, clock: FakeClock) -> None:
        browser.log_in("ann")

        for _ in range(5):
            clock.advance(10 * 24 * 3600)
            assert browser.open().owner == "ann"
            browser.visit(lambda session: setattr(session, "modified", True))


class TestEverywhere:
    def test_active_sessions_and_ending_them(self, manager: SessionManager) -> None:
        phone, laptop, other = Browser(manager), Browser(manager), Browser(manager)
        phone.visit(lambda session: session.bind("ann", device="phone"))
        laptop.visit(lambda session: session.bind("ann", device="laptop"))
        other.log_in("bob")
        devices = {info.meta["device"]: info.public_id for info in manager.sessions_of("ann")}
        assert set(devices) == {"phone", "laptop"}
        assert manager.revoke("ann", devices["phone"])
        assert (phone.open().owner, laptop.open().owner) == (None, "ann")
        assert manager.revoke_all("ann") == 1
        assert (laptop.open().owner, other.open().owner) == (None, "bob")


class TestCustomCookies:
    def test_a_cookie_of_ones_own_with_options(self, manager: SessionManager) -> None:
        session = manager.open()
        session.set_cookie("theme", "dark", max_age=60, path="/shop")
        session.delete_cookie("banner")
        assert [cookie.header(https=True) for cookie in session.custom_cookies] == [
            "theme=dark; Path=/shop; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
            "banner=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
        ]


class TestOlderVersions:
    def test_some_fields(self, browser: Browser) -> None:
        browser.put(a=1, b=2, c=3)
        session = browser.open()
        assert {key: session[key] for key in ("a", "c", "d") if key in session} == {"a": 1, "c": 3}

    def test_set_with_a_life_of_its_own(self, browser: Browser, clock: FakeClock) -> None:
        browser.log_in("ann")

        def view(session: Session) -> None:
            session["a"] = 1
            session.set_expiry(60)

        browser.visit(view)
        clock.advance(59)
        assert browser.open().owner == "ann"
        clock.advance(2)
        assert browser.open().owner is None

    def test_set_of_a_key_with_a_life_of_its_own(self, browser: Browser, clock: FakeClock) -> None:
        browser.visit(lambda session: session.set("code", 123, ttl=60))
        clock.advance(59)
        assert browser.open().get("code") == 123
        clock.advance(2)
        assert browser.open().get("code") is None

    def test_unset_several(self, browser: Browser) -> None:
        browser.put(a=1, b=2, c=3)
        browser.visit(lambda session: [session.pop(key, None) for key in ("a", "b", "d")])
        assert browser.see() == {"c": 3}

    def test_a_signed_cookie_of_ones_own(self, make_manager: MakeManager) -> None:
        manager = make_manager(secrets=["secret"])
        session = manager.open()
        session.set_cookie("referrer", "a friend", signed=True)
        value = session.custom_cookies[0].header(https=True).split(";")[0]
        assert manager.open(value).get_cookie("referrer", signed=True) == "a friend"
        assert manager.open(f"{value}x").get_cookie("referrer", signed=True) is None


class TestNotShared:
    def test_there_is_no_default_secret(self) -> None:
        for secrets in ([], [""], [None], "secret"):
            with pytest.raises(ConfigurationError, match="secrets"):
                SessionManager(open_store("memory:"), secrets=t.cast(t.Any, secrets))

    def test_a_duration_that_cannot_be_understood_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="idle_timeout must be seconds, a timedelta"):
            SessionPolicy(idle_timeout=t.cast(t.Any, "28 dayz"))

    def test_an_id_needs_no_quoting_in_a_cookie(self) -> None:
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{40}", tokens.new_id()) for _ in range(100))

    def test_sessions_end_in_memory_too(self, browser: Browser, clock: FakeClock) -> None:
        browser.log_in("ann")
        clock.advance(15 * 24 * 3600)
        assert browser.open().owner is None

    def test_the_index_of_owners_forgets(
        self, manager: SessionManager, clock: FakeClock, store: FullStore
    ) -> None:
        for _ in range(10):
            Browser(manager).log_in("ann")

        clock.advance(15 * 24 * 3600)
        assert manager.sessions_of("ann") == []
        assert manager.purge() == 10
        assert list(store.memory.owned_by("ann", clock())) == []

    def test_sessions_are_counted(self, manager: SessionManager, clock: FakeClock) -> None:
        Browser(manager).put(a=1)
        Browser(manager).log_in("ann")
        assert manager.count() == (2, 1, 1)
        clock.advance(2 * 24 * 3600)
        assert manager.count() == (1, 1, 0)

    def test_a_cookie_of_ones_own_does_not_take_the_place_of_the_sessions(
        self, manager: SessionManager
    ) -> None:
        def app(environ: t.Any, start_response: t.Any) -> list[bytes]:
            session = environ["sessionkit.session"]
            session.bind("ann")
            session.set_cookie("theme", "dark")
            start_response("200 OK", [])
            return []

        answer = Client(SessionMiddleware(app, manager)).get()
        cookies = [value for name, value in answer.headers if name == "Set-Cookie"]
        assert [cookie.partition("=")[0] for cookie in cookies] == ["sid", "theme"]

    def test_reading_sends_no_cookie_and_stores_nothing(
        self, browser: Browser, store: FullStore
    ) -> None:
        assert browser.visit(lambda session: session.owner) is None
        assert store.records() == {}

    def test_the_clients_choice_of_an_id_is_gone_after_the_login(
        self, manager: SessionManager
    ) -> None:
        browser = Browser(manager, "attacker-chosen-id-attacker-chosen-id-12")
        browser.log_in("ann")
        assert browser.value != "attacker-chosen-id-attacker-chosen-id-12"

    def test_an_anonymous_id_that_somebody_else_knows_is_gone_too(self, browser: Browser) -> None:
        browser.put(a=1)
        attacker = browser.twin()
        browser.log_in("ann")
        assert attacker.open().owner is None

    def test_deleting_sends_a_header_that_deletes(self, manager: SessionManager) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            session = environ["sessionkit.session"]
            session.destroy() if session.owner else session.bind("ann")
            start_response("200 OK", [("Set-Cookie", "theme=dark; Path=/")])
            return []

        client = Client(SessionMiddleware(app, manager))
        first, second = client.get(), client.get()
        assert [cookie.split("=")[0] for cookie in first.all("Set-Cookie")] == ["theme", "sid"]
        assert second.all("Set-Cookie")[1].startswith("sid=; Path=/; Max-Age=0")

    def test_the_cookie_is_for_the_whole_site(self, manager: SessionManager) -> None:
        header = manager.cookie.delete_header(https=True)
        assert "; Path=/;" in header
        assert "SameSite=Lax" in header

    def test_the_id_is_not_reused_after_a_deletion(self, browser: Browser) -> None:
        browser.log_in("ann")
        old = browser.value
        browser.visit(Session.destroy)
        browser.log_in("ann")
        assert browser.value != old

    def test_metadata_keeps_its_types_and_is_replaced_as_a_whole(self, browser: Browser) -> None:
        browser.visit(lambda session: session.bind("ann", n=1, none=None, id="other"))
        assert browser.open().meta == {"n": 1, "none": None, "id": "other"}
        assert browser.open().owner == "ann"
        browser.visit(lambda session: session.bind("ann", m=2))
        assert browser.open().meta == {"m": 2}

    def test_an_ended_session_is_no_longer_listed(self, browser: Browser) -> None:
        browser.log_in("ann")
        browser.visit(Session.destroy)
        assert browser.manager.sessions_of("ann") == []
