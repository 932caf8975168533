"""Sweeping, closing, and stores that cannot do what is asked."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.errors import UnsupportedOperation
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import PlainStore


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
