"""A login, a logout of part, and a new id without either."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import Session
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.errors import ValueNotSupported
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import FullStore


class TestOwner:
    def test_bind_renews_and_keeps_what_nobody_owned(self, browser: Browser) -> None:
        browser.put(cart=[1])
        before = browser.value
        public_id = browser.open().public_id
        assert isinstance(browser.log_in("ann"), Set)
        session = browser.open()
        assert browser.value != before
        assert (session.owner, dict(session), session.public_id) == (
            "ann",
            {"cart": [1]},
            public_id,
        )

    def test_an_owner_may_be_a_number(self, browser: Browser) -> None:
        browser.visit(lambda session: session.bind(7))
        assert browser.open().owner == "7"

    @pytest.mark.parametrize("owner", ["", "a" * 256, "a\n", "\0", None, True, 1.5, b"ann"])
    def test_what_cannot_be_an_owner_is_refused(self, browser: Browser, owner: t.Any) -> None:
        with pytest.raises(ConfigurationError, match="owner"):
            browser.open().bind(owner)

    def test_another_owner_gets_only_what_is_assigned_afterwards(self, browser: Browser) -> None:
        browser.log_in("ann", secret=1, theme="dark")
        public_id = browser.open().public_id

        def view(session: Session) -> None:
            session["before"] = 1
            session.bind("bob", keep=["theme"])
            assert dict(session) == {"theme": "dark"}
            session["after"] = 1

        browser.visit(view)
        session = browser.open()
        assert (session.owner, dict(session)) == ("bob", {"theme": "dark", "after": 1})
        assert session.public_id != public_id

    def test_the_same_owner_again_gets_a_new_id_and_keeps_the_data(self, browser: Browser) -> None:
        browser.log_in("ann", a=1)
        before = browser.value
        browser.log_in("ann")
        assert browser.value != before
        assert browser.see() == {"a": 1}

    def test_the_old_id_is_dead_at_once(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        old = browser.twin()
        browser.log_in("ann")
        assert old.open().state == "superseded"
        assert old.see() == {}
        assert [record.owner for record in store.records().values()] == [None, "ann"]

    def test_form_tokens_go_when_the_owner_changes(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(form_tokens=["csrf"]))
        browser.put(csrf="old", a=1)
        browser.log_in("ann")
        assert browser.see() == {"a": 1}
        browser.put(csrf="anns")
        browser.log_in("ann")
        assert browser.see() == {"a": 1, "csrf": "anns"}
        browser.log_in("bob", csrf="bobs")
        assert browser.see() == {"csrf": "bobs"}

    def test_a_form_token_assigned_before_bind_stays(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(form_tokens=["csrf"]))
        browser.put(csrf="old")

        def view(session: Session) -> None:
            session["csrf"] = "new"
            session.bind("ann")

        browser.visit(view)
        assert browser.see() == {"csrf": "new"}

    def test_meta_is_kept_with_the_session(self, browser: Browser) -> None:
        browser.visit(lambda session: session.bind("ann", agent="Firefox", n=1))
        assert browser.open().meta == {"agent": "Firefox", "n": 1}
        browser.visit(lambda session: session.bind("ann"))
        assert browser.open().meta == {}

    def test_meta_that_cannot_be_stored_changes_nothing(self, browser: Browser) -> None:
        browser.log_in("ann", a=1)
        session = browser.open()

        with pytest.raises(ValueNotSupported, match="meta"):
            session.bind("bob", agent=object())

        assert (session.owner, dict(session), session.modified) == ("ann", {"a": 1}, False)

    def test_a_login_restarts_the_absolute_limit_and_a_renewal_does_not(
        self, browser: Browser, clock: FakeClock
    ) -> None:
        browser.log_in("ann")
        clock.advance(10 * DAY)
        assert browser.visit(lambda session: session.renew()) == Set(
            t.cast(str, browser.value), int(80 * DAY)
        )
        assert browser.log_in("ann") == Set(t.cast(str, browser.value), int(90 * DAY))

    def test_unbind_keeps_messages_and_form_tokens_under_a_new_id(
        self, make_manager: MakeManager
    ) -> None:
        browser = Browser(make_manager(form_tokens=["csrf"]))
        browser.log_in("ann", csrf="token", secret=1)
        old, public_id = browser.twin(), browser.open().public_id

        def view(session: Session) -> None:
            session["csrf"] = "changed"
            messages = session.flash["messages"] = ["bye"]
            messages.append("bye bye")
            session.unbind()
            assert session.owner is None

        browser.visit(view)
        session = browser.open()
        assert (session.owner, dict(session)) == (None, {"csrf": "changed"})
        assert session.flash["messages"] == ["bye", "bye bye"]
        assert session.public_id != public_id
        assert old.see() == {}

    def test_unbind_with_nothing_to_keep_ends_the_session(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.log_in("ann", a=1)
        assert browser.visit(lambda session: session.unbind()) == Delete()
        assert store.records() == {}


class TestRenew:
    def test_the_id_changes_and_the_data_stays(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        before = browser.value
        public_id = browser.open().public_id
        assert isinstance(browser.visit(lambda session: session.renew()), Set)
        assert browser.value != before
        assert (browser.see(), browser.open().public_id) == ({"a": 1}, public_id)
        assert browser.manager.count().live == 1
        assert len(store.records()) == 2, "the session and, for a minute, a stub"

    def test_without_a_session_there_is_nothing_to_renew(
        self, browser: Browser, store: FullStore
    ) -> None:
        assert browser.visit(lambda session: session.renew()) is None
        assert store.records() == {}

    def test_a_replaced_id_that_writes_nothing_gets_no_session(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.log_in("ann")
        late = browser.twin()
        browser.visit(lambda session: session.renew())
        stored = store.records()
        assert late.visit(lambda session: session.renew()) is None
        assert store.records() == stored

    def test_a_login_form_sent_twice_ends_logged_in_whichever_answer_is_kept(
        self, browser: Browser
    ) -> None:
        browser.put(cart=[1])
        second = browser.twin()
        assert isinstance(browser.log_in("ann"), Set)
        assert isinstance(second.log_in("ann", note=1), Set)
        assert browser.open().owner == second.open().owner == "ann"
        assert (browser.see(), second.see()) == ({"cart": [1]}, {"note": 1})
