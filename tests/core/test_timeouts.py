"""How long a session lives, and what extends its life."""

from __future__ import annotations

import datetime

from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore


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
