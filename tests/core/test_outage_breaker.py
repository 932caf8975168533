"""After some failures in a row the store is left alone; what the log says of it."""

from __future__ import annotations

import pytest

from sessionkit import signals
from sessionkit.errors import StoreUnavailable
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import PlainStore
from tests.core.support import received


class TestBreaker:
    @pytest.fixture
    def used(self, make_manager: MakeManager, store: FullStore) -> Browser:
        browser = Browser(make_manager(breaker_failures=3, breaker_pause=10))
        browser.put(a=1)
        store.calls.clear()
        return browser

    def fails(self, browser: Browser) -> None:
        with pytest.raises(StoreUnavailable):
            browser.see()

    def test_it_opens_after_some_failures_in_a_row(self, used: Browser, store: FullStore) -> None:
        store.fail()

        for _ in range(10):
            self.fails(used)

        assert store.calls == ["get"] * 3

    def test_one_call_tries_again_after_the_pause(
        self, used: Browser, store: FullStore, clock: FakeClock
    ) -> None:
        store.fail()

        for _ in range(4):
            self.fails(used)

        for attempts in (4, 5):
            clock.advance(10)
            self.fails(used)
            self.fails(used)
            assert store.calls == ["get"] * attempts

    def test_while_one_tries_the_others_do_not_wait(
        self, used: Browser, store: FullStore, clock: FakeClock
    ) -> None:
        store.fail()

        for _ in range(3):
            self.fails(used)

        clock.advance(10)
        store.before["get"] = lambda: self.fails(used)
        self.fails(used)
        assert store.calls == ["get"] * 4

    def test_it_closes_when_the_store_answers(
        self, used: Browser, store: FullStore, clock: FakeClock
    ) -> None:
        store.fail()

        for _ in range(5):
            self.fails(used)

        store.recover()
        self.fails(used)
        clock.advance(10)
        assert used.see() == {"a": 1}
        store.fail()
        store.calls.clear()

        for _ in range(5):
            self.fails(used)

        assert store.calls == ["get"] * 3

    def test_a_success_in_between_counts_from_the_beginning(
        self, used: Browser, store: FullStore
    ) -> None:
        for _ in range(5):
            store.fail()
            self.fails(used)
            self.fails(used)
            store.recover()
            assert used.see() == {"a": 1}

    def test_a_store_that_answers_with_an_error_is_alive(
        self, used: Browser, store: FullStore
    ) -> None:
        store.fail(unreachable=False)

        for _ in range(10):
            self.fails(used)

        assert store.calls == ["get"] * 10

    def test_a_clock_that_was_set_back_keeps_it_open_no_longer(
        self, used: Browser, store: FullStore, clock: FakeClock
    ) -> None:
        store.fail()

        for _ in range(3):
            self.fails(used)

        clock.advance(-3600)
        store.recover()
        assert used.see() == {"a": 1}

    def test_nodes_fail_alone(self, clock: FakeClock, make_manager: MakeManager) -> None:
        class Partitioned(PlainStore):
            def node_of(self, key: str, /) -> str:
                return "left" if down == key else "right"

        store = Partitioned(clock)
        manager = make_manager(on=store)
        one, two = Browser(manager), Browser(manager)
        one.put(name="one")
        [down] = store.records()
        two.put(name="two")
        store.fail()

        for _ in range(4):
            self.fails(one)

        store.recover()
        self.fails(one)
        assert two.see() == {"name": "two"}


class TestTold:
    def test_one_line_when_it_fails_and_one_when_it_is_back(
        self, browser: Browser, store: FullStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        browser.put(a=1)
        store.fail()

        with received(signals.store_down) as down, received(signals.store_up) as up:
            for _ in range(5):
                with pytest.raises(StoreUnavailable):
                    browser.see()

            store.recover()
            clock.advance(10)
            browser.see()
            browser.see()

        assert caplog.messages == [
            "the session store does not answer: connection refused",
            "the session store answers again",
        ]
        assert (down, up) == ([{"node": ""}], [{"node": ""}])

    def test_a_store_that_only_refuses_to_write_is_told_once_too(
        self, browser: Browser, store: FullStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        browser.put(a=1)
        store.fail("swap", unreachable=False)

        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                browser.put(a=2)

            assert browser.see() == {"a": 1}

        store.recover()
        clock.advance(10)
        browser.put(a=3)
        assert caplog.messages == [
            "the session store refuses writing: connection refused",
            "the session store serves writing again",
        ]

    def test_no_id_is_told(
        self, browser: Browser, store: FullStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        browser.put(a="value")
        store.fail()

        with pytest.raises(StoreUnavailable) as raised:
            browser.see()

        for text in (caplog.text, str(raised.value), repr(raised.value)):
            assert str(browser.value) not in text
