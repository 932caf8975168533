"""What a breaker makes of calls that fail and calls that succeed, and what it tells."""

from __future__ import annotations

import pytest

from sessionkit.breaker import Breaker
from sessionkit.breaker import Operation
from sessionkit.errors import StoreUnavailable
from sessionkit.testing import FakeClock

SILENCE = StoreUnavailable("timed out", unreachable=True)
REFUSAL = StoreUnavailable("no memory")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def breaker(clock: FakeClock) -> Breaker:
    return Breaker(2, 10.0, clock)


def passes(breaker: Breaker, operation: Operation) -> bool:
    try:
        breaker.check("", operation)
    except StoreUnavailable:
        return False

    return True


def test_writes_without_an_answer_leave_reads_alone(breaker: Breaker) -> None:
    for _ in range(2):
        breaker.failed("", "replace", SILENCE)
        breaker.answered("", "get")

    assert passes(breaker, "get")
    assert not passes(breaker, "replace")
    assert not passes(breaker, "create")
    assert not passes(breaker, "delete")


def test_reads_without_an_answer_stop_everything(breaker: Breaker) -> None:
    for _ in range(2):
        breaker.failed("", "get", SILENCE)

    assert not passes(breaker, "get")
    assert not passes(breaker, "create")


def test_one_write_tries_again_after_the_pause(breaker: Breaker, clock: FakeClock) -> None:
    for _ in range(2):
        breaker.failed("", "replace", SILENCE)

    clock.advance(10)
    assert [passes(breaker, "replace") for _ in range(3)] == [True, False, False]


def test_a_write_that_works_lets_reads_try_again(breaker: Breaker, clock: FakeClock) -> None:
    for _ in range(2):
        breaker.failed("", "get", SILENCE)

    clock.advance(10)
    assert passes(breaker, "create")
    assert not breaker.answered("", "create")
    assert passes(breaker, "get")


@pytest.mark.parametrize(
    ("failing", "working"),
    [
        (("replace",), ("get",)),
        (("create", "replace"), ("get", "delete")),
        (("create",), ("get", "replace", "delete")),
    ],
)
@pytest.mark.parametrize("error", [SILENCE, REFUSAL])
def test_what_works_all_the_time_is_no_recovery(
    breaker: Breaker,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    failing: tuple[Operation, ...],
    working: tuple[Operation, ...],
    error: StoreUnavailable,
) -> None:
    begun = [breaker.failed("", operation, error) for operation in failing * 3]
    clock.advance(10)
    over = [breaker.answered("", operation) for operation in working]
    begun += [breaker.failed("", operation, error) for operation in failing]
    assert (sum(begun), sum(over), len(caplog.messages)) == (1, 0, 1)
    clock.advance(10)
    assert breaker.answered("", failing[0])
    assert len(caplog.messages) == 2


def test_a_server_that_refuses_everything_is_told_once(
    breaker: Breaker, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    assert breaker.failed("", "get", REFUSAL)
    assert not breaker.failed("", "create", REFUSAL)
    clock.advance(10)
    assert breaker.answered("", "get")
    assert caplog.messages == [
        "the session store refuses reading: no memory",
        "the session store serves reading again",
    ]


def test_a_server_that_is_back_but_refuses_is_told(
    breaker: Breaker, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    breaker.failed("", "get", SILENCE)
    breaker.failed("", "get", SILENCE)
    breaker.failed("", "get", REFUSAL)
    assert passes(breaker, "get")
    clock.advance(10)
    assert breaker.answered("", "get")
    assert caplog.messages == [
        "the session store does not answer: timed out",
        "the session store refuses reading: no memory",
        "the session store answers again",
    ]


@pytest.mark.parametrize("error", [SILENCE, REFUSAL])
def test_what_fails_now_and_then_is_told_once(
    breaker: Breaker, clock: FakeClock, caplog: pytest.LogCaptureFixture, error: StoreUnavailable
) -> None:
    for _ in range(20):
        breaker.failed("", "replace", error)
        clock.advance(1)
        assert passes(breaker, "replace")
        assert not breaker.answered("", "replace")
        clock.advance(1)

    assert len(caplog.messages) == 1
    clock.advance(10)
    assert breaker.answered("", "replace")


def test_a_clock_that_was_set_back_does_not_delay_the_recovery(
    breaker: Breaker, clock: FakeClock
) -> None:
    breaker.failed("", "get", SILENCE)
    clock.advance(-3600)
    assert breaker.answered("", "get")
