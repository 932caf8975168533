"""The manager: where a cookie leads, when something is written, and what the browser is told."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import signals
from sessionkit import tokens
from sessionkit.cookie import MAX_AGE_LIMIT
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.errors import NewerFormat
from sessionkit.errors import PayloadTooLarge
from sessionkit.errors import SessionCommitted
from sessionkit.errors import SessionConflict
from sessionkit.errors import StoreUnavailable
from sessionkit.errors import UnsupportedOperation
from sessionkit.store import Record
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import NEWER
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import PlainStore
from tests.core.support import received

UNKNOWN = "unknown-id-of-forty-characters-unknown-id"


def put(session: Session) -> None:
    session["a"] = 1


def replace_payload(store: FullStore, payload: bytes) -> None:
    for key, record in store.records().items():
        changed = record._replace(payload=payload, version=record.version + 1)
        assert store.memory.swap(key, record, changed)


class TestWhichSession:
    def test_an_unknown_id_is_never_adopted(self, manager: SessionManager) -> None:
        browser = Browser(manager, UNKNOWN)
        assert browser.put(a=1) is not None
        assert browser.value != UNKNOWN
        assert Browser(manager, UNKNOWN).see() == {}

    def test_what_the_store_knows_does_not_work_as_a_cookie(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.log_in("ann", a=1)
        assert browser.value is not None
        [(key, record)] = store.records().items()
        assert key == tokens.digest(browser.value)
        assert browser.value.encode() not in record.payload
        public_id = t.cast(str, browser.open().public_id)

        for value in (key, key[:40], public_id):
            assert Browser(browser.manager, value).open().state == "new"

    @pytest.mark.parametrize(
        "header", ["sid={0}; sid={1}", "sid={1}; sid={0}", "sid=; sid=!; sid={1}"]
    )
    def test_of_several_cookies_the_live_one_wins(self, browser: Browser, header: str) -> None:
        browser.put(a=1)
        assert dict(browser.manager.open(header.format(UNKNOWN, browser.value))) == {"a": 1}

    def test_of_two_live_ones_the_first_wins(self, manager: SessionManager) -> None:
        one, two = Browser(manager), Browser(manager)
        one.put(name="one")
        two.put(name="two")
        assert manager.open(f"sid={one.value}; sid={two.value}")["name"] == "one"

    def test_a_live_one_wins_over_a_superseded_one(self, browser: Browser) -> None:
        browser.put(a=1)
        old = browser.value
        browser.visit(lambda session: session.renew())
        assert browser.manager.open(f"sid={old}; sid={browser.value}").state == "live"
        assert browser.manager.open(f"sid={old}; sid={UNKNOWN}").state == "superseded"

    def test_at_most_four_are_looked_at_and_two_looked_up(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        store.calls.clear()
        unknown = [tokens.new_id() for _ in range(100)]
        session = browser.manager.open("; ".join(f"sid={value}" for value in unknown))
        assert session.state == "new"
        assert store.calls == ["get", "get"]
        late = browser.manager.open(f"sid=!; sid=!; sid=!; sid=!; sid={browser.value}")
        assert late.state == "new"

    @pytest.mark.parametrize(
        "value",
        [
            "",
            '"',
            "%00",
            "\xff",
            "é",
            "../../etc/passwd",
            "x" * 9000,
            "a\nb",
            "\0" * 40,
            "a b",
            "=",
            ",",
        ],
    )
    @pytest.mark.parametrize("secrets", [None, ["secret"]])
    def test_hostile_values_are_refused_without_asking_the_store(
        self, make_manager: MakeManager, store: FullStore, value: str, secrets: list[str] | None
    ) -> None:
        manager = make_manager(secrets=secrets)

        with received(signals.rejected) as rejected:
            assert dict(manager.open(f"sid={value}")) == {}

        assert store.calls == []
        assert [event["reason"] for event in rejected] == ["malformed"]

    def test_reading_makes_no_record_and_no_cookie(
        self, manager: SessionManager, store: FullStore
    ) -> None:
        for value in (None, UNKNOWN, tokens.new_id()):
            assert Browser(manager, value).visit(lambda session: session.get("a")) is None

        assert store.records() == {}


class TestRecords:
    @pytest.mark.parametrize(
        "payload",
        [b"", b"\0", b"null", b"[]", b"\x01", b"\x01L", b"\x80\x04K\x01.", b"\xfe" * 99],
    )
    def test_a_damaged_record_is_an_absent_one(
        self, browser: Browser, store: FullStore, payload: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        browser.put(a="secret")
        replace_payload(store, payload)

        with received(signals.rejected) as rejected:
            assert browser.see() == {}

        assert [event["reason"] for event in rejected] == ["corrupt"]
        assert len(caplog.messages) == 1
        assert str(browser.value) not in caplog.text

    def test_every_truncation_is_noticed(self, browser: Browser, store: FullStore) -> None:
        browser.put(a="value")
        [record] = store.records().values()

        for length in range(len(record.payload)):
            replace_payload(store, record.payload[:length])
            assert browser.see() == {}

    def test_a_newer_format_is_unavailable_and_never_overwritten(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        value = browser.value
        replace_payload(store, NEWER)
        stored = store.records()

        with pytest.raises(NewerFormat):
            browser.put(a=2)

        with pytest.raises(StoreUnavailable):
            browser.manager.save(browser.open())

        assert browser.open().state == "unavailable"
        assert (store.records(), browser.value) == (stored, value)

    def test_a_newer_format_that_appears_meanwhile_is_not_overwritten(
        self, browser: Browser, store: FullStore
    ) -> None:
        browser.put(a=1)
        session = browser.open()
        session["a"] = 2
        replace_payload(store, NEWER)

        with pytest.raises(NewerFormat):
            browser.manager.commit(session)

        assert [record.payload for record in store.records().values()] == [NEWER]

    def test_an_expired_record_is_an_absent_one(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        clock.advance(DAY)

        with received(signals.expired) as expired:
            assert browser.open().state == "new"

        assert expired == [{"session": None, "owned": False}]

    def test_an_expired_id_is_not_revived(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        expired = browser.value
        clock.advance(DAY)
        browser.put(b=1)
        assert browser.value != expired
        assert browser.see() == {"b": 1}


class TestTimeouts:
    def test_idle_timeout_is_kept_by_the_server(
        self, make_manager: MakeManager, clock: FakeClock
    ) -> None:
        browser = Browser(make_manager(idle_timeout=2))
        browser.put(a=1)

        for _ in range(5):
            clock.advance(1)
            assert browser.see() == {"a": 1}

        clock.advance(2)
        assert browser.see() == {}

    def test_absolute_timeout_ends_a_session_in_use(
        self, make_manager: MakeManager, clock: FakeClock
    ) -> None:
        browser = Browser(make_manager(idle_timeout=2, absolute_timeout=4))
        browser.put(a=1)

        for _ in range(3):
            clock.advance(1)
            browser.visit(lambda session: session.renew())
            assert browser.see() == {"a": 1}

        clock.advance(1)
        assert browser.see() == {}

    def test_a_shorter_absolute_timeout_holds_for_sessions_that_exist(
        self, make_manager: MakeManager, clock: FakeClock
    ) -> None:
        browser = Browser(make_manager())
        browser.log_in("ann")
        clock.advance(10)
        stricter = make_manager(absolute_timeout=10)
        assert Browser(stricter, browser.value).open().state == "new"
        assert stricter.sessions_of("ann") == []

    def test_owners_have_longer(self, browser: Browser, clock: FakeClock) -> None:
        browser.log_in("ann")
        clock.advance(13 * DAY)
        assert browser.open().owner == "ann"

    def test_a_clock_that_jumps_ends_no_session_and_raises_nothing(
        self, browser: Browser, clock: FakeClock
    ) -> None:
        browser.put(a=1)

        for step in (-3600, 3600, 3600, -3600):
            clock.advance(step)
            assert browser.put(step=step) is None

        assert browser.see() == {"a": 1, "step": -3600}

    def test_no_write_shortens_a_life(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        expires_at = browser.open().expires_at
        clock.advance(-3600)
        browser.put(a=2)
        assert browser.open().expires_at == expires_at


class TestRefresh:
    def test_a_read_extends_the_life_only_after_a_tenth(
        self, make_manager: MakeManager, clock: FakeClock, store: FullStore
    ) -> None:
        browser = Browser(make_manager(idle_timeout=100))
        browser.put(a=1)
        store.calls.clear()
        clock.advance(9)
        assert browser.visit(lambda session: session.get("a")) is None
        assert store.calls == ["get"]
        clock.advance(1)
        assert browser.visit(lambda session: session.get("a")) is None
        assert store.calls == ["get", "get", "swap"]
        assert browser.open().expires_at == datetime.datetime.fromtimestamp(
            NOW + 110, datetime.timezone.utc
        )

    def test_a_write_extends_it_anyway(self, make_manager: MakeManager, clock: FakeClock) -> None:
        browser = Browser(make_manager(idle_timeout=100))
        browser.put(a=1)
        clock.advance(1)
        browser.put(a=2)
        assert browser.open().expires_at == datetime.datetime.fromtimestamp(
            NOW + 101, datetime.timezone.utc
        )

    def test_an_untouched_session_is_not_refreshed(
        self, browser: Browser, store: FullStore, clock: FakeClock
    ) -> None:
        browser.put(a=1)
        store.calls.clear()
        clock.advance(DAY / 2)
        assert browser.visit() is None
        assert store.calls == []

    def test_near_the_absolute_end_nothing_is_gained(
        self, make_manager: MakeManager, clock: FakeClock, store: FullStore
    ) -> None:
        browser = Browser(make_manager(idle_timeout=100, absolute_timeout=105))
        browser.put(a=1)
        clock.advance(50)
        store.calls.clear()
        browser.see()
        assert store.calls == ["get"]

    def test_it_is_tried_once_and_gives_up_silently(
        self, make_manager: MakeManager, clock: FakeClock, store: FullStore
    ) -> None:
        browser = Browser(make_manager(idle_timeout=100))
        browser.put(a=1)
        clock.advance(50)
        reader = browser.open()
        assert reader["a"] == 1
        browser.put(a=2)
        store.calls.clear()
        assert browser.manager.commit(reader) is None
        assert store.calls == ["swap"]
        assert browser.see() == {"a": 2}

    def test_a_reader_never_writes_back(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=[1], b=1)
        reader = browser.open()
        assert reader["a"] == [1]
        browser.put(a=[2], b=2)
        clock.advance(DAY / 2)
        browser.manager.commit(reader)
        assert browser.see() == {"a": [2], "b": 2}

    def test_a_lower_payload_limit_does_not_make_reads_fail(
        self, make_manager: MakeManager, clock: FakeClock
    ) -> None:
        browser = Browser(make_manager(idle_timeout=100))
        browser.put(a="x" * 1000)
        clock.advance(50)
        stricter = Browser(make_manager(idle_timeout=100, max_payload=500), browser.value)
        assert stricter.see() == {"a": "x" * 1000}


class TestCookie:
    def test_it_is_set_when_the_session_is_created_and_never_by_a_write(
        self, browser: Browser, clock: FakeClock
    ) -> None:
        assert browser.put(a=1) == Set(t.cast(str, browser.value), int(90 * DAY))
        clock.advance(DAY / 2)
        assert browser.put(a=2) is None
        assert browser.see() == {"a": 2}

    def test_without_an_absolute_limit_it_is_promised_again_below_half(
        self, make_manager: MakeManager, clock: FakeClock
    ) -> None:
        browser = Browser(
            make_manager(absolute_timeout=None, idle_timeout=None, ownerless_timeout=None)
        )
        instruction = browser.put(a=1)
        assert instruction == Set(t.cast(str, browser.value), MAX_AGE_LIMIT)
        clock.advance(MAX_AGE_LIMIT / 2 - 60)
        assert browser.put(a=2) is None
        clock.advance(120)
        assert browser.visit() is None
        assert browser.visit(lambda session: session.get("a")) == instruction
        assert browser.visit(lambda session: session.get("a")) is None
        clock.advance(MAX_AGE_LIMIT / 2 + 1)
        assert browser.put(a=3) == instruction

    def test_a_longer_absolute_limit_sends_it_again(
        self, make_manager: MakeManager, clock: FakeClock
    ) -> None:
        browser = Browser(make_manager(absolute_timeout=10 * DAY))
        browser.put(a=1)
        longer = Browser(make_manager(absolute_timeout=20 * DAY), browser.value)
        assert longer.visit(lambda session: session.get("a")) == Set(
            t.cast(str, browser.value), int(20 * DAY)
        )
        assert longer.visit(lambda session: session.get("a")) is None

    def test_it_says_nothing_about_the_content(self, browser: Browser) -> None:
        browser.log_in("marker-user", a="marker-value")
        value = browser.value
        browser.put(a="other")
        assert browser.value == value
        assert "marker" not in str(value)


class TestSecrets:
    def test_the_cookie_is_signed(self, make_manager: MakeManager, store: FullStore) -> None:
        browser = Browser(make_manager(secrets=["secret"]))
        browser.put(a=1)
        value = t.cast(str, browser.value)
        bare = t.cast(str, tokens.verify(value, ["secret"]))
        assert tokens.digest(bare) in store.records()
        assert browser.see() == {"a": 1}
        assert Browser(browser.manager, bare).see() == {}
        assert Browser(browser.manager, value[:-1]).see() == {}

    def test_old_secrets_are_accepted_and_the_newest_signs(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(secrets=["old"]))
        browser.put(a=1)
        both, new = make_manager(secrets=["new", "old"]), make_manager(secrets=["new"])
        assert Browser(new, browser.value).see() == {}
        rotated = Browser(both, browser.value)
        assert rotated.see() == {"a": 1}
        rotated.visit(lambda session: session.renew())
        assert Browser(new, rotated.value).see() == {"a": 1}

    def test_the_name_of_the_cookie_is_signed_with_it(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(secrets=["secret"]))
        browser.put(a=1)
        other = make_manager(secrets=["secret"], cookie=CookieOptions(name="admin"))
        assert Browser(other, browser.value).see() == {}

    @pytest.mark.parametrize("secrets", [[], "text", [""]])
    def test_useless_secrets_are_refused_when_the_manager_is_made(
        self, make_manager: MakeManager, secrets: t.Any
    ) -> None:
        with pytest.raises(ConfigurationError, match="secrets"):
            make_manager(secrets=secrets)


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
        taken, free = b"\1" * 30, b"\2" * 30
        ids = [taken, taken, taken, free]
        manager = SessionManager(
            store,
            clock=clock,
            sleep=clock.sleep,
            random_bytes=lambda count: ids.pop(0) if count == 30 else b"\0" * count,
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


class TestPayloadLimit:
    def test_it_names_itself_and_the_largest_keys(
        self, make_manager: MakeManager, store: FullStore
    ) -> None:
        browser = Browser(make_manager(max_payload=1000))
        browser.put(a=1)

        with pytest.raises(PayloadTooLarge, match="max_payload allows 1000") as raised:
            browser.put(big="x" * 2000, small=1)

        assert raised.value.largest[0][0] == "big"
        assert raised.value.size > 2000
        assert "xxx" not in str(raised.value)
        assert browser.see() == {"a": 1}

    def test_deep_nesting_is_refused_and_crashes_nothing(self, browser: Browser) -> None:
        nested: list[t.Any] = []

        for _ in range(100_000):
            nested = [nested]

        with pytest.raises(TypeError, match="nested"):
            browser.put(nested=nested)


class TestLoad:
    def test_it_finds_a_live_session_by_its_bare_or_signed_id(
        self, make_manager: MakeManager
    ) -> None:
        browser = Browser(make_manager(secrets=["secret"]))
        browser.put(a=1)
        signed = t.cast(str, browser.value)

        for value in (signed, t.cast(str, tokens.verify(signed, ["secret"]))):
            session = browser.manager.load(value)
            assert session is not None
            assert dict(session) == {"a": 1}

    def test_background_work_can_write(self, browser: Browser) -> None:
        browser.put(a=1)
        session = browser.manager.load(t.cast(str, browser.value))
        assert session is not None
        session["b"] = 2
        assert session.save()
        assert browser.see() == {"a": 1, "b": 2}

    def test_unknown_malformed_and_superseded_ids_are_none(self, browser: Browser) -> None:
        browser.put(a=1)
        old = t.cast(str, browser.value)
        browser.visit(lambda session: session.renew())

        for value in (old, UNKNOWN, "", "short", f"{old}.signature", "\0"):
            assert browser.manager.load(value) is None

    def test_an_outage_raises(self, browser: Browser, store: FullStore) -> None:
        browser.put(a=1)
        store.fail()

        with pytest.raises(StoreUnavailable):
            browser.manager.load(t.cast(str, browser.value))


class TestStart:
    def test_server_code_may_choose_the_id(self, manager: SessionManager) -> None:
        session = manager.start("chosen-by-the-server-0001")
        session["a"] = 1
        assert manager.commit(session) == Set("chosen-by-the-server-0001", int(90 * DAY))
        again = manager.start("chosen-by-the-server-0001")
        assert (again.state, dict(again)) == ("live", {"a": 1})

    def test_without_an_id_one_is_drawn(self, manager: SessionManager) -> None:
        one, two = manager.start(), manager.start()
        assert isinstance(manager.commit(one), Set), "created even if nothing is written"
        assert manager.commit(one) != manager.commit(two)

    def test_it_may_have_a_cookie_of_its_own(self, manager: SessionManager) -> None:
        options = CookieOptions(name="device", path="/device")
        assert manager.start(cookie=options).cookie is options
        assert manager.start().cookie is manager.cookie

    @pytest.mark.parametrize(
        "session_id", ["", "short", "a b" * 10, "ä" * 30, "a" * 129, "a" * 30 + "\n"]
    )
    def test_a_malformed_id_is_refused(self, manager: SessionManager, session_id: str) -> None:
        with pytest.raises(ConfigurationError, match="22 to 128"):
            manager.start(session_id)

    def test_a_replaced_id_is_refused(self, browser: Browser) -> None:
        browser.put(a=1)
        old = t.cast(str, browser.value)
        browser.visit(lambda session: session.renew())

        with pytest.raises(ConfigurationError, match="replaced"):
            browser.manager.start(old)

    def test_two_requests_that_create_the_same_id_do_not_overwrite_each_other(
        self, manager: SessionManager
    ) -> None:
        one, two = (
            manager.start("chosen-by-the-server-0001"),
            manager.start("chosen-by-the-server-0001"),
        )
        one["a"] = two["b"] = 1
        manager.commit(one)

        with pytest.raises(SessionConflict, match="in use"):
            manager.commit(two)

        assert dict(manager.start("chosen-by-the-server-0001")) == {"a": 1}


class TestOwners:
    @pytest.fixture
    def anns(self, manager: SessionManager, clock: FakeClock) -> list[Browser]:
        browsers = [Browser(manager) for _ in range(3)]

        for number, browser in enumerate(browsers):
            session = browser.open()
            session.bind("ann", device=number)
            browser.keep(manager.commit(session))
            clock.advance(1)

        Browser(manager).log_in("bob")
        return browsers

    def test_their_sessions_are_listed_the_last_seen_first(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        infos = manager.sessions_of("ann")
        assert [info.meta for info in infos] == [{"device": 2}, {"device": 1}, {"device": 0}]
        assert [info.created_at - NOW for info in infos] == [2, 1, 0]
        assert infos[0].public_id == anns[2].open().public_id
        assert infos[0].expires_at == NOW + 2 + 14 * DAY
        anns[0].put(a=1)
        assert manager.sessions_of("ann")[0].meta == {"device": 0}

    def test_nothing_listed_works_as_a_cookie(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        values = {browser.value for browser in anns}

        for info in manager.sessions_of("ann"):
            assert Browser(manager, info.public_id).open().state == "new"
            assert not values & {str(field) for field in info}

    def test_meta_that_cannot_be_decoded_any_more_hides_no_session(
        self, manager: SessionManager, anns: list[Browser], store: FullStore
    ) -> None:
        for key, record in store.records().items():
            payload = record.payload.replace(b"device", b"\xc1evice")
            assert store.memory.swap(key, record, Record(payload, record.version + 1, *record[2:]))

        assert [info.meta for info in manager.sessions_of("ann")] == [{}, {}, {}]
        assert anns[0].open().meta == {}

    def test_one_is_ended_by_its_public_id(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        public_id = t.cast(str, anns[1].open().public_id)
        assert manager.revoke("bob", public_id) is False
        assert manager.revoke("ann", public_id) is True
        assert manager.revoke("ann", public_id) is False
        assert [browser.open().owner for browser in anns] == ["ann", None, "ann"]

    def test_all_are_ended_but_the_one_that_asks(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        asking = anns[1].open()
        assert manager.revoke_all("ann", except_=asking) == 2
        assert [browser.open().owner for browser in anns] == [None, "ann", None]
        assert manager.revoke_all("ann") == 1
        assert manager.revoke_all("ann") == 0
        assert len(manager.sessions_of("bob")) == 1

    def test_one_that_was_renewed_is_found(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        anns[0].visit(lambda session: session.renew())
        assert len(manager.sessions_of("ann")) == 3
        assert manager.revoke_all("ann") == 3
        assert anns[0].see() == {}

    def test_one_that_became_somebody_elses_is_not_listed(
        self, manager: SessionManager, anns: list[Browser]
    ) -> None:
        anns[0].log_in("bob")
        assert len(manager.sessions_of("ann")) == 2
        assert len(manager.sessions_of("bob")) == 2

    def test_one_renewed_while_all_are_ended_is_ended_too(
        self, manager: SessionManager, anns: list[Browser], store: FullStore
    ) -> None:
        store.before["delete"] = lambda: [
            anns[n].visit(lambda session: session.renew()) for n in range(3)
        ]
        manager.revoke_all("ann")
        assert manager.sessions_of("ann") == []
        assert [browser.open().owner for browser in anns] == [None, None, None]

    def test_expired_ones_are_not_listed(
        self, manager: SessionManager, anns: list[Browser], clock: FakeClock
    ) -> None:
        clock.advance(14 * DAY - 2)
        assert [info.meta for info in manager.sessions_of("ann")] == [{"device": 2}]

    def test_owners_may_be_numbers(self, manager: SessionManager) -> None:
        Browser(manager).visit(lambda session: session.bind(7))
        assert len(manager.sessions_of(7)) == len(manager.sessions_of("7")) == 1
        assert manager.revoke_all(7) == 1


class TestUpkeep:
    def test_purge_removes_what_expired_longer_ago_than_the_margin(
        self, manager: SessionManager, clock: FakeClock, store: FullStore
    ) -> None:
        for number in range(10):
            Browser(manager).put(number=number)

        clock.advance(DAY)
        alive = Browser(manager)
        alive.put(a=1)
        assert (manager.count().live, manager.purge()) == (1, 0)
        clock.advance(store.memory.margin + 1)
        assert manager.purge() == 10
        assert alive.see() == {"a": 1}

    def test_new_sessions_drive_the_expired_ones_out(
        self, make_manager: MakeManager, clock: FakeClock, store: FullStore
    ) -> None:
        manager = make_manager(sweep_every=10)

        for number in range(85):
            Browser(manager).put(number=number)

        clock.advance(DAY + store.memory.margin + 1)

        for more, left in (5, 85 + 5 - 50), (10, 5 + 10):
            for number in range(more):
                Browser(manager).put(number=number)

            assert len(list(store.keys())) == left

    def test_a_sweep_waits_for_the_end_of_the_applications_transaction(
        self, make_manager: MakeManager, store: FullStore
    ) -> None:
        waiting: list[cabc.Callable[[], object]] = []
        project: t.Any = store
        project.in_transaction, project.when_committed = (lambda: True), waiting.append
        Browser(make_manager(sweep_every=1)).put(a=1)
        assert "sweep" not in store.calls
        waiting.pop()()
        assert "sweep" in store.calls

    def test_a_sweep_that_fails_is_no_trouble_for_the_session_that_was_created(
        self,
        make_manager: MakeManager,
        store: FullStore,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        manager = make_manager(sweep_every=2)
        store.trouble, store.failing = StoreUnavailable("is on fire"), ("sweep",)
        browsers = [Browser(manager) for _ in range(4)]

        for browser in browsers:
            browser.put(a=1)
            assert browser.see() == {"a": 1}

        assert caplog.messages == ["expired sessions could not be removed: is on fire"] * 2

    @pytest.mark.parametrize(
        "call",
        [
            lambda manager: manager.sessions_of("ann"),
            lambda manager: manager.revoke("ann", "x"),
            lambda manager: manager.revoke_all("ann"),
            lambda manager: manager.all(),
            lambda manager: manager.purge(),
            lambda manager: manager.count(),
        ],
    )
    def test_what_a_store_cannot_do_raises(
        self, make_manager: MakeManager, clock: FakeClock, call: t.Any
    ) -> None:
        with pytest.raises(UnsupportedOperation, match="PlainStore cannot"):
            call(make_manager(on=PlainStore(clock)))

    def test_closing_closes_a_store_that_can_be_closed(self, manager: SessionManager) -> None:
        manager.close()
        assert Browser(manager).see() == {}

    @pytest.mark.parametrize("store", [None, "sqlite://", object(), PlainStore])
    def test_what_is_no_store_is_refused(self, store: t.Any) -> None:
        with pytest.raises(ConfigurationError, match="open_store"):
            SessionManager(store)


def test_deleting_repeats_the_attributes_of_the_session(manager: SessionManager) -> None:
    options = CookieOptions(path="/device", samesite="Strict")
    session = manager.start(cookie=options)
    session.save()
    session.destroy()
    assert manager.commit(session) == Delete()
    assert session.cookie.header(Delete(), https=True).startswith("sid=; Path=/device; Max-Age=0")
