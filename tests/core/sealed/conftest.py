"""Managers of sealed sessions, encrypted and merely signed."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import CookieOptions
from sessionkit import SealedSessionManager
from sessionkit import SessionPolicy
from sessionkit.testing import FakeClock
from tests.core.sealed.support import SECRET
from tests.core.sealed.support import MakeSealed
from tests.core.support import Browser


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
def browser(sealed: SealedSessionManager) -> Browser:
    return Browser(sealed)
