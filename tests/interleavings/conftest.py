"""Count the schedules that the tests explore, and say how many in the summary."""

from __future__ import annotations

import collections
import collections.abc as cabc

import pytest

_schedules: collections.Counter[str] = collections.Counter()


@pytest.fixture
def explored(request: pytest.FixtureRequest) -> cabc.Callable[[int], None]:
    """Take note of a number of schedules."""

    def note(schedules: int) -> None:
        assert schedules > 0
        _schedules[request.node.originalname] += schedules

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _schedules:
        terminalreporter.section("interleavings")

    for name, schedules in sorted(_schedules.items()):
        terminalreporter.write_line(f"{name}: {schedules:,} schedules")
