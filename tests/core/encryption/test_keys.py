"""New keys, lost keys, and records from before there were keys."""

from __future__ import annotations

import typing as t

import pytest

from sessionkit import SessionManager
from sessionkit.encryption import EncryptedStore
from sessionkit.errors import NewerFormat
from sessionkit.errors import StoreUnavailable
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import successor
from tests.core.encryption.support import NEW
from tests.core.encryption.support import OLD
from tests.core.encryption.support import plant
from tests.core.encryption.support import put
from tests.core.support import Browser


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
