"""V's `x.sessions`: signed ids, the store, the manager, cookie options, pre-sessions, in our idiom.

The last class holds what that library got wrong and we do not.
"""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import datetime
import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionMiddleware
from sessionkit import SessionPolicy
from sessionkit import Typed
from sessionkit import tokens
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.errors import SessionConflict
from sessionkit.errors import UnsupportedOperation
from sessionkit.errors import ValueNotSupported
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import PlainStore
from tests.wsgi.support import Client


@dataclasses.dataclass
class User:
    name: str = ""
    visits: int = 0


class TestSignedIds:
    def test_new_session_id(self) -> None:
        session_id = tokens.new_id()
        signed = tokens.sign(session_id, ["secret"])
        assert signed.startswith(f"{session_id}.")
        assert tokens.verify(signed, ["secret"]) == session_id

    @pytest.mark.parametrize(
        "value", ["", ".", "no-dot", "a.b", "a.b.c", "u" * 40 + "." + "s" * 43]
    )
    def test_verify_session_id_of_what_is_not_ours(self, value: str) -> None:
        assert tokens.verify(value, ["secret"]) is None

    def test_a_wrong_secret(self) -> None:
        assert tokens.verify(tokens.sign(tokens.new_id(), ["secret"]), ["other"]) is None


class TestStore:
    def test_get_set_destroy(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        browser.put(a=2)
        assert browser.see() == {"a": 2}
        browser.visit(Session.destroy)
        assert store.records() == {}

    def test_all_and_clear(self, manager: SessionManager, store: FullStore) -> None:
        for number in range(3):
            Browser(manager).put(number=number)

        assert sorted(stored.values["number"] for stored in manager.all()) == [0, 1, 2]
        assert len(list(store.keys())) == manager.count().live == 3
        assert store.clear() == 3
        assert manager.count().live == 0

    def test_a_store_of_ones_own(self, make_manager: MakeManager, clock: FakeClock) -> None:
        browser = Browser(make_manager(on=PlainStore(clock)))
        browser.put(a=1)
        browser.log_in("ann")
        assert browser.see() == {"a": 1}

    def test_it_works_without_the_web(self, manager: SessionManager) -> None:
        session = manager.start("batch-job-of-the-22nd-of-may")
        session["done"] = 7
        assert session.save()
        assert dict(manager.start("batch-job-of-the-22nd-of-may")) == {"done": 7}


class TestSessions:
    def test_validate_session(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(secrets=["secret"]))
        browser.put(a=1)
        assert browser.open().state == "live"
        assert Browser(browser.manager, f"{browser.value}x").open().state == "new"

    def test_get_tells_expired_ended_and_unknown(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        ended, unknown, nobody = browser.twin(), browser.twin(), Browser(browser.manager)
        unknown.value = "u" * 40
        clock.advance(24 * 3600)
        ended.log_in("ann")
        revoked = ended.twin()
        assert browser.manager.revoke_all("ann") == 1
        found = [each.open() for each in (browser, revoked, unknown, nobody)]
        assert [dict(session) for session in found] == [{}] * 4
        assert [session.state for session in found] == ["new"] * 4
        assert [session.ended_reason for session in found] == [
            "expired",
            "revoked",
            "unknown",
            None,
        ]

    def test_destroy_and_logout(self, browser: Browser, store: FullStore) -> None:
        browser.log_in("ann")
        assert browser.visit(Session.destroy) == Delete()
        assert store.records() == {}

    def test_set_session_id_before_there_is_anything_to_store(self, browser: Browser) -> None:
        instruction = browser.visit(Session.save)
        assert isinstance(instruction, Set)
        assert browser.open().state == "live"
        assert browser.open().public_id is not None

    def test_save_uninitialized_is_off(self, browser: Browser, store: FullStore) -> None:
        assert browser.visit(len) is None
        assert store.records() == {}

    def test_max_age(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(absolute_timeout=600))
        assert browser.put(a=1) == Set(str(browser.value), 600)
        assert SessionPolicy(absolute_timeout=None).absolute_timeout is None

    def test_cookie_options(self) -> None:
        options = CookieOptions("sid", "/", None, False, True, "Strict")
        assert options.set_header(Set("id", None), https=True) == (
            "sid=id; Path=/; HttpOnly; SameSite=Strict"
        )

    def test_a_session_knows_its_type(self, browser: Browser) -> None:
        user = Typed(User)
        browser.visit(lambda session: setattr(user(session), "name", "ann"))
        found = user(browser.open())
        assert (found.name, found.visits) == ("ann", 0)

        with pytest.raises(ValueNotSupported, match="visits"):
            found.visits = t.cast(t.Any, "many")

    def test_a_form_that_was_sent_twice_has_its_token_and_a_stranger_has_not(
        self, make_manager: MakeManager
    ) -> None:
        browser = Browser(make_manager(form_tokens=("csrf",)))
        browser.put(csrf="of nobody")
        before = browser.twin()
        browser.log_in("ann")
        assert before.open().get("csrf") == "of nobody"
        assert "csrf" not in browser.open()


class TestNotShared:
    def test_the_name_of_the_cookie_is_signed_too(self) -> None:
        signed = tokens.sign(tokens.new_id(), ["secret"], "one")
        assert tokens.verify(signed, ["secret"], "two") is None

    def test_no_limit_is_none_and_not_nought(self) -> None:
        assert SessionPolicy(idle_timeout=None, absolute_timeout=None).idle_timeout is None

        with pytest.raises(ConfigurationError, match="absolute_timeout must be more than 0"):
            SessionPolicy(absolute_timeout=0)

    def test_a_duration_is_in_seconds_in_the_cookie(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(absolute_timeout=datetime.timedelta(minutes=10)))
        assert browser.put(a=1) == Set(str(browser.value), 600)

    def test_a_session_in_use_goes_on_until_the_absolute_limit(
        self, make_manager: MakeManager, clock: FakeClock
    ) -> None:
        browser = Browser(make_manager(idle_timeout=10, absolute_timeout=25))
        browser.log_in("ann")
        seen = []

        for _ in range(4):
            clock.advance(8)
            seen.append(browser.open().owner)
            browser.see()

        assert seen == ["ann", "ann", "ann", None]

    def test_of_two_requests_that_create_one_id_the_second_overwrites_nothing(
        self, manager: SessionManager
    ) -> None:
        one, two = (manager.start("batch-job-of-the-22nd-of-may") for _ in range(2))
        one["one"], two["two"] = 1, 2
        assert one.save()

        with pytest.raises(SessionConflict):
            two.save()

        assert dict(manager.start("batch-job-of-the-22nd-of-may")) == {"one": 1}

    def test_a_new_id_is_really_given_and_the_old_one_is_dead(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        old = browser.twin()
        assert isinstance(browser.visit(Session.renew), Set)
        assert old.value != browser.value
        assert (old.see(), browser.see()) == ({}, {"a": 1})

    def test_logging_out_deletes_the_cookie_at_its_own_path_and_domain(
        self, make_manager: MakeManager
    ) -> None:
        def app(environ: t.Any, start_response: t.Any) -> cabc.Iterable[bytes]:
            session = environ["sessionkit.session"]
            session.destroy() if environ["PATH_INFO"] == "/logout" else session.bind("ann")
            start_response("200 OK", [])
            return []

        options = CookieOptions(path="/deep", domain="example.com", secure=True)
        client = Client(SessionMiddleware(app, make_manager(cookie=options)))
        client.get()
        deleted = str(client.get("/logout").get("Set-Cookie"))
        assert deleted == (
            "sid=; Path=/deep; Max-Age=0; Domain=example.com; Secure; HttpOnly; SameSite=Lax"
        )

    def test_an_invalid_signature_hands_out_no_id(self) -> None:
        assert tokens.verify(f"{tokens.new_id()}.forged", ["secret"]) is None

    def test_no_way_in_skips_the_signature(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(secrets=["secret"]))
        browser.put(a=1)
        bare = str(tokens.verify(str(browser.value), ["secret"]))
        assert Browser(browser.manager, bare).see() == {}
        assert Browser(browser.manager, f"{bare}.forged").see() == {}
        assert browser.manager.load(f"{bare}.forged") is None

    def test_a_change_of_secrets_ends_what_the_old_one_signed(
        self, make_manager: MakeManager
    ) -> None:
        browser = Browser(make_manager(secrets=["old"]))
        browser.put(a=1)
        assert Browser(make_manager(secrets=["new"]), browser.value).see() == {}

    def test_data_saved_without_an_id_is_not_dropped(self, manager: SessionManager) -> None:
        session = manager.open()
        session["a"] = 1
        assert session.save() is True
        assert isinstance(manager.commit(session), Set)

    @pytest.mark.parametrize("call", [SessionManager.count, SessionManager.purge])
    def test_what_a_store_cannot_do_does_not_succeed_in_silence(
        self,
        make_manager: MakeManager,
        clock: FakeClock,
        call: cabc.Callable[[SessionManager], int],
    ) -> None:
        with pytest.raises(UnsupportedOperation):
            call(make_manager(on=PlainStore(clock)))

    def test_an_expired_id_is_not_revived(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        expired = browser.twin()
        clock.advance(10**6)
        browser.put(b=1)
        assert browser.value != expired.value
        assert expired.see() == {}

    def test_what_is_written_after_logging_out_gets_another_id(self, browser: Browser) -> None:
        browser.log_in("ann")
        old = browser.twin()

        def view(session: Session) -> None:
            session.destroy()
            session["a"] = 1

        browser.visit(view)
        assert old.value != browser.value
        assert old.see() == {}
        assert browser.see() == {"a": 1}

    def test_expired_ones_are_not_counted_and_can_be_removed(
        self, manager: SessionManager, clock: FakeClock, store: FullStore
    ) -> None:
        Browser(manager).put(a=1)
        clock.advance(10**6)
        assert (manager.count().live, list(manager.all())) == (0, [])
        assert manager.purge() == 1
        assert store.records() == {}
