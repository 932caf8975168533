"""Which session a request gets, whatever cookies it brings."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit import signals
from sessionkit import tokens
from tests.core.conftest import MakeManager
from tests.core.support import UNKNOWN
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import received


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
