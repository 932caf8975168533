"""Login, logout and end."""

from __future__ import annotations

from sessionkit import Session
from sessionkit import signals
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from tests.core.sealed.support import MakeSealed
from tests.core.support import Browser
from tests.core.support import received


class TestWhoseItIs:
    def test_a_login_keeps_what_was_nobodys(self, browser: Browser) -> None:
        browser.put(cart=["tea"])
        public_id = browser.open().public_id
        browser.visit(lambda session: session.bind("ann", device="phone"))
        session = browser.open()
        assert dict(session) == {"cart": ["tea"]}
        assert session.owner == "ann"
        assert session.meta == {"device": "phone"}
        assert session.public_id == public_id

    def test_another_owner_sees_nothing_of_the_one_before(self, browser: Browser) -> None:
        browser.log_in("ann", secret=1)
        public_id = browser.open().public_id
        browser.log_in("bob", mine=2)
        session = browser.open()
        assert dict(session) == {"mine": 2}
        assert session.owner == "bob"
        assert session.public_id != public_id

    def test_unbind_keeps_form_tokens_and_flash(self, make_sealed: MakeSealed) -> None:
        browser = Browser(make_sealed(form_tokens=("csrf",)))
        browser.log_in("ann", a=1, csrf="token")

        def log_out(session: Session) -> None:
            session.flash["note"] = "bye"
            session.unbind()

        assert isinstance(browser.visit(log_out), Set)
        session = browser.open()
        assert session.owner is None
        assert dict(session) == {"csrf": "token"}
        assert session.flash["note"] == "bye"

    def test_destroy_deletes_the_cookie(self, browser: Browser) -> None:
        browser.log_in("ann")

        with received(signals.destroyed) as destroyed:
            assert browser.visit(lambda session: session.destroy()) == Delete()

        assert [event["reason"] for event in destroyed] == ["ended"]

    def test_destroy_is_carried_out_in_an_error_answer(self, browser: Browser) -> None:
        browser.log_in("ann")
        assert browser.visit(lambda session: session.destroy(), ok=False) == Delete()

    def test_what_follows_an_end_is_another_session(self, browser: Browser) -> None:
        browser.log_in("ann", a=1)
        before = browser.open().public_id

        def view(session: Session) -> None:
            session.clear()
            session["b"] = 2

        assert isinstance(browser.visit(view), Set)
        session = browser.open()
        assert dict(session) == {"b": 2}
        assert session.owner is None
        assert session.public_id != before

    def test_a_saved_session_that_is_ended_is_deleted(self, browser: Browser) -> None:
        def view(session: Session) -> None:
            session["a"] = 1
            session.save()
            session.destroy()

        assert browser.visit(view) == Delete()

    def test_the_signals_of_a_life(self, browser: Browser) -> None:
        names = ("created", "saved", "renewed", "destroyed")
        seen: list[str] = []

        for name in names:
            signal = getattr(signals, name)
            signal.connect(
                lambda _, name=name, **__: seen.append(name), browser.manager, weak=False
            )

        browser.put(a=1)
        browser.put(a=2)
        browser.log_in("ann")
        browser.visit(lambda session: session.renew())
        browser.visit(lambda session: session.destroy())
        assert seen == ["created", "saved", "renewed", "renewed", "destroyed"]
