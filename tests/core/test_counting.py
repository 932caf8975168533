"""``manager.count()``: sessions with and without an owner, and nothing else."""

from __future__ import annotations

import collections.abc as cabc
from pathlib import Path

import pytest

from sessionkit import Count
from sessionkit import SealedSessionManager
from sessionkit import Session
from sessionkit import SessionManager
from sessionkit import SessionPolicy
from sessionkit import keys
from sessionkit.counting import count_sessions
from sessionkit.encryption import EncryptedStore
from sessionkit.errors import UnsupportedOperation
from sessionkit.store import Record
from sessionkit.stores import open_store
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from sessionkit.testing import new_key
from tests.core.conftest import MakeManager
from tests.core.support import DAY
from tests.core.support import NEWER
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import FullStore
from tests.core.support import PlainStore


@pytest.mark.parametrize("place", ["memory", "sqlite", "file", "redis"])
def test_sessions_with_and_without_an_owner(
    request: pytest.FixtureRequest, tmp_path: Path, place: str
) -> None:
    urls = {"sqlite": f"sqlite:///{tmp_path}/s.sqlite3", "file": f"file:///{tmp_path}/sessions"}
    url = request.getfixturevalue("redis_url") if place == "redis" else urls.get(place, "memory:")
    manager = SessionManager(open_store(url))
    visitors = [Browser(manager) for _ in range(5)]

    for number, visitor in enumerate(visitors):
        visitor.put(number=number)

    visitors[0].log_in("ann")
    visitors[1].log_in("bob")
    visitors[2].visit(Session.renew)
    visitors[3].visit(Session.destroy)
    manager.revoke_all("bob")
    assert manager.count() == Count(live=3, owned=1, ownerless=2)
    manager.close()


def test_what_is_over_by_its_idle_or_by_the_absolute_limit_is_not_counted(
    make_manager: MakeManager, clock: FakeClock
) -> None:
    lenient = make_manager(ownerless_timeout=2 * DAY)
    Browser(lenient).put(a=1)
    Browser(lenient).log_in("ann")
    clock.advance(1)
    assert make_manager(absolute_timeout=1).count() == (0, 0, 0)
    clock.advance(2 * DAY)
    assert lenient.count() == (1, 1, 0)


def test_what_a_later_version_has_written_counts_and_what_is_damaged_does_not(
    manager: SessionManager, store: FullStore
) -> None:
    later_stub = NEWER.replace(b"L", b"S", 1)

    for payload in NEWER, later_stub, b"damaged":
        store.swap(new_key(), None, Record(payload, 1, NOW + 60, "ann"))

    assert manager.count() == (1, 1, 0)


def test_encrypted_sessions_are_counted_with_their_keys_and_without(clock: FakeClock) -> None:
    engine = MemoryStore(clock=clock)
    manager = SessionManager(EncryptedStore(engine, [keys.new_key()]), clock=clock)
    Browser(manager).put(a=1)
    Browser(manager).log_in("ann")
    assert manager.count() == count_sessions(engine.keys(), engine.get, clock) == (2, 1, 1)


def test_a_store_is_gone_through_without_being_held(clock: FakeClock) -> None:
    reads: list[int] = []
    engine = MemoryStore(clock=clock)

    def names() -> cabc.Iterator[str]:
        for number in range(1000):
            assert len(reads) == number, "the one before has been read, and is gone"
            yield new_key()

    def get(key: str) -> Record | None:
        reads.append(1)
        return engine.get(key)

    assert count_sessions(names(), get, clock) == (0, 0, 0)


def test_who_cannot_count_says_so(make_manager: MakeManager, clock: FakeClock) -> None:
    with pytest.raises(UnsupportedOperation, match="PlainStore cannot count its sessions"):
        make_manager(on=PlainStore(clock)).count()

    with pytest.raises(UnsupportedOperation, match="sealed into their cookies cannot be counted"):
        SealedSessionManager([keys.new_key()], policy=SessionPolicy()).count()
