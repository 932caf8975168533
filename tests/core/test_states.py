"""What a session knows of itself, before it is loaded and when all is done."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import signals
from sessionkit.errors import SessionCommitted
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import moment
from tests.core.support import received

ACCESSES: dict[str, cabc.Callable[[Session], object]] = {
    "getitem": lambda session: session.get("a"),
    "setitem": lambda session: session.update(a=1),
    "delitem": lambda session: session.pop("a", None),
    "in": lambda session: "a" in session,
    "len": len,
    "bool": bool,
    "iter": iter,
    "keys": lambda session: list(session.keys()),
    "items": lambda session: list(session.items()),
    "values": lambda session: list(session.values()),
    "eq": lambda session: session == {},
    "ne": lambda session: session != {},
    "copy": lambda session: session.copy(),
    "clear": lambda session: session.clear(),
    "repr": repr,
    "str": str,
    "state": lambda session: session.state,
    "available": lambda session: session.available,
    "is_new": lambda session: session.is_new,
    "owner": lambda session: session.owner,
    "public_id": lambda session: session.public_id,
    "meta": lambda session: session.meta,
    "created_at": lambda session: session.created_at,
    "expires_at": lambda session: session.expires_at,
    "permanent": lambda session: session.permanent,
    "modified": lambda session: setattr(session, "modified", True),
    "set_expiry": lambda session: session.set_expiry(60),
    "mutate": lambda session: session.mutate("a", lambda value: value, 0),
    "flash": lambda session: session.flash.get("a"),
    "flash in": lambda session: "a" in session.flash,
    "bind": lambda session: session.bind("ann"),
    "unbind": lambda session: session.unbind(),
    "renew": lambda session: session.renew(),
    "destroy": lambda session: session.destroy(),
    "save": lambda session: session.save(),
}


class TestLaziness:
    @pytest.mark.parametrize("access", ACCESSES.values(), ids=ACCESSES.keys())
    def test_every_kind_of_access_is_noted(
        self, browser: Browser, access: cabc.Callable[[Session], object]
    ) -> None:
        session = browser.open()
        assert not session.accessed
        access(session)
        assert session.accessed

    def test_what_says_nothing_of_the_content_is_no_access(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        store.calls.clear()
        session = browser.open()
        assert (session.modified, session.committed, session.error) == (False, False, None)
        session.modified = False
        assert session.flash is session.flash
        assert session.cookie is browser.manager.cookie
        assert not session.accessed
        assert store.calls == []

    def test_repr_never_loads_and_shows_no_content(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(secret="value")
        store.calls.clear()
        session = browser.open()
        assert repr(session) == "<Session not loaded>"
        assert store.calls == []
        assert session["secret"] == "value"
        assert repr(session) == "<Session live, 1 keys>"

    def test_one_request_loads_once(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        store.calls.clear()
        session = browser.open()
        assert (session["a"], len(session), session.owner) == (1, 1, None)
        assert store.calls == ["get"]


class TestStates:
    def test_new(self, browser: Browser) -> None:
        session = browser.open()
        assert (session.state, session.is_new, session.new, session.available) == (
            "new",
            True,
            True,
            True,
        )
        assert (session.created_at, session.expires_at, session.owner) == (None, None, None)
        assert session.public_id is not None

    def test_live(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        session = browser.open()
        assert (session.state, session.is_new, session.available) == ("live", False, True)
        assert session.created_at == moment(0)
        assert session.expires_at == moment(DAY)

    def test_superseded(self, browser: Browser) -> None:
        browser.log_in("ann", a=1)
        old = browser.twin()
        browser.visit(lambda session: session.renew())
        session = old.open()
        assert (session.state, session.is_new, session.available) == ("superseded", False, False)
        assert (dict(session), bool(session), len(session)) == ({}, False, 0)
        assert (session.owner, session.public_id, session.created_at, session.expires_at) == (
            None,
        ) * 4
        assert session.meta == {}

    def test_writes_to_a_superseded_session_are_dropped_with_a_signal(
        self, browser: Browser
    ) -> None:
        browser.put(a=1)
        old = browser.twin()
        browser.visit(lambda session: session.renew())

        with received(signals.dropped) as dropped:
            assert old.put(b=2) is None

        assert [(event["keys"], event["reason"]) for event in dropped] == [({"b"}, "superseded")]
        assert browser.see() == {"a": 1}

    def test_a_superseded_session_shows_form_tokens_and_nothing_else(
        self, make_manager: MakeManager
    ) -> None:
        browser = Browser(make_manager(form_tokens=["csrf"]))
        browser.put(csrf="token", a=1)
        old = browser.twin()
        browser.visit(lambda session: session.renew())
        session = old.open()
        assert (session.get("csrf"), session.get("a")) == ("token", None)
        assert (len(session), dict(session)) == (0, {})

    def test_after_a_minute_the_old_id_is_unknown(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        old = browser.twin()
        browser.visit(lambda session: session.renew())
        clock.advance(60)
        assert old.open().state == "new"


class TestModified:
    def test_it_tells_whether_a_commit_would_write(self, browser: Browser) -> None:
        browser.put(cart=[])
        session = browser.open()
        assert not session.modified
        cart = session["cart"]
        assert not session.modified
        cart.append(1)
        assert session.modified
        cart.clear()
        assert not session.modified

    def test_setting_it_makes_the_commit_write(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        store.calls.clear()
        browser.visit(lambda session: setattr(session, "modified", True))
        assert store.calls == ["get", "swap"]

    def test_an_intent_counts(self, browser: Browser) -> None:
        browser.put(a=1)
        session = browser.open()
        session.renew()
        assert session.modified


class TestAfterTheCommit:
    @pytest.fixture
    def committed(self, browser: Browser) -> Session:
        browser.log_in("ann", a=1)
        session = browser.open()
        browser.manager.commit(session)
        return session

    def test_reads_work(self, committed: Session) -> None:
        assert (committed["a"], committed.owner, committed.state) == (1, "ann", "live")

    @pytest.mark.parametrize(
        "write",
        [
            lambda session: session.update(a=2),
            lambda session: session.pop("a"),
            lambda session: session.clear(),
            lambda session: session.mutate("a", lambda value: value),
            lambda session: session.save(),
            lambda session: session.renew(),
            lambda session: session.bind("bob"),
            lambda session: session.unbind(),
            lambda session: session.destroy(),
            lambda session: session.set_expiry(60),
            lambda session: setattr(session, "permanent", False),
            lambda session: setattr(session, "modified", True),
            lambda session: session.flash.__setitem__("a", 1),
        ],
    )
    def test_writes_raise_and_say_what_to_do(
        self, committed: Session, browser: Browser, write: cabc.Callable[[Session], object]
    ) -> None:
        with pytest.raises(SessionCommitted, match="before the response is returned"):
            write(committed)

        assert (browser.see(), browser.open().owner) == ({"a": 1}, "ann")


def test_no_id_shows_in_any_repr_or_error(browser: Browser, manager: SessionManager) -> None:
    browser.log_in("ann", a=1)
    session = browser.open()
    shown = [repr(session), repr(manager), repr(session.loaded_draft), str(session)]
    session["a"] = 2
    shown.append(repr(manager.commit(session)))

    with pytest.raises(SessionCommitted) as raised:
        session["a"] = 3

    shown += [str(raised.value), repr(raised.value)]
    assert browser.value is not None
    assert not any(browser.value in text for text in shown)
