"""Schedules that once broke a promise, or that other session libraries fail, by name."""

from __future__ import annotations

import pytest

from sessionkit import Session
from sessionkit import SessionManager
from sessionkit.cookie import Delete
from sessionkit.cookie import Set
from sessionkit.store import Enumerable
from sessionkit.store import Store
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock

from .cases import POLICY


class Composing:
    """A store that cannot move."""

    def __init__(self) -> None:
        inner = MemoryStore()
        self.get, self.swap, self.delete = inner.get, inner.swap, inner.delete
        self.owned_by, self.count = inner.owned_by, inner.count
        self.keys, self.clear = inner.keys, inner.clear


@pytest.fixture(params=[MemoryStore, Composing])
def store(request: pytest.FixtureRequest) -> Store:
    made: Store = request.param()
    return made


@pytest.fixture
def manager(store: Store) -> SessionManager:
    return SessionManager(store, policy=POLICY, clock=FakeClock(1e9))


@pytest.fixture
def cookie(manager: SessionManager) -> str:
    """The browser's cookie, with which alice is logged in."""
    session = manager.open()
    session["secret"] = "s3cret"
    session.bind("alice")
    return _cookie(manager, session)


def _cookie(manager: SessionManager, session: Session) -> str:
    instruction = manager.commit(session)
    assert isinstance(instruction, Set)
    return f"sid={instruction.value}"


def _loaded(manager: SessionManager, cookie: str) -> Session:
    session = manager.open(cookie)
    assert session.owner == "alice"
    return session


def test_a_renewal_saved_early_does_not_bring_back_what_was_revoked(
    manager: SessionManager, cookie: str
) -> None:
    renewing = _loaded(manager, cookie)
    manager.revoke_all("alice")
    renewing.renew()
    assert renewing.save() is False
    assert manager.commit(renewing) is None
    assert manager.sessions_of("alice") == []
    assert manager.load(cookie.removeprefix("sid=")) is None
    assert manager.count().live == 0
    assert isinstance(manager.store, Enumerable)
    assert len([*manager.store.keys()]) == 1, "there is more than the stub that says why"


def test_a_renewal_saved_early_and_too_late_makes_no_second_session(
    manager: SessionManager, cookie: str
) -> None:
    first, second = _loaded(manager, cookie), _loaded(manager, cookie)
    first.renew()
    manager.commit(first)
    second.renew()
    assert second.save() is False
    assert manager.commit(second) is None
    assert len(manager.sessions_of("alice")) == 1


def test_a_login_after_a_save_that_came_too_late_takes_only_its_own_writes_along(
    manager: SessionManager, cookie: str
) -> None:
    late = _loaded(manager, cookie)
    late.flash["note"] = "loaded with the session"
    manager.revoke_all("alice")
    late["mine"] = 1
    assert late.save() is False
    late.bind("alice")
    bound = manager.open(_cookie(manager, late))
    assert (bound.owner, bound["mine"], "secret" in bound) == ("alice", 1, False)


def test_a_renewal_of_a_replaced_id_does_not_log_out_whoever_clicked_twice(
    manager: SessionManager, cookie: str
) -> None:
    first = _loaded(manager, cookie)
    first.renew()
    assert manager.commit(first) is not None
    second = manager.open(cookie)
    second["visits"] = 1
    second.renew()
    assert manager.commit(second) is None


def test_a_renewal_on_a_host_with_a_slow_clock_shortens_no_life(
    store: Store, manager: SessionManager, cookie: str
) -> None:
    slow = SessionManager(store, policy=POLICY, clock=FakeClock(1e9 - 5))
    before = _loaded(manager, cookie).expires_at
    renewing = _loaded(slow, cookie)
    renewing.renew()
    assert _loaded(manager, _cookie(slow, renewing)).expires_at == before


def test_logging_out_with_a_replaced_id_ends_what_replaced_it(
    manager: SessionManager, cookie: str
) -> None:
    renewing, leaving = _loaded(manager, cookie), _loaded(manager, cookie)
    renewing.renew()
    renewed = _cookie(manager, renewing)
    leaving.destroy()
    assert manager.commit(leaving) == Delete()
    assert manager.open(renewed).state == "new"


def test_what_was_written_during_a_renewal_is_kept(manager: SessionManager, cookie: str) -> None:
    renewing, writing = _loaded(manager, cookie), _loaded(manager, cookie)
    writing["cart"] = ["tea"]
    assert manager.commit(writing) is None
    renewing.renew()
    assert _loaded(manager, _cookie(manager, renewing))["cart"] == ["tea"]


def test_a_login_form_sent_twice_ends_logged_in_whichever_answer_the_browser_keeps(
    manager: SessionManager, cookie: str
) -> None:
    first, second = _loaded(manager, cookie), _loaded(manager, cookie)
    first.bind("alice")
    second.bind("alice")
    answers = [_cookie(manager, first), _cookie(manager, second)]
    assert [manager.open(answer).owner for answer in answers] == ["alice", "alice"]


def test_a_life_of_its_own_survives_what_others_write(manager: SessionManager, cookie: str) -> None:
    shortening, writing = _loaded(manager, cookie), _loaded(manager, cookie)
    shortening.set_expiry(60)
    manager.commit(shortening)
    writing["mark"] = 1
    manager.commit(writing)
    later = _loaded(manager, cookie)
    assert later["mark"] == 1
    assert later.draft.header.idle == 60
