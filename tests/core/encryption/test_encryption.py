"""What the engine of an encrypted store sees, and how a manager uses it."""

from __future__ import annotations

import os
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit.encryption import EncryptedStore
from sessionkit.errors import ConfigurationError
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Sweepable
from sessionkit.store import offers
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from sessionkit.testing import successor
from tests.core.encryption.support import NEW
from tests.core.encryption.support import OLD
from tests.core.encryption.support import put
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import PlainStore


class TestWhatTheEngineSees:
    def test_neither_data_nor_owner(self, engine: MemoryStore) -> None:
        key, _ = put(EncryptedStore(engine, [OLD]), b"a marked value", "ann@example.org")
        stored = engine.get(key)
        assert stored is not None
        assert stored.owner is not None
        assert b"marked" not in stored.payload
        assert b"example" not in stored.payload + stored.owner.encode()

    def test_the_same_data_twice_looks_different(self, engine: MemoryStore) -> None:
        store = EncryptedStore(engine, [OLD])
        key, record = put(store, bytes(1024))
        before = engine.get(key)
        assert store.swap(key, store.get(key), successor(record, bytes(1024)))
        after = engine.get(key)
        assert before is not None
        assert after is not None
        assert before.payload[100:] != after.payload[100:]
        blocks = [after.payload[start : start + 16] for start in range(0, 1024, 16)]
        assert len(set(blocks)) == len(blocks)

    def test_an_owner_has_another_name_under_another_key(self) -> None:
        names = set()

        for secret in (OLD, NEW):
            engine = MemoryStore()
            key, _ = put(EncryptedStore(engine, [secret]))
            names.add(getattr(engine.get(key), "owner", None))

        assert len(names) == 2


class TestAManager:
    def test_everything_works(self, engine: MemoryStore) -> None:
        manager = SessionManager(EncryptedStore(engine, [OLD]))
        browser = Browser(manager)
        browser.put(cart=["tea"])
        browser.log_in("ann", theme="dark")
        browser.visit(lambda session: session["cart"].append("milk"))
        assert browser.see() == {"cart": ["tea", "milk"], "theme": "dark"}
        assert len(manager.sessions_of("ann")) == 1
        assert manager.count() == (1, 1, 0)
        assert len(list(engine.keys())) == 2, "the session, and the stub of that before the login"
        assert manager.revoke_all("ann") == 1
        assert browser.see() == {}

    def test_an_unknown_key_answers_503_and_keeps_the_cookie(self, engine: MemoryStore) -> None:
        browser = Browser(SessionManager(EncryptedStore(engine, [NEW, OLD])))
        browser.log_in("ann")
        late = SessionManager(EncryptedStore(engine, [OLD]))
        session = late.open(browser.header)

        with pytest.raises(StoreUnavailable):
            session.get("a")

        assert late.commit(session) is None

    def test_a_store_of_three_methods_is_enough(self) -> None:
        plain = PlainStore(FakeClock(NOW))
        store = EncryptedStore(plain, [OLD])
        assert not any(offers(store, kind) for kind in (Moving, Owned, Sweepable, Enumerable))
        browser = Browser(SessionManager(store, clock=FakeClock(NOW)))
        browser.log_in("ann", a=1)
        browser.visit(lambda session: session.renew())
        assert browser.see() == {"a": 1}


class TestConfiguration:
    @pytest.mark.parametrize(
        "wrong", [None, "", [], [""], "text", ["short"], [os.urandom(31)], ["a" * 64], [7]]
    )
    def test_weak_keys_are_refused(self, engine: MemoryStore, wrong: t.Any) -> None:
        with pytest.raises(ConfigurationError) as caught:
            EncryptedStore(engine, wrong)

        assert "secret" in str(caught.value)
        assert "short" not in str(caught.value)

    def test_a_url_is_no_store(self) -> None:
        with pytest.raises(ConfigurationError, match="open_store"):
            EncryptedStore(t.cast(t.Any, "memory:"), [OLD])

    def test_the_key_is_not_shown(self, engine: MemoryStore) -> None:
        assert OLD not in repr(EncryptedStore(engine, [OLD]))
