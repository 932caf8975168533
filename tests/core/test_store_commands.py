"""How many commands each kind of request sends to the store: exact, on both kinds of store."""

from __future__ import annotations

import collections.abc as cabc

import pytest

from sessionkit import Session
from sessionkit.testing import FakeClock
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import PlainStore
from tests.core.support import View


@pytest.fixture(params=[FullStore, PlainStore], ids=["moving", "composed"])
def counted(request: pytest.FixtureRequest, clock: FakeClock) -> PlainStore:
    made: PlainStore = request.param(clock)
    return made


@pytest.fixture
def visitor(counted: PlainStore, make_manager: MakeManager) -> Browser:
    browser = Browser(make_manager(on=counted))
    browser.put(a=1)
    counted.calls.clear()
    return browser


def write(session: Session) -> None:
    session["a"] = 2


CASES: dict[str, tuple[View, list[str], list[str]]] = {
    "untouched": (lambda session: None, [], []),
    "repr": (repr, [], []),
    "read": (lambda session: session["a"], ["get"], ["get"]),
    "read twice": (lambda session: (session["a"], len(session)), ["get"], ["get"]),
    "write": (write, ["get", "swap"], ["get", "swap"]),
    "the same value": (lambda session: session.update(a=1), ["get"], ["get"]),
    "read a missing flash": (lambda session: session.flash.get("x"), ["get"], ["get"]),
    "renew": (Session.renew, ["get", "move"], ["get", "swap", "swap"]),
    "login": (lambda session: session.bind("ann"), ["get", "move"], ["get", "swap", "swap"]),
    "destroy": (Session.destroy, ["get", "delete"], ["get", "delete"]),
    "save then write": (
        lambda session: session.save() and session.setdefault("new", 2),
        ["get", "swap", "swap"],
        ["get", "swap", "swap"],
    ),
}


@pytest.mark.parametrize(("view", "moving", "composed"), CASES.values(), ids=CASES.keys())
def test_a_session_that_exists(
    visitor: Browser, counted: PlainStore, view: View, moving: list[str], composed: list[str]
) -> None:
    visitor.visit(view)
    assert counted.calls == (moving if isinstance(counted, FullStore) else composed)


@pytest.mark.parametrize(
    ("view", "commands"),
    [
        (lambda session: None, []),
        (lambda session: session.get("a"), []),
        (lambda session: session.destroy(), []),
        (lambda session: session.renew(), []),
        (lambda session: session.flash.get("a"), []),
        (write, ["swap"]),
        (lambda session: session.bind("ann"), ["swap"]),
    ],
)
def test_a_browser_without_a_cookie(
    counted: PlainStore,
    make_manager: MakeManager,
    view: cabc.Callable[[Session], object],
    commands: list[str],
) -> None:
    Browser(make_manager(on=counted)).visit(view)
    assert counted.calls == commands


def test_a_read_that_is_due_for_a_refresh(
    visitor: Browser, counted: PlainStore, clock: FakeClock
) -> None:
    clock.advance(DAY / 2)
    visitor.see()
    assert counted.calls == ["get", "swap"]


def test_a_write_that_was_overtaken_once(visitor: Browser, counted: PlainStore) -> None:
    counted.before["swap"] = lambda: visitor.put(b=1)
    visitor.visit(write)
    mine = ["get", "swap"]
    assert counted.calls == [*mine, "get", "swap", "get", "swap"]
    assert visitor.see() == {"a": 2, "b": 1}


def test_ending_with_a_replaced_id(visitor: Browser, counted: PlainStore) -> None:
    old = visitor.twin()
    visitor.visit(lambda session: session.renew())
    counted.calls.clear()
    old.visit(lambda session: session.destroy())
    assert counted.calls == ["get", "get", "delete"]


def test_a_new_session_in_place_of_the_old_one(visitor: Browser, counted: PlainStore) -> None:
    def view(session: Session) -> None:
        session.clear()
        session["a"] = 2

    visitor.visit(view)
    moved = ["move"] if isinstance(counted, FullStore) else ["swap", "swap"]
    assert counted.calls == ["get", *moved]
