"""What a hostile engine can do: nothing that is not noticed."""

from __future__ import annotations

import logging
import typing as t

import pytest

from sessionkit.encryption import EncryptedStore
from sessionkit.store import Record
from sessionkit.stores.memory import MemoryStore
from sessionkit.testing import successor
from tests.core.encryption.support import OLD
from tests.core.encryption.support import plant
from tests.core.encryption.support import put


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
