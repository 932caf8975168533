"""GenieSession.jl: the current session, defaults, options, eager flash, in our idiom.

The last class holds what that library got wrong and we do not.
"""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import current_session
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.errors import SessionError
from sessionkit.stores import open_store
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
