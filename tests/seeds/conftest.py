"""The fixtures of the core's tests serve here too."""

from __future__ import annotations

import collections.abc as cabc
from pathlib import Path

import pytest

from sessionkit import SealedSessionManager
from sessionkit import SessionManager
from sessionkit.base_manager import BaseManager
from sessionkit.keys import new_key
from sessionkit.stores import open_store
from sessionkit.testing import FakeClock
from tests.core.conftest import browser
from tests.core.conftest import clock
from tests.core.conftest import make_manager
from tests.core.conftest import manager
from tests.core.conftest import store

__all__ = ["any_manager", "browser", "clock", "make_manager", "manager", "store"]


@pytest.fixture(params=["memory:", "sqlite:///{}/s.sqlite3", "file:///{}/s", "redis", "cookie:"])
def any_manager(
    request: pytest.FixtureRequest, tmp_path: Path
) -> cabc.Generator[BaseManager, None, None]:
    """A manager on each of the stores that the five have or announce, with the real time."""
    clock = FakeClock()

    if request.param == "cookie:":
        yield SealedSessionManager([new_key()], clock=clock)
        return

    url = request.getfixturevalue("redis_url") if request.param == "redis" else request.param
    manager = SessionManager(open_store(url.format(tmp_path)), clock=clock)
    yield manager
    manager.close()
