"""Requests that lose a race: what they know when they try again, and who goes first."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.errors import SessionConflict
from sessionkit.patience import Line
from sessionkit.patience import Patience
from sessionkit.testing import FakeClock
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore

WRITES = ("swap", "move", "delete")


def overtake_always(store: FullStore) -> None:
    """Let the record change before every write."""

    def overtake() -> None:
        for key, record in store.records().items():
            store.memory.swap(key, record, record._replace(version=record.version + 1))

        store.before.update(dict.fromkeys(WRITES, overtake))

    overtake()


def put(session: Session) -> None:
    session["b"] = 1


def replace(session: Session) -> None:
    session.destroy()
    session["b"] = 1


@pytest.mark.parametrize("change", [put, Session.renew, replace, Session.destroy])
def test_what_a_pause_has_made_stale_is_read_again(
    change: cabc.Callable[[Session], object], browser: Browser, store: FullStore, clock: FakeClock
) -> None:
    browser.put(a=1)
    session = browser.open()
    change(session)
    overtake_always(store)

    def sleep(seconds: float) -> None:
        store.calls.append("pause")
        clock.sleep(seconds)

        if store.calls.count("pause") == 5:
            store.before.clear()

    manager = SessionManager(store, clock=clock, sleep=sleep)
    manager.commit(session)
    after = [store.calls[i + 1] for i, call in enumerate(store.calls) if call == "pause"]
    assert after == ["get"] * 5


class Racer:
    """A request that has lost a race, with a clock of its own that notes its pauses."""

    def __init__(self, line: Line) -> None:
        self.clock = FakeClock(NOW)
        self.patience = Patience(lambda: line, 2.0, self.clock, self.clock.sleep, lambda: 1.0)

    def lose(self, times: int = 1) -> float:
        """Return the last pause."""
        for _ in range(times):
            self.patience.wait()

        return self.clock.slept[-1] if self.clock.slept else 0.0


def test_whoever_has_waited_longest_tries_most_often() -> None:
    line = Line()
    racers = [Racer(line) for _ in range(4)]
    assert [racer.lose() for racer in racers] == pytest.approx([0, 0.003, 0.006, 0.009])
    assert racers[0].lose(20) == 0.008
    del racers[0]
    assert racers[0].lose() <= 0.008


def test_an_attempt_that_takes_long_gives_others_as_long() -> None:
    line = Line()
    first, second = Racer(line), Racer(line)
    first.lose()
    second.lose()
    second.clock.advance(0.1)
    assert second.lose() == pytest.approx(0.15)
    second.clock.advance(1.0)
    assert second.lose() == 0.25


def test_a_line_goes_with_the_last_who_stands_in_it(manager: SessionManager) -> None:
    patience = manager._lines.patience("key")
    assert not manager._lines
    patience.wait()
    assert len(manager._lines) == 1
    del patience
    assert not manager._lines


def test_waiting_has_an_end_wherever_one_stands() -> None:
    line = Line()
    racers = [Racer(line) for _ in range(3)]

    for racer in racers:
        with pytest.raises(SessionConflict, match="commit_timeout"):
            racer.lose(10_000)

        assert sum(racer.clock.slept) < 2.3


def test_pauses_are_those_of_a_patched_time_module(
    store: FullStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = SessionManager(store)
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    first, second = (manager._lines.patience("key") for _ in range(2))
    first.wait()
    second.wait()
    assert len(pauses) == 1
