"""Requests that lose a race: what they know when they try again, and who goes first."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit import Session
from sessionkit import SessionManager
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
