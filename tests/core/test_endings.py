"""Why a session is over: what is kept of it, and who is told."""

from __future__ import annotations

import pytest

from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import signals
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.encryption import EncryptedStore
from sessionkit.errors import ConfigurationError
from sessionkit.keys import new_key
from sessionkit.payload import Stub
from sessionkit.payload import pack_stub
from sessionkit.store import Record
from sessionkit.testing import FakeClock
from sessionkit.tokens import digest
from tests.core.support import ended_reason

from .conftest import MakeManager
from .support import DAY
from .support import NOW
from .support import Browser
from .support import FullStore
from .support import received


def destroy(session: Session) -> None:
    session.destroy()


def the_record(browser: Browser, store: FullStore) -> Record:
    return store.records()[digest(browser.value or "")]


class TestReason:
    def test_there_is_none_without_a_cookie_of_ours(self, make_manager: MakeManager) -> None:
        assert ended_reason(Browser(make_manager())) is None
        assert ended_reason(Browser(make_manager(), "garbage")) is None
        assert ended_reason(Browser(make_manager(secrets=["s" * 32]), "x" * 40)) is None

    def test_there_is_none_for_a_session_that_goes_on(self, browser: Browser) -> None:
        browser.log_in("ann")
        late = browser.twin()
        browser.visit(lambda session: session.renew())
        assert ended_reason(browser) is None
        assert late.open().state == "superseded"
        assert ended_reason(late) is None

    def test_revoked(self, revoked: Browser) -> None:
        session = revoked.open()
        assert (session.ended_reason, session.state) == ("revoked", "new")
        assert (dict(session), session.owner, session.is_new) == ({}, None, True)
        assert revoked.manager.commit(session) is None

    def test_one_of_several_revoked(self, manager: SessionManager, browser: Browser) -> None:
        other = Browser(manager)
        browser.log_in("ann")
        other.log_in("ann")
        assert manager.revoke("ann", other.open().public_id or "")
        assert (ended_reason(browser), ended_reason(other)) == (None, "revoked")

    def test_expired(self, browser: Browser, clock: FakeClock) -> None:
        browser.log_in("ann")
        clock.advance(14 * DAY)
        assert ended_reason(browser) == "expired"

    def test_expired_by_a_limit_that_is_new(
        self, make_manager: MakeManager, browser: Browser, clock: FakeClock
    ) -> None:
        browser.log_in("ann")
        clock.advance(10.0)
        assert ended_reason(Browser(make_manager(absolute_timeout=5), browser.value)) == "expired"

    def test_who_has_logged_out_needs_not_be_told(self, browser: Browser) -> None:
        browser.log_in("ann")
        late = browser.twin()
        browser.visit(destroy)
        assert ended_reason(late) == "unknown"

    def test_it_is_forgotten_after_an_hour(self, revoked: Browser, clock: FakeClock) -> None:
        clock.advance(3599)
        assert ended_reason(revoked) == "revoked"
        clock.advance(1)
        assert ended_reason(revoked) == "unknown"

    @pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
    def test_of_two_cookies_the_live_one_counts(
        self, manager: SessionManager, revoked: Browser, first: int, second: int
    ) -> None:
        live = Browser(manager)
        live.log_in("bob")
        cookies = [revoked.header, live.header]
        session = manager.open(f"{cookies[first]}; {cookies[second]}")
        assert (session.owner, session.ended_reason) == ("bob", None)

    @pytest.mark.parametrize("order", [1, -1])
    def test_of_two_reasons_the_better_one_counts(self, revoked: Browser, order: int) -> None:
        cookies = [revoked.header or "", "sid=" + "x" * 40][::order]
        assert revoked.manager.open("; ".join(cookies)).ended_reason == "revoked"

    def test_one_that_is_not_known_is_unknown(self, revoked: Browser, store: FullStore) -> None:
        record = the_record(revoked, store)
        payload = pack_stub(Stub("<script>", None, {}))
        later = record._replace(payload=payload, version=record.version + 1)
        assert store.swap(digest(revoked.value or ""), record, later)
        assert (ended_reason(revoked), revoked.open().state) == ("unknown", "new")

    def test_it_stands_in_no_store_in_the_clear(
        self, make_manager: MakeManager, store: FullStore
    ) -> None:
        browser = Browser(make_manager(on=EncryptedStore(store, [new_key()])))
        browser.log_in("ann")
        browser.manager.revoke_all("ann")
        assert ended_reason(browser) == "revoked"
        assert b"revoked" not in the_record(browser, store).payload

    def test_that_of_a_sealed_session(self, clock: FakeClock) -> None:
        policy = SessionPolicy(idle_timeout=100)
        sealed = SealedSessionManager([new_key()], policy=policy, clock=clock)
        browser = Browser(sealed)
        assert ended_reason(browser) is None
        browser.log_in("ann")
        assert ended_reason(browser) is None
        clock.advance(100)
        assert ended_reason(browser) == "expired"
        assert ended_reason(Browser(sealed, "x" * 40)) is None
        live = Browser(sealed)
        live.put(a=1)
        assert sealed.open(f"{browser.header}; {live.header}").ended_reason is None

    def test_a_signal_tells_of_its_use(self, revoked: Browser) -> None:
        with received(signals.rejected) as events:
            ended_reason(revoked)
        assert [event["reason"] for event in events] == ["revoked"]


class TestStub:
    def test_asvs_7_4_1_it_is_never_brought_back(
        self, revoked: Browser, store: FullStore, clock: FakeClock
    ) -> None:
        before, ended = the_record(revoked, store), revoked.twin()
        clock.advance(1000)

        # Such as a login page, which writes a token for its form.
        instruction = revoked.put(csrf_token="token")

        assert isinstance(instruction, Set)
        assert revoked.value != ended.value
        assert revoked.see() == {"csrf_token": "token"}
        assert the_record(ended, store) == before
        assert ended_reason(ended) == "revoked"

    def test_it_holds_no_data_and_no_owner(self, revoked: Browser, store: FullStore) -> None:
        record = the_record(revoked, store)
        assert (record.owner, record.expires_at) == (None, NOW + 3600)
        assert record.payload == pack_stub(Stub("revoked", None, {}))

    def test_it_is_not_listed_nor_ended_again(self, revoked: Browser) -> None:
        manager, public_id = revoked.manager, revoked.open().public_id or ""
        assert manager.sessions_of("ann") == []
        assert (manager.revoke("ann", public_id), manager.revoke_all("ann")) == (False, 0)
        assert manager.load(revoked.value or "") is None

    def test_somebody_logs_in_on_it(self, revoked: Browser) -> None:
        def log_in(session: Session) -> None:
            session.bind("ann")
            session.save()
            assert session.ended_reason is None

        ended = revoked.twin()
        revoked.visit(log_in)
        assert (revoked.open().owner, revoked.open().ended_reason) == ("ann", None)
        assert ended_reason(ended) == "revoked"

    def test_server_code_cannot_choose_its_id(self, revoked: Browser, clock: FakeClock) -> None:
        with pytest.raises(ConfigurationError, match="replaced or ended"):
            revoked.manager.start(revoked.value)
        clock.advance(3600)
        session = revoked.manager.start(revoked.value)
        assert session.save()

    def test_server_code_has_chosen_its_id_before(self, manager: SessionManager) -> None:
        chosen = "x" * 40
        first, second = manager.start(chosen), manager.start(chosen)
        first.bind("ann")
        first.save()
        manager.revoke_all("ann")
        # It was free when it was chosen.
        with pytest.raises(Exception, match="its id is in use"):
            second.save()
        assert manager.load(chosen) is None

    def test_a_full_store_ends_it_without_a_reason(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.log_in("ann")
        store.fail("swap", unreachable=False)
        assert browser.manager.revoke_all("ann") == 1
        store.recover()
        assert (ended_reason(browser), store.records()) == ("unknown", {})


class TestLogout:
    def test_the_cookie_goes_and_nothing_is_ended_again(self, revoked: Browser) -> None:
        with received(signals.destroyed) as events:
            assert revoked.visit(destroy) == Delete()
        assert (events, revoked.value) == ([], None)

    def test_also_with_an_error_page(self, revoked: Browser) -> None:
        assert revoked.visit(destroy, ok=False) == Delete()

    def test_what_is_written_afterwards_is_a_new_session(self, revoked: Browser) -> None:
        def say_good_bye(session: Session) -> None:
            session.destroy()
            session.flash["message"] = "Good bye!"

        assert isinstance(revoked.visit(say_good_bye), Set)
        assert revoked.open().flash["message"] == "Good bye!"

    def test_of_a_request_that_was_slower(self, browser: Browser) -> None:
        browser.log_in("ann")
        slow = browser.open()
        slow.destroy()
        browser.manager.revoke_all("ann")
        with received(signals.destroyed) as events:
            assert browser.keep(browser.manager.commit(slow)) == Delete()
        assert events == []

    def test_under_an_id_that_was_replaced_before(self, browser: Browser) -> None:
        browser.log_in("ann")
        late = browser.twin()
        browser.visit(lambda session: session.renew())
        browser.manager.revoke_all("ann")
        assert late.visit(destroy) == Delete()

    def test_no_other_answer_deletes_the_cookie(self, revoked: Browser) -> None:
        assert revoked.visit(lambda session: session.get("cart")) is None
        assert revoked.visit(lambda session: session.renew()) is None
        assert revoked.value is not None
