"""Each of the three ways in sends the same signals, from a store as from sealed cookies."""

from __future__ import annotations

import collections.abc as cabc
import contextlib
import typing as t

import pytest

from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import keys
from sessionkit import signals
from sessionkit.base_manager import BaseManager
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from tests.core.support import DAY
from tests.core.support import FullStore
from tests.security.sites import KINDS
from tests.security.sites import Jar
from tests.security.sites import Query
from tests.security.sites import Said
from tests.security.sites import site_of

NAMES = [name for name, found in vars(signals).items() if isinstance(found, signals.Signal)]

#: The name of a signal, whether it came with a session, and what else it came with.
Event = tuple[str, bool, dict[str, t.Any]]


@contextlib.contextmanager
def heard(manager: BaseManager) -> cabc.Iterator[list[Event]]:
    """Collect everything that the manager sends."""
    events: list[Event] = []

    def listen(name: str) -> cabc.Callable[..., None]:
        def receive(sender: object, *, session: Session | None = None, **values: t.Any) -> None:
            events.append((name, session is not None, values))

        return receive

    with contextlib.ExitStack() as stack:
        for name in NAMES:
            stack.enter_context(getattr(signals, name).connected_to(listen(name), sender=manager))

        yield events


def fail(session: t.Any, query: Query) -> Said:
    session["lost"] = 1
    return Said("failed", 500)


@pytest.fixture(params=["store", "sealed"])
def manager(request: pytest.FixtureRequest, clock: FakeClock) -> BaseManager:
    if request.param == "store":
        return SessionManager(MemoryStore(clock=clock), clock=clock)

    return SealedSessionManager([keys.new_key()], clock=clock)


@pytest.fixture(params=KINDS)
def jar(request: pytest.FixtureRequest, manager: BaseManager) -> cabc.Iterator[Jar]:
    with site_of(request.param, manager) as site:
        site.views["/fail"] = fail
        yield site.jar()


def test_a_life(manager: BaseManager, jar: Jar, clock: FakeClock) -> None:
    with heard(manager) as events:
        jar.get("/notouch")
        jar.get("/count")
        jar.get("/count")
        jar.get("/fail")
        clock.advance(DAY / 2)
        jar.get("/whoami")
        jar.get("/login")
        jar.get("/renew")
        jar.get("/logout")

    loaded = "loaded", True, {"owned": False}
    loaded_by_owner = "loaded", True, {"owned": True}
    assert events == [
        ("created", True, {"keys": {"count"}, "owned": False}),
        loaded,
        ("saved", True, {"keys": {"count"}, "reason": "changed"}),
        loaded,
        ("dropped", True, {"keys": {"lost"}, "reason": "error_response"}),
        loaded,
        ("saved", True, {"keys": set(), "reason": "refreshed"}),
        loaded,
        ("renewed", True, {"keys": {"user"}, "owned": True, "owner_changed": True}),
        loaded_by_owner,
        ("renewed", True, {"keys": set(), "owned": True, "owner_changed": False}),
        loaded_by_owner,
        ("destroyed", True, {"reason": "ended"}),
    ]


def test_cookies_that_lead_nowhere(manager: BaseManager, jar: Jar, clock: FakeClock) -> None:
    jar.get("/count")

    with heard(manager) as events:
        jar.send(f"{jar.name}=forged")
        clock.advance(2 * DAY)
        jar.get("/whoami")

    assert events == [
        ("rejected", False, {"reason": "malformed"}),
        ("expired", False, {"owned": False}),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_only_a_store_can_tell(kind: str, store: FullStore, clock: FakeClock) -> None:
    manager = SessionManager(store, clock=clock, sleep=clock.sleep)

    with site_of(kind, manager) as site:
        jar = site.jar()
        jar.get("/put", {"a": "1"})
        old = jar.copy()
        store.before["swap"] = lambda: old.get("/put", {"b": "1"})

        with heard(manager) as events:
            jar.get("/put", {"c": "1"})
            jar.get("/renew")
            old.get("/show")
            store.fail("get")
            jar.get("/show")
            store.recover()
            clock.advance(5)
            jar.get("/show")

    names = [name for name, _, _ in events]
    assert names[:6] == ["loaded", "loaded", "saved", "conflict", "merged", "saved"]
    assert [values for name, _, values in events if name in ("conflict", "merged")] == [
        {"keys": {"c"}},
        {"keys": {"c"}},
    ]
    assert names[6:] == ["loaded", "renewed", "superseded_use", "store_down", "store_up", "loaded"]
