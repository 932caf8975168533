"""What an index says is a hint: the sessions of an owner are what its keys lead to."""

from __future__ import annotations

import base64
import collections.abc as cabc
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit.stores import open_store
from sessionkit.testing import FakeClock
from sessionkit.tokens import digest
from tests.engines import ENGINES
from tests.engines import Engine

from .support import DAY
from .support import Browser
from .support import FullStore

#: What is nobody's name and no public id, wherever it comes from.
NONSENSE = (
    "",
    " ",
    "nobody",
    "x" * 10_000,
    "\0",
    "a\r\nb",
    "*",
    "%",
    "' OR ''='",
    "../../",
    "{ann}",
    "é" * 255,
    "\ud800",
    "😀",
)


class NamesMore(FullStore):
    """Its index names keys that the store does not have, or that are somebody else's, first."""

    more: tuple[str, ...] = ()

    def owned_by(self, owner: str, now: float, /) -> cabc.Collection[str]:
        return [*self.more, *super().owned_by(owner, now)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> NamesMore:
    return NamesMore(clock)


@pytest.fixture
def manager(store: NamesMore, clock: FakeClock) -> SessionManager:
    return SessionManager(store, clock=clock)


def logged_in(manager: SessionManager, owner: str = "ann") -> Browser:
    browser = Browser(manager)
    browser.log_in(owner)
    return browser


def public_id(browser: Browser) -> str:
    found = browser.open().public_id
    assert found is not None
    return found


def listed(manager: SessionManager, owner: str = "ann") -> list[str]:
    return sorted(info.public_id for info in manager.sessions_of(owner))


def key_of(browser: Browser) -> str:
    assert browser.value is not None
    return digest(browser.value)


def test_what_is_somebody_elses_is_neither_shown_nor_ended(
    manager: SessionManager, store: NamesMore
) -> None:
    ann, bob, replaced, nobody = (logged_in(manager, name) for name in ("ann", "bob", "bob", "ann"))
    left, nobodys = replaced.twin(), Browser(manager)
    replaced.visit(lambda session: session.renew())
    nobody.visit(lambda session: session.destroy())
    nobodys.put(a=1)
    store.more = ("f" * 64, *(key_of(one) for one in (bob, left, replaced, nobodys)))

    assert listed(manager) == [public_id(ann)]
    assert manager.revoke("ann", public_id(bob)) is False
    assert manager.revoke_all("ann") == 1

    owners = [browser.open().owner for browser in (ann, bob, replaced)]
    assert owners == [None, "bob", "bob"]
    assert nobodys.see() == {"a": 1}


def test_a_new_id_that_is_named_before_there_is_a_record_is_ended_too(
    store: NamesMore, clock: FakeClock
) -> None:
    manager = SessionManager(store, clock=clock, random_bytes=lambda size: b"n" * size)
    browser = Browser(SessionManager(store, clock=clock))
    browser.log_in("ann")
    old, renewing = browser.twin(), Browser(manager, browser.value)
    store.more = (digest(base64.urlsafe_b64encode(b"n" * 30).decode()),)

    def renew_after_the_new_key_was_read() -> None:
        store.before["get"] = lambda: renewing.visit(lambda session: session.renew())

    store.before["get"] = renew_after_the_new_key_was_read
    assert manager.revoke_all("ann") == 1

    assert renewing.value != old.value
    assert [one.open().owner for one in (old, renewing)] == [None, None]


@pytest.mark.parametrize("what", ["one", "all", "logout"])
def test_what_is_ended_while_it_is_listed_is_not_shown(
    manager: SessionManager, store: NamesMore, what: str
) -> None:
    first, second = logged_in(manager), logged_in(manager)
    gone = public_id(first)
    kept = [] if what == "all" else [public_id(second)]
    ends: dict[str, cabc.Callable[[], object]] = {
        "one": lambda: manager.revoke("ann", gone),
        "all": lambda: manager.revoke_all("ann"),
        "logout": lambda: first.visit(lambda session: session.destroy()),
    }
    store.before["get"] = ends[what]
    assert listed(manager) == kept


def test_what_is_ended_twice_at_once_is_ended_once(
    manager: SessionManager, store: NamesMore
) -> None:
    browser = logged_in(manager)
    wanted = public_id(browser)
    told: list[bool] = []
    store.before["get"] = lambda: told.append(manager.revoke("ann", wanted))
    told.append(manager.revoke("ann", wanted))
    assert told == [True, False]
    assert browser.open().owner is None


def test_what_is_over_is_not_shown_and_cannot_be_ended(
    manager: SessionManager, clock: FakeClock
) -> None:
    browser = logged_in(manager)
    expired = public_id(browser)
    clock.advance(15 * DAY)
    assert listed(manager) == []
    assert manager.revoke("ann", expired) is False
    assert manager.revoke_all("ann") == 0
    assert browser.open().owner is None


@pytest.mark.parametrize("engine", [one for one in ENGINES if one.owned], ids=str)
def test_nonsense_is_nobodys(engine: Engine, request: pytest.FixtureRequest) -> None:
    store: t.Any = open_store(engine.url(request))
    manager = SessionManager(store)
    ann, bob = logged_in(manager), logged_in(manager, "bob")

    for text in NONSENSE:
        assert manager.sessions_of(text) == []
        assert manager.revoke_all(text) == 0
        assert manager.revoke("ann", text) is False
        assert manager.revoke(text, public_id(ann)) is False

    assert manager.revoke("ann", public_id(bob)) is False
    assert [one.open().owner for one in (ann, bob)] == ["ann", "bob"]
    manager.close()
