"""What the manager of sealed sessions is made of, and what it cannot do."""

from __future__ import annotations

import collections.abc as cabc
import sys
import typing as t
import uuid

import pytest

from sessionkit import SealedSessionManager
from sessionkit import keys
from sessionkit.errors import ConfigurationError
from sessionkit.errors import UnsupportedOperation
from sessionkit.testing import FakeClock
from tests.core.sealed.support import SECRET
from tests.core.sealed.support import MakeSealed
from tests.core.support import DAY
from tests.core.support import Browser

OLD = keys.new_key()


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
        "wrong",
        [
            *(None, "", [], [""], [SECRET, "secret"], ["password1" * 4], [b"\0" * 64]),
            pytest.param(SECRET, id="no list"),
        ],
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
