"""Logins at the same time, beyond the limit."""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import threading

import pytest

from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import Store
from sessionkit.cookie import Set
from sessionkit.stores import open_store
from sessionkit.testing import FakeClock
from tests.core.support import ComposedStore
from tests.core.support import before_the
from tests.core.support import logged_in
from tests.engines import ENGINES
from tests.engines import Engine

from .conftest import MakeManager
from .support import Browser
from .support import FullStore

CROWD = 8
#: Engines that take their time.
SLOWER = ("file", "redis+cluster", "postgres", "sqlalchemy (MariaDB)")


class TestAtTheSameTime:
    @pytest.mark.parametrize("kind", [FullStore, ComposedStore])
    @pytest.mark.parametrize("command", ["owned_by", "get", "swap"])
    @pytest.mark.parametrize("number", [1, 2, 3, 4])
    def test_two_logins_never_end_each_other(
        self,
        make_manager: MakeManager,
        clock: FakeClock,
        kind: type[FullStore],
        command: str,
        number: int,
    ) -> None:
        store = kind(clock)
        manager = make_manager(on=store, max_sessions_per_owner=1)
        first, second = logged_in(manager, clock, 2)
        before_the(number, command, store, lambda: second.log_in("ann"))
        first.log_in("ann")
        store.before.clear()
        assert 1 <= len(manager.sessions_of("ann")) <= 2
        logged_in(manager, clock)
        assert len(manager.sessions_of("ann")) == 1

    @pytest.mark.parametrize("limit", [1, 3])
    @pytest.mark.parametrize(
        "name",
        [
            *("memory", "sqlite", "redis"),
            *(pytest.param(name, marks=pytest.mark.attack) for name in SLOWER),
        ],
    )
    def test_a_crowd_converges_and_is_never_shut_out(
        self, name: str, limit: int, request: pytest.FixtureRequest
    ) -> None:
        managers = list(opened(name, limit, request))
        start = threading.Barrier(CROWD)

        def log_in(manager: SessionManager) -> None:
            session = manager.open()
            session.bind("ann")
            start.wait(30)
            assert isinstance(manager.commit(session), Set)

        with concurrent.futures.ThreadPoolExecutor(CROWD) as pool:
            for _ in range(10):
                list(pool.map(log_in, managers))
                assert managers[0].sessions_of("ann")
                Browser(managers[0]).log_in("ann")
                assert 1 <= len(managers[0].sessions_of("ann")) <= limit

        for manager in managers:
            manager.close()


def opened(name: str, limit: int, request: pytest.FixtureRequest) -> cabc.Iterator[SessionManager]:
    """Open a manager for each of a crowd: of its own, as in a process of its own, if it can be."""
    engine: Engine = next(engine for engine in ENGINES if engine.name == name)
    url = engine.url(request)
    shared: Store | None = None if engine.shared else open_store(url)

    for _ in range(CROWD):
        policy = SessionPolicy(max_sessions_per_owner=limit)
        yield SessionManager(shared or open_store(url), policy=policy)
