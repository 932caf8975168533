"""lucid: values of any type, one key removed, keyed flash messages and maps, in our idiom.

The last class holds what that library got wrong and we do not.
"""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from pathlib import Path

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit.base_manager import BaseManager
from sessionkit.errors import ConfigurationError
from sessionkit.errors import ValueNotSupported
from sessionkit.stores import open_store
from tests.core.conftest import MakeManager
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.wsgi.support import Client
from tests.wsgi.support import call


class TestDictionary:
    def test_get_and_set(self, browser: Browser) -> None:
        browser.put(key=100)
        assert browser.open().get("key") == 100

    def test_destroy_of_one_key(self, browser: Browser) -> None:
        browser.put(key=100, other=1)
        browser.visit(lambda session: session.pop("key", None))
        assert browser.see() == {"other": 1}

    def test_adaptors(self, any_manager: BaseManager) -> None:
        browser = Browser(any_manager)
        browser.put(key=100)
        assert browser.see() == {"key": 100}


class TestFlash:
    def test_set_and_get(self, browser: Browser) -> None:
        browser.visit(lambda session: session.flash.__setitem__("message", "Hello Jane!"))
        session = browser.open()
        assert session.flash.get("message") == "Hello Jane!"
        assert session.flash.get("message") is None

    def test_set_and_get_of_a_map(self, browser: Browser) -> None:
        messages = {"john": "Hello Jane!", "jane": 1, "ages": [30, None]}
        browser.visit(lambda session: session.flash.__setitem__("messages", messages))
        assert browser.open().flash["messages"] == messages

    def test_get_of_a_map_that_is_not_there(self, browser: Browser) -> None:
        assert browser.open().flash.get("messages", {}) == {}

    def test_old_input_is_shown_once_more(self, browser: Browser) -> None:
        def form(session: Session) -> None:
            assert session.flash["inputs"] == {"name": "Jane"}
            session.flash.keep("inputs")

        browser.visit(lambda session: session.flash.__setitem__("inputs", {"name": "Jane"}))
        browser.visit(form)
        browser.visit(form)

    def test_messages_that_nobody_reads_wait(self, browser: Browser) -> None:
        browser.visit(lambda session: session.flash.__setitem__("message", "Hello"))

        for _ in range(5):
            browser.put(other=1)

        assert browser.open().flash.get("message") == "Hello"


class TestNotShared:
    def test_an_adaptor_that_is_not_there_is_an_error(self) -> None:
        with pytest.raises(ConfigurationError, match="unknown scheme 'cloud'"):
            open_store("cloud://somewhere")

    def test_a_message_that_cannot_be_kept_fails_where_it_is_set(self, browser: Browser) -> None:
        with pytest.raises(ValueNotSupported, match=r"session\.flash\['messages'\]"):
            browser.open().flash["messages"] = {"john": object()}

    def test_files_are_nobody_elses(self, tmp_path: Path) -> None:
        Browser(SessionManager(open_store(f"file:///{tmp_path}/sessions"))).put(a=1)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files
        assert {path.stat().st_mode & 0o077 for path in files} == {0}

    @pytest.mark.parametrize("value", [100, 0, 1.5, None, True, b"x", ["a", 1], {"k": {"n": 2}}])
    def test_values_of_every_type_survive(self, browser: Browser, value: object) -> None:
        browser.put(key=value)
        found = browser.open()["key"]
        assert (found, type(found)) == (value, type(value))

    def test_missing_has_one_representation(self, browser: Browser) -> None:
        browser.put(other=1)

        for session in (browser.open(), browser.manager.open(None)):
            assert session.get("authenticated") is None
            assert "authenticated" not in session

            with pytest.raises(KeyError):
                session["authenticated"]

    def test_messages_share_no_names_with_values(self, browser: Browser) -> None:
        browser.visit(lambda session: session.flash.__setitem__("message", 1))
        browser.put(**{"flash-message": 2, "created_at": 3})
        session = browser.open()
        assert dict(session) == {"flash-message": 2, "created_at": 3}
        assert session.flash["message"] == 1

    def test_reading_makes_no_record(self, browser: Browser, store: FullStore) -> None:
        browser.visit(lambda session: session.get("key"))
        browser.visit(lambda session: session.pop("key", None))
        browser.visit(lambda session: session.flash.get("key"))
        assert store.records() == {}

    def test_several_uses_in_the_first_request_are_one_session(
        self, manager: SessionManager, store: FullStore
    ) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            for key in ("a", "b", "c"):
                environ["sessionkit.session"][key] = 1

            start_response("200 OK", [])
            return []

        client = Client(SessionMiddleware(app, manager))
        assert len(client.get().all("Set-Cookie")) == 1
        assert len(store.records()) == 1
        assert dict(manager.open(client.cookie)) == {"a": 1, "b": 1, "c": 1}

    def test_a_cookie_of_another_key_is_no_panic(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(secrets=["old"]))
        browser.put(a=1)

        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            start_response("200 OK", [])
            return [repr(dict(environ["sessionkit.session"])).encode()]

        other = SessionMiddleware(app, make_manager(secrets=["new"]))
        assert call(other, browser.header).body == b"{}"

    def test_the_cookie_has_all_its_attributes(self, manager: SessionManager) -> None:
        header = manager.cookie.delete_header(https=True)
        assert all(attribute in header for attribute in ("HttpOnly", "Secure", "SameSite=Lax"))

    def test_a_login_changes_the_id(self, browser: Browser) -> None:
        browser.put(language="en")
        before = browser.value
        browser.log_in("7")
        assert browser.value != before
        assert browser.see() == {"language": "en"}

    def test_a_late_save_brings_nothing_back(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        late = browser.open()
        late["b"] = 2
        browser.visit(lambda session: session.destroy())
        browser.manager.commit(late)
        assert store.records() == {}

    def test_two_requests_at_once_lose_nothing(self, browser: Browser) -> None:
        browser.put(a=1)
        one, two = browser.open(), browser.open()
        one["one"], two["two"] = 1, 2
        browser.manager.commit(two)
        browser.manager.commit(one)
        assert browser.see() == {"a": 1, "one": 1, "two": 2}
