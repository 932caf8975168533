"""What the attacks share."""

from __future__ import annotations

import collections.abc as cabc
import dataclasses
import logging
import time

import pytest

pytest.register_assert_rewrite("tests.attacks.crashes", "tests.attacks.outages")

Log = cabc.Callable[[], list[str]]

_told: list[str] = []


@dataclasses.dataclass
class Rounds:
    """How often something was attacked; told in the summary.

    :ivar changes: writes that were acknowledged.
    """

    rounds: int = 0
    changes: int = 0

    def for_seconds(self, seconds: float) -> cabc.Iterator[int]:
        end = time.monotonic() + seconds

        while time.monotonic() < end:
            self.rounds += 1
            yield self.rounds


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> cabc.Generator[Rounds, None, None]:
    counted = Rounds()
    yield counted
    _told.append(f"{request.node.name}: {counted.rounds:,} rounds, {counted.changes:,} changes")


@pytest.fixture
def tell() -> cabc.Callable[[str], None]:
    """Return what puts a line into the summary: something that was measured."""
    return _told.append


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    """Return the lines that an administrator has got from us so far: level and text."""
    caplog.set_level(logging.INFO, "sessionkit")

    def lines() -> list[str]:
        records = (record for record in caplog.records if record.name == "sessionkit")
        return [f"{record.levelname}: {record.getMessage()}" for record in records]

    return lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _told:
        terminalreporter.section("attacks")

    for line in _told:
        terminalreporter.write_line(line)
