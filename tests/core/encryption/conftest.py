"""The engine of an encrypted store."""

from __future__ import annotations

import pytest

from sessionkit.stores.memory import MemoryStore


@pytest.fixture
def engine() -> MemoryStore:
    return MemoryStore()
