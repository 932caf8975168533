"""Requests that lose a race: what they know when they try again, and how long they do."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.errors import SessionConflict
from sessionkit.patience import Lines
from sessionkit.patience import Patience
from sessionkit.testing import FakeClock
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


def patience(clock: FakeClock) -> Patience:
    """Return that of a request whose random pauses are the longest possible."""
    return Lines(2.0, clock, clock.sleep, lambda: 1.0).patience("key")


def test_who_has_the_turn_tries_three_times_at_once_and_then_pauses_ever_longer(
    clock: FakeClock,
) -> None:
    with patience(clock) as first:
        for _ in range(6):
            first.wait()

    assert clock.slept == pytest.approx([0.008, 0.008, 0.008])


def test_waiting_has_an_end(clock: FakeClock) -> None:
    def wait(first: Patience) -> None:
        while True:
            first.wait()

    with patience(clock) as first, pytest.raises(SessionConflict, match="commit_timeout"):
        wait(first)

    assert 2.0 <= sum(clock.slept) < 2.1


def test_waiting_for_a_turn_that_never_comes_has_an_end_too(clock: FakeClock) -> None:
    lines = Lines(0.5, clock, clock.sleep, lambda: 1.0)

    with lines.patience("key") as first, lines.patience("key") as second:
        first.wait()
        second.wait()

        with pytest.raises(SessionConflict, match="seconds"):
            second.wait()

    assert clock.slept == []
    assert not lines


def test_pauses_are_those_of_a_patched_time_module(
    store: FullStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = SessionManager(store)
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)

    with manager._lines.patience("key") as patience:
        for _ in range(4):
            patience.wait()

    assert len(pauses) == 1
