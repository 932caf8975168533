"""Count the schedules that the tests explore, and say how many in the summary."""

from __future__ import annotations

import collections
import collections.abc as cabc
import gc

import pytest

from .examination import forget

_schedules: collections.Counter[str] = collections.Counter()


@pytest.fixture
def explored(
    request: pytest.FixtureRequest,
) -> cabc.Generator[cabc.Callable[[int], None], None, None]:
    """Take note of a number of schedules."""

    def note(schedules: int) -> None:
        assert schedules > 0
        _schedules[request.node.originalname] += schedules

    # Everything is kept to the end of a case, and a quarter of the time went into looking at it.
    gc.disable()
    yield note
    gc.enable()


@pytest.fixture(autouse=True)
def no_requests_of_broken_code(
    request: pytest.FixtureRequest,
) -> cabc.Generator[None, None, None]:
    """What requests did in a test that breaks something is not what they do in others."""
    is_broken = "monkeypatch" in request.fixturenames

    if is_broken:
        forget()

    yield

    if is_broken:
        forget()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _schedules:
        terminalreporter.section("interleavings")

    for name, schedules in sorted(_schedules.items()):
        terminalreporter.write_line(f"{name}: {schedules:,} schedules")
