"""Genie.jl `Sessions`: ids, start, the dictionary, persist and load, flash, in our idiom.

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
from sessionkit import tokens
from sessionkit.errors import StoreUnavailable
from tests.core.conftest import MakeManager
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.wsgi.support import Client
from tests.wsgi.support import call

UNKNOWN = "u" * 40


def counting(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
    session = environ["sessionkit.session"]
    session["n"] = session.get("n", 0) + 1
    start_response("200 OK", [("Content-Type", "application/json")])
    return [str(session["n"]).encode()]


class TestIds:
    def test_id(self) -> None:
        assert tokens.new_id() != tokens.new_id()

    def test_id_of_a_request(self, browser: Browser) -> None:
        browser.put(a=1)
        assert browser.open().state == "live"

    def test_id_of_a_request_without_one(self, manager: SessionManager) -> None:
        assert manager.open(None).state == "new"

    def test_an_id_that_the_answer_carries_already_wins(self, browser: Browser) -> None:
        browser.put(a=1)
        session = browser.open()
        session.renew()
        session.save()
        session["b"] = 2
        browser.keep(browser.manager.commit(session))
        assert browser.see() == {"a": 1, "b": 2}


class TestStart:
    def test_a_request_is_given_a_session(self, manager: SessionManager) -> None:
        client = Client(SessionMiddleware(counting, manager))
        assert [client.get().body for _ in range(2)] == [b"1", b"2"]

    def test_with_an_id_and_cookie_options(self, manager: SessionManager) -> None:
        options = CookieOptions(path="/app", httponly=False)
        session = manager.start("chosen-by-the-server-0001", cookie=options)
        session["a"] = 1
        instruction = manager.commit(session)
        assert instruction is not None
        header = session.cookie.header(instruction, https=False)
        assert header.startswith("sid=chosen-by-the-server-0001; Path=/app; ")
        assert "HttpOnly" not in header


class TestDictionary:
    def test_set_get_unset_is_set(self, browser: Browser) -> None:
        session = browser.open()
        session["key"] = 1
        assert (session.get("key"), session.get("missing"), session["key"]) == (1, None, 1)
        assert ("key" in session, "missing" in session) == (True, False)
        del session["key"]
        assert session.pop("key", None) is None
        assert "key" not in session

    def test_get_strictly(self, browser: Browser) -> None:
        with pytest.raises(KeyError):
            browser.open()["missing"]

    def test_a_stored_nothing_is_told_from_a_missing_key(self, browser: Browser) -> None:
        browser.put(nothing=None)
        session = browser.open()
        assert (session.get("nothing", "default"), session.get("missing", "default")) == (
            None,
            "default",
        )


class TestPersistAndLoad:
    def test_persist(self, browser: Browser, store: FullStore) -> None:
        session = browser.open()
        session["a"] = 1
        assert session.save()
        assert len(store.records()) == 1

    def test_load(self, browser: Browser) -> None:
        browser.put(a=1)
        session = browser.manager.load(str(browser.value))
        assert session is not None
        assert dict(session) == {"a": 1}

    def test_load_of_what_is_not_there(self, manager: SessionManager) -> None:
        assert manager.load(UNKNOWN) is None


class TestFlash:
    def test_it_is_for_the_next_request_that_reads_it(self, browser: Browser) -> None:
        browser.visit(lambda session: session.flash.__setitem__("message", "hello"))
        session = browser.open()
        assert bool(session.flash)
        assert session.flash.get("message", "") == "hello"
        assert session.flash.get("message", "") == ""
        assert not session.flash

    def test_it_may_be_shown_in_the_current_request(self, browser: Browser) -> None:
        session = browser.open()
        session.flash.now("message", "hello")
        assert session.flash["message"] == "hello"


class TestNotShared:
    def test_an_id_of_the_clients_choice_is_not_adopted(self, manager: SessionManager) -> None:
        client = Client(SessionMiddleware(counting, manager), f"sid={UNKNOWN}")
        client.get()
        assert client.cookie != f"sid={UNKNOWN}"
        assert manager.load(UNKNOWN) is None

    def test_changes_made_in_a_json_answer_are_saved(self, manager: SessionManager) -> None:
        client = Client(SessionMiddleware(counting, manager))
        client.get()
        assert dict(manager.open(client.cookie)) == {"n": 1}

    def test_a_cookie_is_not_sent_with_every_answer(self, manager: SessionManager) -> None:
        client = Client(SessionMiddleware(counting, manager))
        assert [client.get().cookie is not None for _ in range(3)] == [True, False, False]

    def test_a_read_that_fails_overwrites_nothing(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        stored = store.records()
        store.fail()

        with pytest.raises(StoreUnavailable):
            browser.put(b=2)

        assert store.records() == stored

    def test_a_damaged_record_is_not_served_under_its_id(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        damaged = browser.value
        [(key, record)] = store.records().items()
        changed = record._replace(payload=b"damaged", version=record.version + 1)
        assert store.memory.swap(key, record, changed)
        browser.put(b=2)
        assert browser.value != damaged
        assert browser.see() == {"b": 2}

    def test_a_cookie_that_cannot_be_read_is_no_error(self, make_manager: MakeManager) -> None:
        for manager in (make_manager(), make_manager(secrets=["secret"])):
            for value in ("zz", '"quoted"', "x" * 9000, "not-hex", ""):
                assert call(SessionMiddleware(counting, manager), f"sid={value}").body == b"1"

    def test_an_exception_saves_nothing_and_passes(
        self, manager: SessionManager, store: FullStore
    ) -> None:
        def failing(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            counting(environ, start_response)
            raise ValueError("x")

        with pytest.raises(ValueError, match="x"):
            call(SessionMiddleware(failing, manager))

        assert store.records() == {}

    def test_logging_out_ends_the_session_and_not_one_key(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.log_in("ann", secret=1)
        browser.visit(Session.destroy)
        assert store.records() == {}
