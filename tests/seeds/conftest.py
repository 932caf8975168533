"""The fixtures of the core's tests serve here too."""

from __future__ import annotations

from tests.core.conftest import browser
from tests.core.conftest import clock
from tests.core.conftest import make_manager
from tests.core.conftest import manager
from tests.core.conftest import store

__all__ = ["browser", "clock", "make_manager", "manager", "store"]
