"""For people who test their application or write their own store.

:func:`login` logs a test client in. :class:`FakeClock` is a clock that stands still until it is
moved; ``from sessionkit.testing.fixtures import session_clock`` in ``conftest.py`` gives tests one
that all managers go by. :class:`StoreConformance` holds the tests that every store must pass; it is
written for pytest. To see the values that an assertion compared, put this into ``conftest.py``,
before anything imports it::

    pytest.register_assert_rewrite("sessionkit.testing")
"""

from __future__ import annotations

from .clock import FakeClock
from .conformance import StoreConformance
from .login import login
from .records import new_key
from .records import new_record
from .records import successor

__all__ = ["FakeClock", "StoreConformance", "login", "new_key", "new_record", "successor"]
