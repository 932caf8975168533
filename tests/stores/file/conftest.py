"""A folder, and a store in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionkit.stores.file import FileStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def store(path: Path) -> FileStore:
    return FileStore(path)
