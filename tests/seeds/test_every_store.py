"""The same on every store: in the five, memory and Redis, file and cookie behave differently."""

from __future__ import annotations

import datetime

import pytest

from sessionkit.base_manager import BaseManager
from sessionkit.testing import FakeClock
from tests.core.support import Browser

VALUES = {"int": 100, "none": None, "list": ["a", 1.5], "map": {"n": {2: b"x"}}, "true": True}


@pytest.fixture
def anywhere(any_manager: BaseManager) -> Browser:
    return Browser(any_manager)


def test_types_survive(anywhere: Browser) -> None:
    anywhere.put(**VALUES, day=datetime.date(2026, 11, 21))
    assert anywhere.see() == {**VALUES, "day": datetime.date(2026, 11, 21)}


def test_a_value_is_replaced_and_not_merged(anywhere: Browser) -> None:
    anywhere.put(map={"a": 1}, other=1)
    anywhere.put(map={"b": 2})
    assert anywhere.see() == {"map": {"b": 2}, "other": 1}


def test_metadata_is_replaced_as_a_whole(anywhere: Browser) -> None:
    anywhere.visit(lambda session: session.bind("ann", n=1, device="phone"))
    anywhere.visit(lambda session: session.bind("ann", n=2))
    session = anywhere.open()
    assert (session.owner, session.meta) == ("ann", {"n": 2})


def test_what_is_missing_is_missing(anywhere: Browser) -> None:
    anywhere.put(nothing=None)
    anywhere.visit(lambda session: session.pop("absent", None))
    session = anywhere.open()
    assert ("nothing" in session, session.get("nothing", 1)) == (True, None)
    assert ("absent" in session, session.get("absent", 1)) == (False, 1)


def test_sessions_expire(anywhere: Browser) -> None:
    anywhere.put(a=1)
    clock = anywhere.manager.clock
    assert isinstance(clock, FakeClock)
    clock.advance(2 * 24 * 3600)
    assert anywhere.see() == {}
