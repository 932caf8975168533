"""What the attacks share."""

from __future__ import annotations

import collections.abc as cabc
import logging

import pytest

pytest.register_assert_rewrite("tests.attacks.outages")

Log = cabc.Callable[[], list[str]]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    """Return the lines that an administrator has got from us so far: level and text."""
    caplog.set_level(logging.INFO, "sessionkit")

    def lines() -> list[str]:
        records = (record for record in caplog.records if record.name == "sessionkit")
        return [f"{record.levelname}: {record.getMessage()}" for record in records]

    return lines
