"""The session as a request sees it: a lazy mapping, its states, and what its user may ask of it."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import typing as t

import pytest
from markupsafe import Markup

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import signals
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.errors import SessionCommitted
from sessionkit.errors import ValueNotSupported
from sessionkit.store import Record
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import received


def moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(NOW + seconds, datetime.timezone.utc)


class TestMapping:
    def test_it_is_a_mutable_mapping(self, browser: Browser) -> None:
        session = browser.open()
        assert isinstance(session, cabc.MutableMapping)
        session.update(a=1, b=2)
        assert session.setdefault("c", []) == []
        assert (session["a"], session.get("b"), session.get("x"), session.get("x", 0)) == (
            1,
            2,
            None,
            0,
        )
        assert (len(session), sorted(session), "a" in session, "x" in session) == (
            3,
            ["a", "b", "c"],
            True,
            False,
        )
        assert session == {"a": 1, "b": 2, "c": []}
        assert session != {"a": 1}
        assert session.pop("a") == 1
        assert session.pop("a", None) is None
        assert session.copy() == {"b": 2, "c": []}
        del session["b"]
        assert session.popitem() == ("c", [])
        assert not session

    def test_missing_keys_raise_key_error(self, browser: Browser) -> None:
        session = browser.open()

        with pytest.raises(KeyError, match="x"):
            session["x"]

        with pytest.raises(KeyError, match="x"):
            del session["x"]

    def test_a_stored_none_differs_from_a_missing_key(self, browser: Browser) -> None:
        browser.put(a=None)
        session = browser.open()
        assert "a" in session
        assert session.get("a", "default") is None

    def test_values_come_back_in_the_next_request(self, browser: Browser) -> None:
        browser.put(user="ann", cart=[1, {"a": (2, 3)}], when=datetime.date(2024, 2, 29))
        assert browser.see() == {
            "user": "ann",
            "cart": [1, {"a": (2, 3)}],
            "when": datetime.date(2024, 2, 29),
        }

    def test_nested_changes_are_saved(self, browser: Browser) -> None:
        browser.put(cart={"items": []})
        browser.visit(lambda session: session["cart"]["items"].append("tea"))
        browser.visit(lambda session: session.get("cart", {})["items"].append("milk"))
        browser.visit(lambda session: next(iter(session.values()))["items"].append("jam"))
        assert browser.see() == {"cart": {"items": ["tea", "milk", "jam"]}}

    @pytest.mark.parametrize("key", [1, None, b"a", ("a",), Markup("a")])
    def test_keys_are_text_and_nothing_else(self, browser: Browser, key: t.Any) -> None:
        session = browser.open()

        with pytest.raises(TypeError, match="keys of a session are text"):
            session[key] = 1

        with pytest.raises(TypeError, match="keys of a session are text"):
            session.mutate(key, lambda value: value)

        assert key not in session
        assert session.get(key) is None

    def test_a_key_that_cannot_be_stored_is_refused_at_once(self, browser: Browser) -> None:
        with pytest.raises(ValueNotSupported, match="surrogates"):
            browser.open()["\ud800"] = 1

        browser.visit(lambda session: session.update({"ключ": 1, "": 2}))
        assert browser.see() == {"ключ": 1, "": 2}

    def test_unhashable_keys_are_never_in_it(self, browser: Browser) -> None:
        unhashable: object = []
        assert unhashable not in browser.open()

    def test_a_value_that_cannot_be_stored_is_refused_where_it_is_assigned(
        self, browser: Browser
    ) -> None:
        with pytest.raises(ValueNotSupported, match=r"session\['form'\]\[0\]"):
            browser.open()["form"] = [object()]

    def test_a_nested_one_is_named_at_the_commit_and_nothing_is_saved(
        self, browser: Browser
    ) -> None:
        browser.put(a=1, cart=[])

        def view(session: Session) -> None:
            session["a"] = 2
            session["cart"].append(object())

        with pytest.raises(ValueNotSupported, match=r"session\['cart'\]\[0\]"):
            browser.visit(view)

        assert browser.see() == {"a": 1, "cart": []}


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


class TestUndecodable:
    @pytest.fixture
    def damaged(self, browser: Browser, store: FullStore) -> Browser:
        browser.put(good=1, bad="unusual")
        [(key, record)] = store.records().items()
        payload = record.payload.replace(b"unusual", b"\xc1unusua")
        assert store.memory.swap(
            key, record, Record(payload, record.version + 1, record.expires_at)
        )
        return browser

    def test_one_value_is_dropped_with_a_signal_and_never_the_session(
        self, damaged: Browser
    ) -> None:
        with received(signals.dropped) as dropped:
            assert damaged.see() == {"good": 1}

        assert [(event["keys"], event["reason"]) for event in dropped] == [({"bad"}, "undecodable")]

    def test_its_bytes_are_kept_for_those_who_can_read_them(
        self, damaged: Browser, store: FullStore
    ) -> None:
        def view(session: Session) -> None:
            assert "bad" not in session
            assert session.pop("bad", None) is None
            session["good"] = 2

        damaged.visit(view)
        [record] = store.records().values()
        assert b"\xc1unusua" in record.payload

    def test_it_can_be_replaced(self, damaged: Browser) -> None:
        damaged.put(bad="new")
        assert damaged.see() == {"good": 1, "bad": "new"}


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


class TestExpiry:
    def test_seconds_or_timedelta_without_use(self, browser: Browser, clock: FakeClock) -> None:
        browser.visit(lambda session: session.set_expiry(datetime.timedelta(minutes=1)))
        assert browser.open().state == "new", "an expiry alone makes no session"
        browser.put(a=1)
        browser.visit(lambda session: session.set_expiry(60))
        clock.advance(59)
        browser.put(b=1)
        clock.advance(59)
        assert browser.open().state == "live"
        clock.advance(1)
        assert browser.open().state == "new"

    def test_a_fixed_moment_used_or_not(self, browser: Browser, clock: FakeClock) -> None:
        def view(session: Session) -> None:
            session["a"] = 1
            session.set_expiry(moment(60))

        instruction = browser.visit(view)
        assert isinstance(instruction, Set)
        assert instruction.max_age == 60
        clock.advance(59)
        browser.put(b=1)
        assert browser.open().expires_at == moment(60)
        clock.advance(1)
        assert browser.open().state == "new"

    def test_putting_the_end_off_sends_the_cookie_again(
        self, browser: Browser, clock: FakeClock
    ) -> None:
        def view(session: Session) -> None:
            session["a"] = 1
            session.set_expiry(moment(60))

        browser.visit(view)
        value = browser.value
        instruction = browser.visit(lambda session: session.set_expiry(moment(600)))
        assert (instruction, browser.value) == (Set(t.cast(str, value), 600), value)
        assert browser.visit(lambda session: session.set_expiry(moment(500))) is None

    def test_none_is_the_policy_again(self, browser: Browser) -> None:
        browser.put(a=1)
        browser.visit(lambda session: session.set_expiry(60))
        assert browser.open().expires_at == moment(60)
        browser.visit(lambda session: session.set_expiry(None))
        assert browser.open().expires_at == moment(DAY)

    def test_it_never_outlives_the_absolute_limit(self, browser: Browser) -> None:
        browser.put(a=1)
        browser.visit(lambda session: session.set_expiry(moment(1000 * DAY)))
        assert browser.open().expires_at == moment(90 * DAY)

    @pytest.mark.parametrize(
        "expiry", [0, -1, True, "60", datetime.datetime(2050, 1, 1), moment(-1), moment(0)]
    )
    def test_what_is_none_of_these_or_over_is_refused(
        self, browser: Browser, expiry: t.Any
    ) -> None:
        with pytest.raises(ConfigurationError, match="expiry"):
            browser.open().set_expiry(expiry)


class TestPermanent:
    def test_the_policy_decides_unless_the_session_does(self, make_manager: MakeManager) -> None:
        browser = Browser(make_manager(transient=True))
        assert not browser.open().permanent

        def view(session: Session) -> None:
            session["a"] = 1
            session.permanent = True

        browser.visit(view)
        assert browser.open().permanent

    def test_changing_it_sends_the_cookie_again(self, browser: Browser) -> None:
        browser.put(a=1)
        value = t.cast(str, browser.value)
        assert browser.visit(lambda session: setattr(session, "permanent", True)) is None
        for permanent, max_age in [(False, None), (True, int(90 * DAY))]:
            session = browser.open()
            session.permanent = permanent
            assert browser.manager.commit(session) == Set(value, max_age)
            assert browser.visit() is None
            assert browser.put(n=max_age) is None


class TestMutate:
    def test_parallel_increments_are_all_counted(self, browser: Browser) -> None:
        browser.put(a=1)
        sessions = [browser.open() for _ in range(20)]

        for session in sessions:
            session.mutate("n", lambda n: n + 1, 0)

        for session in sessions:
            browser.manager.commit(session)

        assert browser.see() == {"a": 1, "n": 20}

    def test_it_returns_the_new_value(self, browser: Browser) -> None:
        session = browser.open()
        assert session.mutate("tags", lambda tags: tags | {"a"}, set()) == {"a"}
        assert session["tags"] == {"a"}

    def test_a_failed_replay_is_reported(self, browser: Browser) -> None:
        browser.put(n=1)
        slow = browser.open()
        slow.mutate("n", lambda n: n + 1, 0)
        slow["b"] = 1
        browser.put(n="text")

        with received(signals.dropped) as dropped:
            browser.manager.commit(slow)

        assert [(e["keys"], e["reason"]) for e in dropped] == [({"n"}, "mutate_failed")]
        assert browser.see() == {"n": "text", "b": 1}


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
