"""Going through all sessions."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.testing import FakeClock

from .conftest import MakeManager
from .support import DAY
from .support import NEWER
from .support import Browser
from .support import FullStore


def values(manager: SessionManager) -> list[dict[str, t.Any]]:
    return sorted((stored.values for stored in manager.all()), key=str)


def test_each_is_found_with_its_owner_and_what_ends_it(manager: SessionManager) -> None:
    Browser(manager).put(theme="dark")
    Browser(manager).log_in("ann", since=datetime.date(2026, 1, 1))
    found = {stored.owner: stored for stored in manager.all()}
    assert found[None].values == {"theme": "dark"}
    assert found["ann"].values == {"since": datetime.date(2026, 1, 1)}
    assert manager.revoke("ann", found["ann"].public_id)
    assert values(manager) == [{"theme": "dark"}]


def test_what_has_ended_is_left_out(
    manager: SessionManager, clock: FakeClock, store: FullStore
) -> None:
    renewed, ended = Browser(manager), Browser(manager)
    Browser(manager).put(expired=1)
    clock.advance(DAY)
    renewed.put(renewed=1)
    renewed.visit(Session.renew)
    ended.put(ended=1)
    ended.visit(Session.destroy)
    assert values(manager) == [{"renewed": 1}]
    assert len(store.records()) == 3


def test_what_a_shorter_absolute_timeout_has_ended_is_left_out(
    make_manager: MakeManager, clock: FakeClock
) -> None:
    Browser(make_manager()).log_in("ann")
    clock.advance(3600)
    assert values(make_manager(absolute_timeout=1800)) == []


@pytest.mark.parametrize("payload", [b"damaged", NEWER])
def test_what_cannot_be_read_hides_nothing_else(
    manager: SessionManager, clock: FakeClock, store: FullStore, payload: bytes
) -> None:
    Browser(manager).put(a=1)
    assert store.memory.swap("0" * 64, None, Record(payload, 1, clock() + DAY))
    assert values(manager) == [{"a": 1}]


def test_what_is_found_is_a_copy_that_shows_nothing_of_itself(browser: Browser) -> None:
    browser.put(secret=["of ann"])
    (stored,) = browser.manager.all()
    stored.values["secret"].append("more")
    assert repr(stored) == "<StoredSession, 1 keys>"
    assert browser.see() == {"secret": ["of ann"]}


def test_an_outage_is_no_empty_store(manager: SessionManager, store: FullStore) -> None:
    Browser(manager).put(a=1)
    store.fail()

    with pytest.raises(StoreUnavailable):
        values(manager)
