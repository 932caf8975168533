"""Genie.jl `Sessions`: ids, start, the dictionary, persist and load, flash, in our idiom.

The last class holds what that library got wrong and we do not.
"""

from __future__ import annotations

import collections.abc as cabc
import random
import typing as t
from pathlib import Path

import pytest

from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import tokens
from sessionkit.errors import StoreUnavailable
from sessionkit.keys import new_key
from sessionkit.stores import open_store
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


class TestSockets:
    def test_one_may_read_a_session_without_writing_it(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        store.calls.clear()
        assert browser.open()["a"] == 1
        assert store.calls == ["get"]


class TestAuthentication:
    def test_log_in_and_who_it_is(self, browser: Browser) -> None:
        assert browser.open().owner is None
        browser.log_in("7")
        assert browser.open().owner == "7"

    def test_log_out_keeps_nothing_but_messages(self, browser: Browser) -> None:
        browser.log_in("7", cart=["tea"])

        def view(session: Session) -> None:
            session.unbind()
            session.flash["message"] = "good bye"

        browser.visit(view)
        session = browser.open()
        assert (session.owner, dict(session)) == (None, {})
        assert session.flash["message"] == "good bye"


class TestNotShared:
    def test_ids_do_not_come_from_a_seed(self) -> None:
        drawn = []

        for _ in range(2):
            random.seed(1)
            drawn.append(tokens.new_id())

        assert len(set(drawn)) == 2

    def test_no_secret_is_needed_before_there_is_an_id(self) -> None:
        browser = Browser(SessionManager(open_store("memory:")))
        browser.put(a=1)
        assert browser.see() == {"a": 1}

    def test_encryption_is_fresh_each_time_and_notices_a_change(self) -> None:
        browser = Browser(SealedSessionManager([new_key()]))
        browser.put(role="user")
        first = str(browser.value)
        browser.visit(Session.renew)
        assert browser.value != first
        flipped = first[:-9] + ("A" if first[-9] != "A" else "B") + first[-8:]
        assert Browser(browser.manager, first).see() == {"role": "user"}
        assert Browser(browser.manager, flipped).see() == {}

    def test_no_file_is_called_like_an_id(self, tmp_path: Path) -> None:
        browser = Browser(SessionManager(open_store(f"file:///{tmp_path}/sessions")))
        browser.put(a=1)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files
        assert not any(str(browser.value) in str(path) for path in files)
        assert not any(str(browser.value).encode() in path.read_bytes() for path in files)

    def test_keys_stay_what_they_were(self, browser: Browser) -> None:
        session: t.Any = browser.open()

        for key in (1, b"key", None):
            with pytest.raises(TypeError, match="text"):
                session[key] = 1

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
