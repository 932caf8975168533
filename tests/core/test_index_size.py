"""An index does not grow: after years of logins it names no more than what is live."""

from __future__ import annotations

import random
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit.store import EXPIRY_MARGIN
from sessionkit.store import Sweepable
from sessionkit.store import offers
from sessionkit.stores import open_store
from sessionkit.stores.redis import RedisStore
from sessionkit.stores.redis_cluster import RedisClusterStore
from sessionkit.testing import FakeClock
from tests.attacks.website import SOAK
from tests.engines import ENGINES
from tests.engines import Engine

from .support import Browser

IDLE = 3600.0

#: Seconds between two requests, and how many of them pass before it is looked at what has expired.
PAUSE, TURN = 10.0, 250

#: Seconds; a little more than it takes until what has been replaced is forgotten.
MARGIN = EXPIRY_MARGIN + SessionPolicy().stub_timeout + 10

#: Requests; the faster engines get all of them.
MANY, FEW = 10_000, 10_000 if SOAK else 1000

#: What is marked as an attack takes some seconds.
CASES = [
    pytest.param(
        engine,
        MANY if engine.name in ("memory", "sqlite", "redis") else FEW,
        marks=[] if engine.name in ("memory", "sqlite") else [pytest.mark.attack],
        id=engine.name,
    )
    for engine in ENGINES
    if engine.owned
]


class Time:
    """Passes for a manager, and for servers that expire records by themselves."""

    def __init__(self, store: t.Any) -> None:
        self.clock = FakeClock()
        self._store = store
        self._behind = 0.0

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self._behind += seconds

    def reach_the_server(self, owner: str) -> None:
        """Let it be later there: what has expired is gone, and what the index has is older."""
        store = self._store

        if isinstance(store, (RedisStore, RedisClusterStore)):
            index = store._names.index(owner)

            for key in list(store.keys()):
                record = store.get(key)

                if record is not None and record.expires_at + store.margin < self.clock():
                    self._ask(store.prefix + key, "UNLINK", store.prefix + key)

            for member in self._ask(index, "ZRANGE", index, 0, -1):
                self._ask(index, "ZINCRBY", index, -round(self._behind), member)

        self._behind = 0.0

    def _ask(self, name: str, *command: t.Any) -> t.Any:
        if isinstance(self._store, RedisClusterStore):
            return self._store._cluster.write(name, *command)

        return self._store._write(*command)


@pytest.mark.parametrize(("engine", "requests"), CASES)
def test_logins_and_renewals_of_one_user_leave_what_is_live(
    engine: Engine, requests: int, request: pytest.FixtureRequest
) -> None:
    store: t.Any = open_store(engine.url(request))
    time = Time(store)
    manager = SessionManager(store, policy=SessionPolicy(idle_timeout=IDLE), clock=time.clock)
    browsers: list[Browser] = []
    chance = random.Random(7)

    for n in range(1, requests + 1):
        if browsers and chance.random() < 0.4:
            chance.choice(browsers[-20:]).visit(lambda session: session.renew())
        else:
            browsers.append(Browser(manager))
            browsers[-1].log_in("ann")

        time.advance(PAUSE)

        if n % TURN == 0:
            time.reach_the_server("ann")

    # Nothing is hidden, and what has expired is removed as others log in.
    live = [browser for browser in browsers if browser.open().owner == "ann"]
    assert len(manager.sessions_of("ann")) == len(live) > 100
    assert len(store.owned_by("ann", time.clock())) < 4 * len(live)

    # Those go on, and what has ended is older than the margin now.
    for browser in live:
        browser.put(used="again")

    time.advance(MARGIN)
    time.reach_the_server("ann")

    if offers(store, Sweepable):
        manager.purge()

    assert len(manager.sessions_of("ann")) == len(live)
    assert len(store.owned_by("ann", time.clock())) == len(live)
