"""What is written when a request ends, and by an early save."""

from __future__ import annotations

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import signals
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import SessionCommitted
from sessionkit.errors import SessionConflict
from sessionkit.testing import FakeClock
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import received


def put(session: Session) -> None:
    session["a"] = 1


class TestCommit:
    def test_it_is_idempotent(self, browser: Browser, store: FullStore) -> None:
        session = browser.open()
        session["a"] = 1
        instruction = browser.manager.commit(session)
        store.calls.clear()
        assert browser.manager.commit(session) is instruction
        assert browser.manager.commit(session, ok=False) is instruction
        assert store.calls == []

    def test_an_error_answer_makes_no_ordinary_writes(
        self, browser: Browser, store: FullStore
    ) -> None:
        assert browser.visit(put, ok=False) is None
        assert store.records() == {}
        browser.put(a=1)

        with received(signals.dropped) as dropped:
            browser.visit(lambda session: session.update(b=2), ok=False)

        assert [(e["keys"], e["reason"]) for e in dropped] == [({"b"}, "error_response")]
        assert browser.see() == {"a": 1}

    def test_neither_a_renewal_nor_a_login(self, browser: Browser) -> None:
        browser.put(a=1)
        value = browser.value
        assert browser.visit(lambda session: session.renew(), ok=False) is None
        assert browser.visit(lambda session: session.bind("ann"), ok=False) is None
        assert (browser.value, browser.open().owner) == (value, None)

    def test_what_was_saved_early_is_announced_whatever_the_status(self, browser: Browser) -> None:
        def view(session: Session) -> None:
            session["a"] = 1
            assert session.save()
            session["b"] = 2

        assert isinstance(browser.visit(view, ok=False), Set)
        assert browser.see() == {"a": 1}

        def renew(session: Session) -> None:
            session.renew()
            session.save()

        before = browser.value
        assert isinstance(browser.visit(renew, ok=False), Set)
        assert browser.value != before

    def test_two_requests_that_write_different_keys_both_survive(self, browser: Browser) -> None:
        browser.put(a=1)
        one, two = browser.open(), browser.open()
        one["one"], two["two"] = 1, 2

        with received(signals.merged) as merged:
            browser.manager.commit(one)
            browser.manager.commit(two)

        assert browser.see() == {"a": 1, "one": 1, "two": 2}
        assert [event["keys"] for event in merged] == [{"two"}]

    def test_one_that_is_always_overtaken_gives_up_after_the_timeout(
        self, browser: Browser, store: FullStore, clock: FakeClock
    ) -> None:
        browser.put(a=1)
        session = browser.open()
        session["b"] = 1

        def overtake() -> None:
            [(key, record)] = store.records().items()
            assert store.memory.swap(key, record, record._replace(version=record.version + 1))
            store.before["swap"] = overtake

        store.before["swap"] = overtake

        with pytest.raises(SessionConflict, match="commit_timeout"):
            browser.manager.commit(session)

        assert 2.0 <= sum(clock.slept) < 2.1
        assert max(clock.slept) <= 0.064

    def test_creating_never_overwrites(self, store: FullStore, clock: FakeClock) -> None:
        taken, free = b"\1" * 54, b"\2" * 54
        drawn = [taken, taken, taken, free]
        manager = SessionManager(
            store,
            clock=clock,
            sleep=clock.sleep,
            random_bytes=lambda count: drawn.pop(0),
        )
        one, two = Browser(manager), Browser(manager)
        one.put(name="one")
        two.put(name="two")
        assert one.value != two.value
        assert (one.see(), two.see()) == ({"name": "one"}, {"name": "two"})


class TestSave:
    def test_it_writes_now_and_says_so(self, browser: Browser, store: FullStore) -> None:
        session = browser.open()
        session["a"] = 1
        assert session.save() is True
        assert session.state == "live"
        assert len(store.records()) == 1
        assert isinstance(browser.keep(browser.manager.commit(session)), Set)
        assert browser.see() == {"a": 1}

    def test_a_new_session_is_created_even_if_it_is_empty(self, browser: Browser) -> None:
        assert isinstance(browser.visit(lambda session: session.save()), Set)
        assert browser.open().state == "live"

    def test_what_is_written_afterwards_is_saved_too(self, browser: Browser) -> None:
        def view(session: Session) -> None:
            session["cart"] = cart = [1]
            session.save()
            cart.append(2)
            session["b"] = 1

        browser.visit(view)
        assert browser.see() == {"cart": [1, 2], "b": 1}

    def test_it_is_false_where_the_session_is_gone(self, browser: Browser) -> None:
        browser.put(a=1)
        late, later = browser.open(), browser.open()
        late["b"] = later["b"] = 1
        browser.visit(lambda session: session.destroy())
        assert late.save() is False
        assert browser.manager.commit(late) is None
        assert later.manager.save(later) is False

    def test_saved_and_ended_in_one_request_leaves_no_cookie_behind(
        self, browser: Browser, store: FullStore
    ) -> None:
        def view(session: Session) -> None:
            session.bind("ann")
            session.save()
            session.destroy()
            session.manager.revoke_all("ann")

        assert browser.visit(view) == Delete()
        assert [record.owner for record in store.records().values()] == [None]

    def test_after_the_commit_it_raises(self, browser: Browser) -> None:
        session = browser.open()
        browser.manager.commit(session)

        with pytest.raises(SessionCommitted):
            session.save()
