"""Fixtures that all tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.register_assert_rewrite("sessionkit.testing")

# Last, so that an installed sessionkit is the one that is tested: this is for `tests.servers`.
sys.path.append(str(Path(__file__).parent.parent))
