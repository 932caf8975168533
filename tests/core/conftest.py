"""Fixtures of the core's tests."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit.testing import FakeClock
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore

MakeManager = cabc.Callable[..., SessionManager]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def store(clock: FakeClock) -> FullStore:
    return FullStore(clock)


@pytest.fixture
def make_manager(store: FullStore, clock: FakeClock) -> MakeManager:
    """Make a manager on the store; policy settings by name."""

    def make(
        *,
        secrets: list[str] | None = None,
        on: t.Any = None,
        cookie: t.Any = None,
        types: t.Any = (),
        **settings: t.Any,
    ) -> SessionManager:
        return SessionManager(
            on or store,
            secrets=secrets,
            cookie=cookie,
            types=types,
            policy=SessionPolicy(**settings),
            clock=clock,
            sleep=clock.sleep,
        )

    return make


@pytest.fixture
def manager(make_manager: MakeManager) -> SessionManager:
    return make_manager()


@pytest.fixture
def browser(manager: SessionManager) -> Browser:
    return Browser(manager)


@pytest.fixture
def revoked(browser: Browser) -> Browser:
    """A browser whose session somebody else has ended."""
    browser.log_in("ann", cart=["tea"])
    assert browser.manager.revoke_all("ann") == 1
    return browser
