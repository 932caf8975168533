"""For people who test their application or write their own store.

:class:`FakeClock` is a clock that stands still until it is moved. :class:`StoreConformance` holds
the tests that every store must pass; it is written for pytest. To see the values that an assertion
compared, put this into ``conftest.py``, before anything imports it::

    pytest.register_assert_rewrite("sessionkit.testing")
"""

from __future__ import annotations

from .clock import FakeClock
from .conformance import StoreConformance
from .records import new_key
from .records import new_record
from .records import successor

__all__ = ["FakeClock", "StoreConformance", "new_key", "new_record", "successor"]
