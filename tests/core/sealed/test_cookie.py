"""When the cookie is set, what fits into it, and which of several counts."""

from __future__ import annotations

import math
import struct

import pytest

from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import signals
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.errors import CookieTooLarge
from sessionkit.errors import NewerFormat
from sessionkit.errors import PayloadTooLarge
from sessionkit.errors import SessionCommitted
from sessionkit.seals import EncryptedSeal
from sessionkit.seals import Seal
from sessionkit.seals import SignedSeal
from sessionkit.testing import FakeClock
from tests.core.sealed.support import SECRET
from tests.core.sealed.support import MakeSealed
from tests.core.support import Browser
from tests.core.support import received


@pytest.fixture
def seal(encrypted: bool) -> Seal:
    """The seal that the managers use."""
    return (EncryptedSeal if encrypted else SignedSeal)([SECRET], "sid")


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
