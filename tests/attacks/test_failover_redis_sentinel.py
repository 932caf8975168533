"""Sentinel replaces a master under load: what is lost of what was acknowledged, and for how long.

Redis replicates without being waited for, so a failover may undo the last writes and endings.
``wait_replicas`` is there to say of each write whether it is safe.
"""

from __future__ import annotations

import collections.abc as cabc
import concurrent.futures
import contextlib
import threading
import time

import pytest

from sessionkit.errors import StoreUnavailable
from sessionkit.store import Record
from sessionkit.stores.redis import RedisStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.servers import SentinelTrio

from .conftest import Log
from .website import SOAK
from .website import Visitor
from .website import Website
from .website import until

pytestmark = pytest.mark.attack

Tell = cabc.Callable[[str], None]

WRITERS = 4


@pytest.fixture
def trio() -> cabc.Generator[SentinelTrio, None, None]:
    with SentinelTrio() as trio:
        yield trio


class Ledger:
    """What a store has acknowledged: writes of sessions that live, and sessions that were ended."""

    def __init__(self, store: RedisStore) -> None:
        self.store = store
        self.written: dict[str, Record] = {}
        self.ended: list[str] = []
        self.writes = 0
        self.over = threading.Event()
        self.longest = 0.0

    def work(self) -> None:
        """Write one session over and over, and begin and end others, through all trouble."""
        key, record = new_key(), new_record()

        while not self.over.is_set():
            started = time.monotonic()

            with contextlib.suppress(StoreUnavailable):
                self._write(key)

            with contextlib.suppress(StoreUnavailable):
                other, record = new_key(), new_record()

                if self.store.swap(other, None, record) and self.store.delete(other, record):
                    self.ended.append(other)

            self.longest = max(self.longest, time.monotonic() - started)

    def _write(self, key: str) -> None:
        found = self.store.get(key)
        record = new_record() if found is None else successor(found)

        if self.store.swap(key, found, record):
            self.written[key] = record
            self.writes += 1

    def losses(self) -> tuple[int, int]:
        """Return how many acknowledged writes are undone, and how many ended sessions alive."""
        undone = 0

        for key, record in self.written.items():
            found = self.store.get(key)
            undone += record.version - found.version if found else record.version

        return max(0, undone), sum(self.store.get(key) is not None for key in self.ended)


@pytest.mark.parametrize("wait_replicas", [0, 1])
@pytest.mark.parametrize("end", ["kill", "pause"])
def test_what_a_failover_undoes(
    end: str, wait_replicas: int, trio: SentinelTrio, tell: Tell
) -> None:
    ledger = Ledger(store_on(trio, wait_replicas))

    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        working = [pool.submit(ledger.work) for _ in range(WRITERS)]
        until(lambda: ledger.writes > 200)
        old = trio.master()
        getattr(old, end)()
        began = time.monotonic()
        until(lambda: trio.master() is not old)
        before = ledger.writes
        until(lambda: ledger.writes > before + 100)
        took = time.monotonic() - began
        ledger.over.set()

    assert [future.exception() for future in working] == [None] * WRITERS
    undone, alive = ledger.losses()
    tell(
        f"Sentinel, master {end}, wait_replicas={wait_replicas}: of {ledger.writes:,} writes and "
        f"{len(ledger.ended):,} endings {undone} and {alive} undone; writing again after "
        f"{took:.1f} s; one took {ledger.longest:.2f} s"
    )
    assert ledger.longest < 4.0

    if wait_replicas:
        assert (undone, alive) == (0, 0)


@pytest.mark.parametrize("wait_replicas", [0, 1])
def test_a_master_that_was_cut_off_from_its_replicas(
    wait_replicas: int, trio: SentinelTrio, tell: Tell
) -> None:
    """What only the master has is lost with it; ``wait_replicas`` acknowledges none of it."""
    ledger = Ledger(store_on(trio, wait_replicas))
    keys, ends = [new_key() for _ in range(20)], [new_key() for _ in range(20)]

    for key in keys:
        ledger._write(key)

    records = [new_record() for _ in ends]

    for end, record in zip(ends, records, strict=True):
        assert ledger.store.swap(end, None, record)

    old = trio.master()
    replicas = [server for server in trio.servers if server is not old]

    for replica in replicas:
        replica.pause()

    with old.client() as client:
        client.client_kill_filter(_type="replica")

    for key, end, record in zip(keys, ends, records, strict=True):
        with contextlib.suppress(StoreUnavailable):
            ledger._write(key)

        with contextlib.suppress(StoreUnavailable):
            if ledger.store.delete(end, record):
                ledger.ended.append(end)

    old.kill()

    for replica in replicas:
        replica.resume()

    until(lambda: trio.master() is not old)
    until(lambda: able_to_read(ledger.store))
    undone, alive = ledger.losses()
    tell(
        f"Sentinel, a master cut off and killed, wait_replicas={wait_replicas}: of "
        f"{ledger.writes:,} writes and {len(ledger.ended):,} endings {undone} and {alive} undone"
    )
    expected = (0, 0) if wait_replicas else (20, 20)
    assert (undone, alive) == expected
    assert len(ledger.ended) == expected[1]


def able_to_read(store: RedisStore) -> bool:
    with contextlib.suppress(StoreUnavailable):
        store.get(new_key())
        return True

    return False


@pytest.mark.slow
@pytest.mark.parametrize("wait_replicas", [0, 1])
def test_an_old_master_that_does_not_know_it(
    wait_replicas: int, trio: SentinelTrio, tell: Tell
) -> None:
    """It was away, comes back, and takes writes until Sentinel tells it; a process was idle."""
    ledger = Ledger(store_on(trio, wait_replicas))
    keys = [new_key() for _ in range(20)]

    for key in keys:
        with contextlib.suppress(StoreUnavailable):
            assert ledger.store.swap(key, None, new_record())

    old = trio.master()
    old.pause()
    until(lambda: trio.master() is not old)
    old.resume()
    end = time.monotonic() + (10.0 if SOAK else 3.0)

    while time.monotonic() < end:
        for key in keys:
            with contextlib.suppress(StoreUnavailable):
                ledger._write(key)

    # Not before the old one is a replica, and has forgotten what it alone knew.
    until(lambda: role_of(old.port) == "slave")
    undone, alive = ledger.losses()
    tell(
        f"Sentinel, an old master comes back, wait_replicas={wait_replicas}: of {ledger.writes:,} "
        f"writes {undone} undone"
    )
    assert undone == alive == 0, "Sentinel was asked before the idle connection was used"


def role_of(port: int) -> str:
    import redis

    with contextlib.suppress(redis.RedisError), redis.Redis(port=port) as client:
        return str(client.info("replication")["role"])

    return "?"


@pytest.mark.parametrize("end", ["kill", "pause"])
def test_people_come_and_go(end: str, trio: SentinelTrio, log: Log, tell: Tell) -> None:
    website = Website(store_on(trio, 1))
    until(lambda: website.visitor().post("/login").status == 200)
    visitors = [website.visitor(user="alice") for _ in range(6)]
    thief, leaving = website.visitor(), visitors.pop()
    thief.cookie = leaving.cookie
    assert leaving.post("/logout").status == 200
    over, longest = threading.Event(), [0.0]

    def wander(visitor: Visitor) -> None:
        while not over.is_set():
            started = time.monotonic()

            for answer in (visitor.get("/read"), visitor.post("/mutate"), thief.get("/read")):
                assert answer.status in (200, 503)
                assert not answer.sets_cookie
                assert answer.text != "alice" or answer.status == 200

            longest[0] = max(longest[0], time.monotonic() - started)
            time.sleep(0.01)

    with concurrent.futures.ThreadPoolExecutor(len(visitors)) as pool:
        wandering = [pool.submit(wander, visitor) for visitor in visitors]
        old = trio.master()
        began = time.monotonic()
        getattr(old, end)()
        until(lambda: visitors[0].get("/read").status == 503)
        until(lambda: all(one.post("/mutate").status == 200 for one in visitors))
        took = time.monotonic() - began
        over.set()

    assert [future.exception() for future in wandering] == [None] * len(visitors)
    assert all(visitor.get("/read").text == "alice" for visitor in visitors)
    assert thief.get("/read").text == "nobody", "what was ended is alive"
    until(lambda: visitors[0].post("/mutate").status == 200 and "WARNING" in log()[-1])
    tell(
        f"Sentinel, a site, master {end}: all write again after {took:.1f} s; three requests took "
        f"{longest[0]:.2f} s at most"
    )
    assert longest[0] < 4.0


def store_on(trio: SentinelTrio, wait_replicas: int) -> RedisStore:
    return RedisStore(
        trio.url,
        timeout=0.3,
        connect_timeout=0.3,
        wait_replicas=wait_replicas,
        wait_timeout=0.25,
    )
