"""The end of a session that the application wants."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit import Session
from sessionkit import signals
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import moment
from tests.core.support import received


@pytest.mark.parametrize("end", [Session.destroy, Session.clear])
class TestEnd:
    def test_it_deletes_record_and_cookie(
        self, browser: Browser, store: FullStore, end: cabc.Callable[[Session], None]
    ) -> None:
        browser.put(a=1)
        copy = browser.twin()
        assert browser.visit(end) == Delete()
        assert store.records() == {}
        assert copy.see() == {}

    def test_the_rest_of_the_request_sees_an_empty_session(
        self, browser: Browser, end: cabc.Callable[[Session], None]
    ) -> None:
        browser.log_in("ann", a=1)
        session = browser.open()
        assert session["a"] == 1
        end(session)
        assert (dict(session), session.owner, len(session.flash)) == ({}, None, 0)

    def test_what_is_written_afterwards_is_a_new_session(
        self, browser: Browser, end: cabc.Callable[[Session], None]
    ) -> None:
        browser.log_in("ann", a=1)
        before, public_id = browser.value, browser.open().public_id

        def view(session: Session) -> None:
            end(session)
            session["b"] = 2

        assert isinstance(browser.visit(view), Set)
        session = browser.open()
        assert browser.value != before
        assert (dict(session), session.owner) == ({"b": 2}, None)
        assert session.public_id != public_id
        assert session.created_at == moment(0)

    def test_it_is_carried_out_when_the_answer_is_an_error(
        self, browser: Browser, store: FullStore, end: cabc.Callable[[Session], None]
    ) -> None:
        browser.put(a=1)

        def view(session: Session) -> None:
            end(session)
            session["b"] = 2

        assert browser.visit(view, ok=False) == Delete()
        assert store.records() == {}

    def test_it_is_carried_out_although_what_was_written_afterwards_cannot_be_saved(
        self, browser: Browser, store: FullStore, end: cabc.Callable[[Session], None]
    ) -> None:
        for value in ("x" * 2_000_000, [object]):
            browser.put(a=1)

            def view(session: Session, value: t.Any = value) -> None:
                end(session)
                session["b"] = held = [] if type(value) is list else value
                if type(value) is list:
                    held.extend(value)

            with pytest.raises((ValueError, TypeError)):
                browser.visit(view)

            assert store.records() == {}

    def test_without_a_session_nothing_happens(
        self, browser: Browser, store: FullStore, end: cabc.Callable[[Session], None]
    ) -> None:
        assert browser.visit(end) is None
        browser.value = "unknown-id-of-40-characters-unknown-id-1"
        assert browser.visit(end) is None
        assert store.records() == {}

    def test_a_replaced_id_ends_what_replaced_it(
        self, browser: Browser, end: cabc.Callable[[Session], None]
    ) -> None:
        browser.log_in("ann", a=1)
        old = browser.twin()
        browser.visit(lambda session: session.renew())
        browser.visit(lambda session: session.renew())
        assert old.visit(end) == Delete()
        assert browser.see() == {}
        assert browser.manager.sessions_of("ann") == []

    def test_only_the_request_that_ended_it_deletes_the_cookie(
        self, browser: Browser, end: cabc.Callable[[Session], None]
    ) -> None:
        browser.put(a=1)
        slow = browser.open()
        end(slow)
        assert browser.twin().visit(end) == Delete()
        assert browser.manager.commit(slow) is None


def test_deleting_every_key_keeps_the_session(browser: Browser, store: FullStore) -> None:
    browser.put(a=1)
    assert browser.visit(lambda session: session.pop("a")) is None
    assert browser.open().state == "live"
    assert browser.see() == {}


def test_a_late_write_does_not_bring_an_ended_session_back(
    browser: Browser, store: FullStore
) -> None:
    browser.put(a=1)
    slow = browser.open()
    slow["b"] = 2
    browser.twin().visit(lambda session: session.destroy())

    with received(signals.dropped) as dropped:
        assert browser.manager.commit(slow) is None

    assert [(event["keys"], event["reason"]) for event in dropped] == [({"b"}, "ended")]
    assert store.records() == {}
