"""GenieSession.jl: the current session, defaults, options, eager flash, in our idiom.

The last class holds what that library got wrong and we do not.
"""

from __future__ import annotations

import collections.abc as cabc
import os
import pickle
import typing as t
from pathlib import Path

import pytest
import redis

from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import current_session
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.errors import CookieTooLarge
from sessionkit.errors import SessionError
from sessionkit.errors import StoreUnavailable
from sessionkit.keys import new_key
from sessionkit.stores import open_store
from sessionkit.testing import FakeClock
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.wsgi.support import Client
from tests.wsgi.support import call


def page(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    session = current_session()

    if environ["PATH_INFO"] == "/write":
        session["n"] = session.get("n", 0) + 1

    start_response("404 Not Found" if environ["PATH_INFO"] == "/missing" else "200 OK", [])
    return []


class TestCurrentSession:
    def test_session_of_the_request(self, manager: SessionManager) -> None:
        client = Client(SessionMiddleware(page, manager))
        client.get("/write")
        client.get("/write")
        assert dict(manager.open(client.cookie)) == {"n": 2}

    def test_every_call_is_the_same_session(self, manager: SessionManager) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            assert current_session() is current_session() is environ["sessionkit.session"]
            start_response("200 OK", [])
            return []

        call(SessionMiddleware(app, manager))

    def test_init_is_a_constructor(self) -> None:
        manager = SessionManager(open_store("memory:"), cookie=CookieOptions(name="mine"))
        assert manager.cookie.name == "mine"


class TestDictionary:
    def test_get_with_a_default(self, browser: Browser) -> None:
        browser.put(zero=0, empty="", false=False)
        session = browser.open()
        assert [session.get(key, "default") for key in ("zero", "empty", "false", "missing")] == [
            0,
            "",
            False,
            "default",
        ]

    def test_get_or_set(self, browser: Browser) -> None:
        browser.visit(lambda session: session.setdefault("cart", []).append(1))
        browser.visit(lambda session: session.setdefault("cart", []).append(2))
        assert browser.see() == {"cart": [1, 2]}

    def test_the_whole_of_it(self, browser: Browser) -> None:
        browser.put(a=1, b=2)
        session = browser.open()
        whole = session.copy()
        whole["c"] = 3
        assert dict(session) == {"a": 1, "b": 2}

    def test_unset_is_saved_as_set_is(self, browser: Browser) -> None:
        browser.put(a=1, b=2)
        browser.visit(lambda session: session.pop("a"))
        assert browser.see() == {"b": 2}


class TestOptions:
    def test_the_defaults_are_safe(self) -> None:
        header = CookieOptions().set_header(Set("id", 60), https=True)
        assert header.split("; ")[1:] == [
            "Path=/",
            "Max-Age=60",
            "Secure",
            "HttpOnly",
            "SameSite=Lax",
        ]

    @pytest.mark.parametrize("samesite", ["Lax", "Strict", "None"])
    def test_every_samesite_works(self, samesite: t.Any) -> None:
        header = CookieOptions(samesite=samesite).set_header(Set("id", 60), https=False)
        assert f"; SameSite={samesite}" in header
        assert ("; Secure" in header) == (samesite == "None")


class TestNotShared:
    def test_a_restart_without_secrets_ends_nothing(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/sessions.sqlite3"
        before = SessionManager(open_store(url))
        browser = Browser(before)
        browser.put(a=1)
        before.close()
        after = SessionManager(open_store(url))
        assert Browser(after, browser.value).see() == {"a": 1}
        after.close()

    def test_without_a_store_it_fails_at_the_start(self) -> None:
        with pytest.raises(ConfigurationError, match="open_store"):
            SessionManager(object())  # type: ignore[arg-type]

    def test_a_write_that_fails_is_an_error_and_no_new_session(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        stored, cookie = store.records(), browser.value
        store.fail("swap")

        with pytest.raises(StoreUnavailable) as raised:
            browser.put(b=2)

        assert (raised.value.instruction, browser.value) == (None, cookie)
        store.recover()
        assert store.records() == stored

    def test_what_a_stranger_has_written_into_the_store_is_not_executed(
        self, browser: Browser, store: FullStore, tmp_path: Path
    ) -> None:
        class Bomb:
            def __reduce__(self) -> t.Any:
                return Path.touch, (tmp_path / "executed",)

        browser.put(a=1)
        [(key, record)] = store.records().items()
        planted = record._replace(payload=pickle.dumps(Bomb()), version=record.version + 1)
        assert store.memory.swap(key, record, planted)
        assert browser.see() == {}
        assert list(tmp_path.iterdir()) == []

    def test_a_session_in_a_cookie_that_would_not_fit_is_refused(self) -> None:
        with pytest.raises(CookieTooLarge, match="'report'"):
            Browser(SealedSessionManager([new_key()])).put(report=os.urandom(5000))

    def test_a_session_in_a_cookie_expires(self, clock: FakeClock) -> None:
        browser = Browser(SealedSessionManager([new_key()], clock=clock))
        browser.put(a=1)
        clock.advance(10**6)
        assert browser.see() == {}

    def test_redis_forgets_and_applications_have_names_of_their_own(self, redis_url: str) -> None:
        one, two = (Browser(SessionManager(open_store(f"{redis_url}?prefix={p}"))) for p in "ab")
        one.put(a=1)
        assert Browser(two.manager, one.value).see() == {}
        one.manager.close()
        two.manager.close()

        with redis.Redis.from_url(redis_url) as client:
            times = {key: client.ttl(key) for key in client.scan_iter()}

        assert times
        assert all(key.startswith(b"a") and seconds > 0 for key, seconds in times.items())

    def test_each_manager_has_its_own_settings(self) -> None:
        mine = SessionManager(open_store("memory:"), cookie=CookieOptions(name="mine"))
        yours = SessionManager(open_store("memory:"))
        assert (mine.cookie.name, yours.cookie.name) == ("mine", "sid")

    @pytest.mark.parametrize("samesite", ["none", "lax", "", "Any"])
    def test_a_samesite_that_would_fail_later_fails_at_once(self, samesite: t.Any) -> None:
        with pytest.raises(ConfigurationError, match="samesite"):
            CookieOptions(samesite=samesite)

    @pytest.mark.parametrize("path", ["/", "/missing"])
    def test_requests_that_store_nothing_make_no_record_and_no_cookie(
        self, manager: SessionManager, store: FullStore, path: str
    ) -> None:
        for _ in range(100):
            assert call(SessionMiddleware(page, manager), PATH_INFO=path).cookie is None

        assert store.records() == {}
        assert store.calls == []

    def test_outside_of_requests_no_session_is_made_up(self, store: FullStore) -> None:
        for _ in range(3):
            with pytest.raises(SessionError):
                current_session()

        assert store.calls == []

    def test_several_assignments_are_one_write(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        store.calls.clear()
        browser.put(b=1, c=2, d=3)
        assert store.calls == ["get", "swap"]

    def test_a_cookie_whose_name_begins_like_ours_is_not_ours(self, browser: Browser) -> None:
        browser.put(a=1)
        assert browser.manager.open(f"sid2={browser.value}").state == "new"
        assert browser.manager.open(f"SID={browser.value}").state == "new"

    def test_a_request_that_shows_no_messages_leaves_them(
        self, manager: SessionManager, browser: Browser
    ) -> None:
        browser.visit(lambda session: session.flash.__setitem__("message", "hello"))
        client = Client(SessionMiddleware(page, manager), browser.header)
        client.get("/missing")
        client.get("/write")
        assert browser.open().flash["message"] == "hello"

    def test_a_message_is_not_shown_twice(self, browser: Browser) -> None:
        seen: list[object] = []

        def view(session: Session) -> None:
            session.flash["message"] = "hello"
            seen.append(session.flash.get("message"))

        browser.visit(view)
        browser.visit(lambda session: seen.append(session.flash.get("message")))
        assert seen == ["hello", None]

    def test_get_or_set_writes_to_the_session_that_was_asked(self, manager: SessionManager) -> None:
        one, two = Browser(manager), Browser(manager)
        one.put(a=1)
        two.visit(lambda session: session.setdefault("b", 2))
        assert (one.see(), two.see()) == ({"a": 1}, {"b": 2})

    def test_a_message_that_could_not_be_removed_is_no_reason_to_lose_data(
        self, browser: Browser
    ) -> None:
        browser.visit(lambda session: session.flash.__setitem__("message", "hello"))
        browser.visit(lambda session: session.flash["message"], ok=False)
        assert browser.open().flash["message"] == "hello"
