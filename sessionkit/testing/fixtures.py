"""Fixtures for pytest: import them in ``conftest.py``."""

from __future__ import annotations

import types

import pytest

from .clock import FakeClock


@pytest.fixture
def session_clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """A clock that stands still until the test moves it; all managers go by it.

    But for those that were given another one. Stores whose server expires records by itself go by
    the real time, so that a clock that is far from it loses every record there.
    """
    clock = FakeClock()
    monkeypatch.setattr("sessionkit.clock.time", types.SimpleNamespace(time=clock))
    return clock
