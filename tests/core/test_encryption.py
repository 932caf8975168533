"""What the engine of an encrypted store sees, and what it cannot do."""

from __future__ import annotations

import logging
import os
import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit import keys
from sessionkit.encryption import EncryptedStore
from sessionkit.errors import ConfigurationError
from sessionkit.errors import NewerFormat
from sessionkit.errors import StoreUnavailable
from sessionkit.store import Enumerable
from sessionkit.store import Moving
from sessionkit.store import Owned
from sessionkit.store import Record
from sessionkit.store import Store
from sessionkit.store import Sweepable
from sessionkit.store import offers
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import FakeClock
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.core.support import NOW
from tests.core.support import Browser
from tests.core.support import PlainStore

OLD = keys.new_key()
NEW = keys.new_key()


@pytest.fixture
def engine() -> MemoryStore:
    return MemoryStore()


def put(store: Store, payload: bytes = b"payload", owner: str | None = "ann") -> tuple[str, Record]:
    key, record = new_key(), new_record(payload, owner=owner)
    assert store.swap(key, None, record)
    return key, record


def plant(engine: MemoryStore, key: str, record: Record) -> None:
    """Write to the engine behind the back of everybody, as somebody with its password can."""
    found = engine.get(key)
    assert found is None or engine.delete(key, found)
    assert engine.swap(key, None, record)


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


class TestAHostileEngine:
    def test_every_change_of_a_byte_is_noticed(
        self, engine: MemoryStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = EncryptedStore(engine, [OLD])
        key, _ = put(store, b"something")
        stored = engine.get(key)
        assert stored is not None

        for place in range(len(stored.payload)):
            changed = bytearray(stored.payload)
            changed[place] ^= 1 << place % 8
            plant(engine, key, stored._replace(payload=bytes(changed)))
            assert store.get(key) is None

        assert "cannot be decrypted" in caplog.text
        assert key not in caplog.text

    def test_every_truncation_is_noticed(self, engine: MemoryStore) -> None:
        store = EncryptedStore(engine, [OLD])
        key, _ = put(store)
        stored = engine.get(key)
        assert stored is not None

        for length in range(len(stored.payload)):
            plant(engine, key, stored._replace(payload=stored.payload[:length]))
            assert store.get(key) is None

        plant(engine, key, stored._replace(payload=stored.payload + b"!"))
        assert store.get(key) is None

    @pytest.mark.parametrize("field", ["version", "owner", "no owner"])
    def test_a_forged_field_is_noticed(self, engine: MemoryStore, field: str) -> None:
        store = EncryptedStore(engine, [OLD])
        key, record = put(store)
        other, _ = put(store, owner="bob")
        stored, others = engine.get(key), engine.get(other)
        assert stored is not None
        assert others is not None
        forged = {
            "version": stored._replace(version=record.version + 1),
            "owner": stored._replace(owner=others.owner),
            "no owner": stored._replace(owner=None),
        }[field]
        plant(engine, key, forged)
        assert store.get(key) is None

    def test_a_life_cannot_be_prolonged(self, engine: MemoryStore) -> None:
        store = EncryptedStore(engine, [OLD])
        key, record = put(store)
        stored = engine.get(key)
        assert stored is not None
        plant(engine, key, stored._replace(expires_at=stored.expires_at + 1e6))
        found = store.get(key)
        assert found is not None
        assert found.expires_at == record.expires_at

    def test_records_cannot_change_places(self, engine: MemoryStore) -> None:
        store = EncryptedStore(engine, [OLD])
        mine, _ = put(store, owner="mallory")
        theirs, _ = put(store, owner="ann")
        found = engine.get(theirs)
        assert found is not None
        plant(engine, mine, found)
        assert store.get(mine) is None

    def test_an_earlier_state_as_a_whole_is_believed(self, engine: MemoryStore) -> None:
        store = EncryptedStore(engine, [OLD])
        key, record = put(store)
        earlier = engine.get(key)
        assert earlier is not None
        assert store.swap(key, store.get(key), successor(record))
        plant(engine, key, earlier)
        assert store.get(key) == record

    def test_plain_records_are_not_believed(
        self, engine: MemoryStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING)
        key, _ = put(engine, b"made up", owner="ann")
        assert EncryptedStore(engine, [OLD]).get(key) is None
        assert "made up" not in caplog.text

    def test_what_is_no_record_at_all_is_absent(self, engine: MemoryStore) -> None:
        store = EncryptedStore(engine, [OLD])
        key, _ = put(store)
        stored = engine.get(key)
        assert stored is not None
        t.cast(t.Any, engine)._records[key] = Record(
            stored.payload, t.cast(t.Any, "1"), 0.0, "\udc00"
        )
        assert store.get(key) is None


class TestRotation:
    def test_an_older_key_decrypts_and_the_newest_encrypts(self, engine: MemoryStore) -> None:
        key, record = put(EncryptedStore(engine, [OLD]))
        both = EncryptedStore(engine, [NEW, OLD])
        found = both.get(key)
        assert found == record
        assert both.swap(key, found, successor(record))
        assert EncryptedStore(engine, [NEW]).get(key) == successor(record)

    def test_a_key_that_is_missing_is_no_log_out(self, engine: MemoryStore) -> None:
        key, record = put(EncryptedStore(engine, [NEW, OLD]))
        late = EncryptedStore(engine, [OLD])

        with pytest.raises(StoreUnavailable) as caught:
            late.get(key)

        assert not caught.value.unreachable
        assert key not in str(caught.value)
        assert not late.swap(key, None, successor(record))
        assert EncryptedStore(engine, [NEW]).get(key) == record

    def test_a_key_that_was_dropped_on_purpose_needs_an_empty_store(
        self, engine: MemoryStore
    ) -> None:
        browser = Browser(SessionManager(EncryptedStore(engine, [OLD])))
        browser.log_in("ann")
        store: t.Any = EncryptedStore(engine, [NEW])
        browser.manager = SessionManager(store)

        with pytest.raises(StoreUnavailable, match="clear the store"):
            dict(browser.open())

        store.clear()
        assert browser.see() == {}

    def test_an_owner_is_found_under_every_key(self, engine: MemoryStore) -> None:
        old, _ = put(EncryptedStore(engine, [OLD]))
        both = EncryptedStore(engine, [NEW, OLD])
        new, _ = put(both)
        both_: t.Any = both
        assert set(both_.owned_by("ann", 0.0)) == {old, new}
        assert list(both_.owned_by("bob", 0.0)) == []

    def test_the_index_follows_a_rewritten_record(self, engine: MemoryStore) -> None:
        key, record = put(EncryptedStore(engine, [OLD]))
        both = EncryptedStore(engine, [NEW, OLD])
        assert both.swap(key, both.get(key), successor(record))
        old_only: t.Any = EncryptedStore(engine, [OLD])
        assert list(old_only.owned_by("ann", 0.0)) == []


class TestTurningItOn:
    def test_what_was_there_before_is_read_if_that_is_wanted(self, engine: MemoryStore) -> None:
        key, record = put(engine)
        store: t.Any = EncryptedStore(engine, [OLD], accept_plaintext=True)
        assert store.get(key) == record
        assert list(store.owned_by("ann", 0.0)) == [key]
        assert store.swap(key, store.get(key), successor(record))
        stored = engine.get(key)
        assert stored is not None
        assert stored.owner != "ann"
        assert engine.owned_by("ann", 0.0) == []
        assert EncryptedStore(engine, [OLD]).get(key) == successor(record)

    def test_what_is_encrypted_cannot_be_swapped_for_garbage_then(
        self, engine: MemoryStore
    ) -> None:
        store = EncryptedStore(engine, [OLD], accept_plaintext=True)
        key, _ = put(store)
        stored = engine.get(key)
        assert stored is not None
        plant(engine, key, stored._replace(payload=stored.payload[:-1]))
        assert store.get(key) is None

    def test_a_server_that_does_not_decrypt_yet_leaves_sessions_alone(
        self, engine: MemoryStore
    ) -> None:
        new, old = SessionManager(EncryptedStore(engine, [OLD])), SessionManager(engine)
        browser = Browser(new)
        browser.log_in("ann")
        session = old.open(browser.header)

        with pytest.raises(NewerFormat):
            session["a"] = 1

        assert old.commit(session) is None
        assert new.open(browser.header).owner == "ann"


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
