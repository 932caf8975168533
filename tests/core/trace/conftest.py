"""A manager that keeps its lines."""

from __future__ import annotations

import pytest

from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit.testing import FakeClock
from tests.core.support import FullStore
from tests.core.trace.support import Lines


@pytest.fixture
def lines() -> Lines:
    return []


@pytest.fixture
def manager(store: FullStore, clock: FakeClock, lines: Lines) -> SessionManager:
    policy = SessionPolicy(max_payload=2000)
    return SessionManager(
        store, trace=lines.append, clock=clock, sleep=clock.sleep, policy=policy, header="X-Id"
    )
