"""Sessions inside of their cookie: what a browser is told, and when."""

from __future__ import annotations

import collections.abc as cabc
import datetime
import decimal
import math
import struct
import sys
import typing as t
import uuid

import pytest

from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionPolicy
from sessionkit import keys
from sessionkit import signals
from sessionkit.cookie import MAX_AGE_LIMIT
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import ConfigurationError
from sessionkit.errors import CookieTooLarge
from sessionkit.errors import NewerFormat
from sessionkit.errors import PayloadTooLarge
from sessionkit.errors import SessionCommitted
from sessionkit.errors import UnsupportedOperation
from sessionkit.seals import EncryptedSeal
from sessionkit.seals import Seal
from sessionkit.seals import SignedSeal
from sessionkit.testing import FakeClock
from tests.core.support import DAY
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import received

SECRET, OLD = keys.new_key(), keys.new_key()

MakeSealed = cabc.Callable[..., SealedSessionManager]


@pytest.fixture(params=[True, False], ids=["encrypted", "signed"])
def encrypted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def make_sealed(clock: FakeClock, encrypted: bool) -> MakeSealed:
    """Make a manager; policy settings by name."""

    def make(
        *secrets: str, cookie: CookieOptions | None = None, **settings: t.Any
    ) -> SealedSessionManager:
        return SealedSessionManager(
            secrets or [SECRET],
            encrypted=encrypted,
            policy=SessionPolicy(**settings),
            cookie=cookie,
            clock=clock,
        )

    return make


@pytest.fixture
def sealed(make_sealed: MakeSealed) -> SealedSessionManager:
    return make_sealed()


@pytest.fixture
def seal(encrypted: bool) -> Seal:
    """The seal that the managers use."""
    return (EncryptedSeal if encrypted else SignedSeal)([SECRET], "sid")


@pytest.fixture
def browser(sealed: SealedSessionManager) -> Browser:
    return Browser(sealed)


def put_flash(session: Session) -> None:
    session.flash["note"] = "saved"


class TestTheMapping:
    def test_values_come_back_with_their_types(self, browser: Browser) -> None:
        values = {
            "date": datetime.date(2033, 5, 18),
            "money": decimal.Decimal("19.90"),
            "id": uuid.UUID(int=7),
            "tuple": (1, {2}, b"three"),
            "ids": {7: "seven"},
            "\N{PILE OF POO}": None,
        }
        browser.put(**values)
        assert browser.see() == values

    def test_changes_inside_of_values_are_kept(self, browser: Browser) -> None:
        browser.put(cart=["tea"])
        assert isinstance(browser.visit(lambda session: session["cart"].append("milk")), Set)
        assert browser.see() == {"cart": ["tea", "milk"]}

    def test_flash_is_used_up_when_it_is_read(self, browser: Browser) -> None:
        browser.visit(put_flash)
        assert "note" in browser.open().flash
        browser.visit(lambda session: session.flash["note"])
        assert "note" not in browser.open().flash

    def test_mutate(self, browser: Browser) -> None:
        for _ in range(3):
            browser.visit(lambda session: session.mutate("n", lambda n: n + 1, 0))

        assert browser.see() == {"n": 3}

    def test_a_value_that_cannot_be_stored_is_refused_at_the_assignment(
        self, browser: Browser
    ) -> None:
        with pytest.raises(TypeError, match="session"):
            browser.open()["x"] = object()


class TestTheCookie:
    def test_who_does_not_use_the_session_costs_nothing(self, browser: Browser) -> None:
        browser.put(a=1)
        assert browser.visit() is None

    def test_who_only_reads_sets_nothing(self, browser: Browser) -> None:
        assert browser.visit(lambda session: session.get("a")) is None
        browser.put(a=1)
        assert browser.visit(lambda session: session["a"]) is None

    def test_what_changed_is_set(self, browser: Browser) -> None:
        first = browser.put(a=1)
        second = browser.put(a=2)
        assert isinstance(first, Set)
        assert isinstance(second, Set)
        assert first.value != second.value

    def test_an_empty_new_session_is_not_set(self, browser: Browser) -> None:
        assert browser.visit(lambda session: session.update({})) is None
        assert browser.visit(lambda session: session.renew()) is None
        assert browser.visit(lambda session: session.destroy()) is None

    def test_an_answer_that_is_an_error_writes_nothing(self, browser: Browser) -> None:
        browser.put(a=1)

        with received(signals.dropped) as dropped:
            assert browser.visit(lambda session: session.update(a=2), ok=False) is None

        assert [event["reason"] for event in dropped] == ["error_response"]
        assert browser.see() == {"a": 1}

    def test_what_was_saved_early_is_announced_even_then(self, browser: Browser) -> None:
        def view(session: Session) -> None:
            session["a"] = 1
            assert session.save()

        assert isinstance(browser.visit(view, ok=False), Set)
        assert browser.see() == {"a": 1}

    def test_after_the_commit_writes_raise_and_reads_work(self, browser: Browser) -> None:
        browser.put(a=1)
        session = browser.open()
        assert session["a"] == 1
        session.manager.commit(session)
        assert session["a"] == 1

        with pytest.raises(SessionCommitted):
            session["a"] = 2

    def test_nothing_is_compressed(self, browser: Browser) -> None:
        first, second = browser.put(a="x" * 1000), browser.put(a="xy" * 500)
        assert isinstance(first, Set)
        assert isinstance(second, Set)
        assert len(first.value) == len(second.value) > 1300

    def test_the_value_is_not_shown(self, browser: Browser) -> None:
        instruction = browser.put(a=1)
        session = browser.open()
        assert session["a"] == 1
        assert browser.value is not None
        shown = repr((instruction, session, session.draft.stored, browser.manager))
        assert browser.value not in shown


class TestSize:
    def test_what_does_not_fit_is_refused_and_says_why(self, browser: Browser) -> None:
        browser.put(user="ann")
        session = browser.open()
        session.update(basket=["tea"] * 700, note="n" * 400)

        with pytest.raises(CookieTooLarge) as caught:
            browser.manager.commit(session)

        error = caught.value
        assert isinstance(error, PayloadTooLarge)
        assert error.limit == 4096 < error.size
        assert [key for key, _ in error.largest] == ["basket", "note", "user"]
        assert "'basket' (28" in str(error)
        assert "tea" not in str(error)
        assert str(error.size) in str(error)
        assert session.instruction is None
        assert browser.see() == {"user": "ann"}

    @pytest.mark.parametrize("https", [True, False])
    def test_what_is_accepted_fits_with_its_attributes(
        self, make_sealed: MakeSealed, https: bool
    ) -> None:
        cookie = CookieOptions(name="__Host-session", samesite="Strict", secure="auto")
        manager = make_sealed(cookie=cookie)
        fits, size = 0, 2000

        while size < 4096:
            session = manager.open()
            session["a"] = "x" * size

            try:
                instruction = manager.commit(session)
            except CookieTooLarge:
                break

            assert isinstance(instruction, Set)
            fits = len(cookie.set_header(instruction, https=https))
            assert fits <= 4096
            size += 1

        assert fits > 4080

    def test_an_end_is_carried_out_all_the_same(self, browser: Browser) -> None:
        browser.put(a=1)
        session = browser.open()
        session.destroy()
        session["big"] = "x" * 5000

        with pytest.raises(CookieTooLarge):
            browser.manager.commit(session)

        assert session.instruction == Delete()


class TestLives:
    def test_idle(self, make_sealed: MakeSealed, clock: FakeClock) -> None:
        browser = Browser(make_sealed(idle_timeout=100, ownerless_timeout=None))
        assert browser.put(a=1) == Set(browser.value or "", 100)
        clock.advance(99)
        assert dict(browser.open()) == {"a": 1}
        clock.advance(1)

        with received(signals.expired) as expired:
            assert dict(browser.open()) == {}

        assert expired == [{"session": None, "owned": False}]

    def test_a_read_extends_it_after_a_tenth(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(idle_timeout=100, ownerless_timeout=None))
        browser.put(a=1)

        for _ in range(20):
            clock.advance(9)
            assert browser.visit(lambda session: session["a"]) is None
            clock.advance(1)
            instruction = browser.visit(lambda session: session["a"])
            assert isinstance(instruction, Set)
            assert instruction.max_age == 100

        assert browser.see() == {"a": 1}

    def test_absolute(self, make_sealed: MakeSealed, clock: FakeClock) -> None:
        manager = make_sealed(idle_timeout=20, absolute_timeout=40, ownerless_timeout=None)
        browser = Browser(manager)
        browser.put(a=1)
        clock.advance(15)
        browser.put(b=1)
        clock.advance(15)
        assert browser.put(c=1) == Set(browser.value or "", 10)
        browser.visit(lambda session: session.renew())
        clock.advance(10)
        assert browser.see() == {}

    def test_a_login_starts_the_absolute_limit_anew(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(absolute_timeout=100))
        browser.put(a=1)
        clock.advance(90)
        browser.log_in("ann")
        clock.advance(90)
        assert browser.see() == {"a": 1}
        clock.advance(10)
        assert browser.see() == {}

    def test_a_shorter_limit_without_an_owner(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(idle_timeout=100, ownerless_timeout=10))
        assert browser.put(a=1) == Set(browser.value or "", 10)
        assert browser.log_in("ann") == Set(browser.value or "", 100)

    def test_without_limits_the_browser_is_told_in_time(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(
            make_sealed(idle_timeout=None, absolute_timeout=None, ownerless_timeout=None)
        )
        assert browser.put(a=1) == Set(browser.value or "", MAX_AGE_LIMIT)
        clock.advance(39 * DAY)
        assert browser.visit(lambda session: session["a"]) is None
        clock.advance(1 * DAY)
        instruction = browser.visit(lambda session: session["a"])
        assert instruction == Set(browser.value or "", MAX_AGE_LIMIT)

    def test_a_browser_session_has_no_max_age(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(transient=True, idle_timeout=100))
        assert browser.put(a=1) == Set(browser.value or "", None)

        def remember(session: Session) -> None:
            session.permanent = True

        assert browser.visit(remember) == Set(browser.value or "", 100)
        clock.advance(100)
        assert browser.see() == {}

    def test_set_expiry(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(a=1)
        instruction = browser.visit(lambda session: session.set_expiry(60))
        assert instruction == Set(browser.value or "", 60)
        at = datetime.datetime.fromtimestamp(NOW + 300, datetime.timezone.utc)
        assert browser.visit(lambda session: session.set_expiry(at)) == Set(
            browser.value or "", 300
        )
        assert browser.open().expires_at == at
        clock.advance(299)
        assert browser.visit(lambda session: session["a"]) is None
        clock.advance(1)
        assert browser.see() == {}

    def test_a_clock_that_is_slow_shortens_no_life(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(idle_timeout=100, ownerless_timeout=None))
        browser.put(a=1)
        clock.advance(-50)
        browser.put(b=1)
        clock.advance(149)
        assert browser.see() == {"a": 1, "b": 1}


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


class TestWhichCookie:
    def test_of_several_the_one_sealed_last_wins(self, browser: Browser, clock: FakeClock) -> None:
        browser.put(n=1)
        first = browser.value
        clock.advance(1)
        browser.put(n=2)

        for pair in ((first, browser.value), (browser.value, first)):
            assert browser.manager.open(f"sid={pair[0]}; sid={pair[1]}")["n"] == 2

    def test_garbage_beside_it_does_no_harm(self, browser: Browser) -> None:
        browser.put(a=1)
        header = f"sid=; sid=garbage; sid={browser.value}; sid=x"
        assert browser.manager.open(header)["a"] == 1

    def test_the_fifth_is_not_looked_at(self, browser: Browser) -> None:
        browser.put(a=1)
        session = browser.manager.open("sid=x; " * 4 + f"sid={browser.value}")
        assert dict(session) == {}

    def test_what_a_later_version_wrote_is_left_alone(
        self, sealed: SealedSessionManager, seal: Seal
    ) -> None:
        value = seal.seal(b"\x02" + bytes(100))
        session = sealed.open(f"sid={value}")
        assert session.state == "unavailable"

        with pytest.raises(NewerFormat):
            session["a"] = 1

        assert sealed.commit(session) is None
        ending = sealed.open(f"sid={value}")
        ending.destroy()
        assert sealed.commit(ending) == Delete()

    @pytest.mark.parametrize("data", [b"", b"\x01", b"\x01" + bytes(10), b"\x01" + bytes(200)])
    def test_what_was_sealed_and_is_damaged_is_no_session(
        self, sealed: SealedSessionManager, seal: Seal, data: bytes
    ) -> None:
        with received(signals.rejected) as rejected:
            assert dict(sealed.open(f"sid={seal.seal(data)}")) == {}

        assert [event["reason"] for event in rejected] == ["corrupt"]

    @pytest.mark.parametrize(
        ("place", "planted"),
        [(1, struct.pack(">d", math.nan)), (1, struct.pack(">d", math.inf)), (11, b"\xff\xfe")],
    )
    def test_not_even_the_secret_makes_one_without_end_or_of_no_text(
        self, browser: Browser, seal: Seal, place: int, planted: bytes
    ) -> None:
        browser.log_in("ann", a=1)
        data = seal.open(browser.value or "")
        assert data is not None
        browser.value = seal.seal(data[:place] + planted + data[place + len(planted) :])
        assert browser.see() == {}


class TestWhatACookieCannotDo:
    def test_it_says_so(self, sealed: SealedSessionManager) -> None:
        calls: list[cabc.Callable[[], object]] = [
            lambda: sealed.sessions_of("ann"),
            lambda: sealed.revoke("ann", "id"),
            lambda: sealed.revoke_all("ann"),
            sealed.all,
            sealed.purge,
            sealed.count,
            sealed.start,
        ]

        for call in calls:
            with pytest.raises(UnsupportedOperation, match="only the browsers have them"):
                call()

    def test_a_copy_goes_on_after_the_end_until_it_expires(
        self, make_sealed: MakeSealed, clock: FakeClock
    ) -> None:
        browser = Browser(make_sealed(idle_timeout=100))
        browser.log_in("ann")
        thief = browser.twin()
        browser.visit(lambda session: session.destroy())
        assert thief.open().owner == "ann"
        clock.advance(100)
        assert thief.open().owner is None

    def test_of_two_requests_at_once_the_last_answer_wins(self, browser: Browser) -> None:
        browser.put(a=0, b=0)
        one, two = browser.open(), browser.open()
        one["a"] = 1
        two["b"] = 1
        browser.keep(browser.manager.commit(one))
        browser.keep(browser.manager.commit(two))
        assert browser.see() == {"a": 0, "b": 1}


class TestLoad:
    def test_a_live_one(self, browser: Browser, sealed: SealedSessionManager) -> None:
        browser.put(a=1)
        assert browser.value is not None
        session = sealed.load(browser.value)
        assert session is not None
        assert session["a"] == 1
        assert sealed.verify(browser.value) == browser.value

    def test_one_that_is_over(
        self, browser: Browser, sealed: SealedSessionManager, clock: FakeClock
    ) -> None:
        browser.put(a=1)
        assert browser.value is not None
        clock.advance(100 * DAY)
        assert sealed.load(browser.value) is None
        assert sealed.load("garbage") is None
        assert sealed.verify("garbage") is None


class TestConfiguration:
    def test_secrets_are_rotated(self, make_sealed: MakeSealed) -> None:
        browser = Browser(make_sealed(OLD))
        browser.log_in("ann")
        browser = Browser(make_sealed(SECRET, OLD), browser.value)
        assert browser.open().owner == "ann"
        browser.put(a=1)
        assert Browser(make_sealed(SECRET), browser.value).open().owner == "ann"
        assert Browser(make_sealed(OLD), browser.value).open().owner is None

    @pytest.mark.parametrize(
        "wrong", [None, "", [], [""], SECRET, [SECRET, "secret"], ["password1" * 4], [b"\0" * 64]]
    )
    def test_weak_secrets_are_refused(self, encrypted: bool, wrong: t.Any) -> None:
        with pytest.raises(ConfigurationError, match="secret") as caught:
            SealedSessionManager(wrong, encrypted=encrypted)

        assert "password1" not in str(caught.value)
        assert SECRET not in str(caught.value)

    def test_random_secrets_of_every_form_are_taken(self, encrypted: bool) -> None:
        for _ in range(100):
            for secret in (uuid.uuid4().hex, uuid.uuid4().bytes + uuid.uuid4().bytes, SECRET):
                SealedSessionManager([secret], encrypted=encrypted)

    def test_a_missing_library_names_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "sessionkit.aead", raising=False)
        monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)

        with pytest.raises(
            ConfigurationError, match=r"wsgi-sessionkit\[encryption\].*encrypted=False"
        ):
            SealedSessionManager([SECRET])

        SealedSessionManager([SECRET], encrypted=False)

    def test_parts_of_another_type_are_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="policy"):
            SealedSessionManager([SECRET], policy=t.cast(t.Any, {}))

        with pytest.raises(ConfigurationError, match="cookie"):
            SealedSessionManager([SECRET], cookie=t.cast(t.Any, "sid"))
