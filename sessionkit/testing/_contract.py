"""get, swap and delete: what they do, one after the other."""

# ruff: noqa: S101

from __future__ import annotations

import time

from sessionkit.store import Record
from sessionkit.store import Store

from ._margin import WithMargin
from ._support import fields
from ._support import present
from .records import new_key
from .records import new_record
from .records import successor

#: The last second that every engine's calendar knows; what never expires has it.
FAR_FUTURE = 253402300799.0

ODD_OWNERS = (
    "a",
    "Ann",
    "ann",
    " both ends ",
    "a:b",
    "a/b\\c",
    "owner:",
    "*",
    "[a-z]?",
    "%s_%",
    "'; DROP TABLE sessions; --",
    '{"id": 1}',
    "0",
    "None",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{FULLWIDTH LATIN SMALL LETTER A}",
    "\N{RIGHT-TO-LEFT OVERRIDE}admin",
    "\N{PILE OF POO}",
    "x" * 255,
    "\N{PILE OF POO}" * 255,
)


class ContractTests(WithMargin):
    """The three methods that every store has."""

    def test_unknown_key(self, store: Store) -> None:
        key = new_key()
        record = new_record()
        assert store.get(key) is None
        assert store.swap(key, record, successor(record)) is False
        assert store.delete(key, record) is False
        assert store.get(key) is None

    def test_create(self, store: Store) -> None:
        key, record = new_key(), new_record(b"first")
        assert store.swap(key, None, record) is True
        found = present(store, key)
        assert fields(found) == fields(record)
        assert type(found.payload) is bytes
        assert type(found.version) is int
        assert type(found.expires_at) is float

    def test_create_where_something_is(self, store: Store) -> None:
        for owner in (None, "ann"):
            key, record = new_key(), new_record(b"first", owner=owner)
            assert store.swap(key, None, record)
            assert store.swap(key, None, new_record(b"second")) is False
            assert store.swap(key, None, new_record(b"second", owner="bob")) is False
            assert store.swap(key, None, record) is False, "the same record is no exception"
            assert fields(store.get(key)) == fields(record)

    def test_replace(self, store: Store) -> None:
        key, record = new_key(), new_record(b"first")
        assert store.swap(key, None, record)
        second = successor(record, b"second", expires_at=record.expires_at + 5)
        assert store.swap(key, present(store, key), second) is True
        assert fields(store.get(key)) == fields(second)
        third = successor(second, b"third", expires_at=record.expires_at - 5)
        assert store.swap(key, second, third) is True, "expected need not come from get"
        assert fields(store.get(key)) == fields(third)

    def test_replace_what_was_replaced(self, store: Store) -> None:
        key, record = new_key(), new_record(b"first")
        assert store.swap(key, None, record)
        stale = present(store, key)
        second = successor(record, b"second")
        assert store.swap(key, stale, second)
        assert store.swap(key, stale, successor(stale, b"late")) is False
        assert store.swap(key, record, successor(record, b"late")) is False
        assert fields(store.get(key)) == fields(second)

    def test_delete(self, store: Store) -> None:
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        assert store.delete(key, present(store, key)) is True
        assert store.get(key) is None
        assert store.delete(key, record) is False
        assert store.get(key) is None

    def test_delete_what_was_replaced(self, store: Store) -> None:
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        stale = present(store, key)
        second = successor(record)
        assert store.swap(key, stale, second)
        assert store.delete(key, stale) is False
        assert store.delete(key, record) is False
        assert fields(store.get(key)) == fields(second)

    def test_what_was_deleted_stays_deleted(self, store: Store) -> None:
        for owner in (None, "ann"):
            key, record = new_key(), new_record(owner=owner)
            assert store.swap(key, None, record)
            late = present(store, key)
            assert store.delete(key, record)
            assert store.swap(key, late, successor(late)) is False
            assert store.swap(key, record, successor(record)) is False
            assert store.get(key) is None

    def test_a_key_can_be_used_again(self, store: Store) -> None:
        key, record = new_key(), new_record(b"first")
        assert store.swap(key, None, record)
        late = present(store, key)
        assert store.delete(key, record)
        other = new_record(b"another session")
        assert store.swap(key, None, other)
        assert store.swap(key, late, successor(late)) is False
        assert store.delete(key, late) is False
        assert fields(store.get(key)) == fields(other)

    def test_keys_do_not_touch_each_other(self, store: Store) -> None:
        common = new_key()[:63]
        records = {f"{common}{digit:x}": new_record(b"%d" % digit) for digit in range(16)}
        for key, record in records.items():
            assert store.swap(key, None, record)
        gone, changed = f"{common}0", f"{common}1"
        assert store.delete(gone, records.pop(gone))
        second = successor(records[changed])
        assert store.swap(changed, records[changed], second)
        records[changed] = second
        assert store.get(gone) is None
        for key, record in records.items():
            assert fields(store.get(key)) == fields(record)

    def test_versions(self, store: Store) -> None:
        edges = (0, 1, 2**31, 2**32, 2**53, 2**53 + 1, 2**62, 2**63 - 3)
        for version in edges:
            key, record = new_key(), new_record(version=version)
            assert store.swap(key, None, record)
            assert present(store, key).version == version
            assert store.swap(key, record, successor(record))
            assert store.get(key) == successor(record)
            assert store.delete(key, successor(record))

    def test_versions_are_compared_exactly(self, store: Store) -> None:
        for version in (1, 2**31, 2**53, 2**53 + 1, 2**62, 2**63 - 2):
            key, record = new_key(), new_record(version=version)
            assert store.swap(key, None, record)
            for other in (version - 1, version + 1, version ^ 2**40, version % 2**32 or 2):
                wrong = record._replace(version=other)
                if other != version:
                    assert store.swap(key, wrong, successor(record)) is False
                    assert store.delete(key, wrong) is False
            assert fields(store.get(key)) == fields(record)

    def test_payloads(self, store: Store) -> None:
        every = bytes(range(256))
        payloads = (b"", b"\0", b"x", b"\r\n", b"*1\r\n$4\r\nPING\r\n", every, every * 4096)
        for payload in payloads:
            key, record = new_key(), new_record(payload)
            assert store.swap(key, None, record)
            assert store.get(key) == record
            second = successor(record, payload + b"!")
            assert store.swap(key, record, second)
            assert store.get(key) == second
            third = successor(second, payload)
            assert store.swap(key, second, third)
            assert store.get(key) == third
            assert store.delete(key, third)

    def test_owners(self, store: Store) -> None:
        for owner in ODD_OWNERS:
            key, record = new_key(), new_record(owner=owner)
            assert store.swap(key, None, record)
            assert present(store, key).owner == owner

    def test_the_owner_changes(self, store: Store) -> None:
        key, record = new_key(), new_record()
        assert store.swap(key, None, record)
        for owner in ("ann", "ann", "bob", None, None, "ann"):
            record, before = successor(record, owner=owner), record
            assert store.swap(key, before, record)
            assert fields(store.get(key)) == fields(record)
        assert store.delete(key, record)

    def test_what_just_expired_is_still_there(self, store: Store) -> None:
        # The core decides when a session has expired; a store that expires by itself waits longer.
        if self.margin < 30:
            return
        key, record = new_key(), new_record(expires_at=time.time() - 1)
        assert store.swap(key, None, record)
        assert fields(store.get(key)) == fields(record)
        second = successor(record)
        assert store.swap(key, record, second)
        assert fields(store.get(key)) == fields(second)
        assert store.delete(key, second)

    def test_expiries(self, store: Store) -> None:
        now = time.time()
        for expires_at in (now + 0.001, now + 1 / 3, now + 60, now + 40 * 86400, FAR_FUTURE):
            key, record = new_key(), new_record(expires_at=expires_at, owner="ann")
            assert store.swap(key, None, record)
            if expires_at > now + 30 or self.margin >= 30:
                assert present(store, key).expires_at == expires_at

    def test_what_expired_long_ago(self, store: Store) -> None:
        # A host whose clock is far behind: nothing may be raised, whatever the engine does.
        for expires_at in (time.time() - self.margin - 3600, 86400.0, 0.0):
            for owner in (None, "ann"):
                key, record = new_key(), new_record(expires_at=expires_at, owner=owner)
                assert store.swap(key, None, record) is True
                assert fields(store.get(key)) in (fields(record), None)
                alive = successor(record, expires_at=time.time() + 60)
                if store.swap(key, record, alive):
                    assert fields(store.get(key)) == fields(alive)
                else:
                    assert store.get(key) is None

    def test_a_record_can_live_longer_than_it_was_to(self, store: Store) -> None:
        key, record = new_key(), new_record(expires_at=time.time() + 1)
        assert store.swap(key, None, record)
        longer = successor(record, expires_at=time.time() + 86400)
        assert store.swap(key, record, longer)
        shorter = successor(longer, expires_at=time.time() + 60)
        assert store.swap(key, longer, shorter)
        assert fields(store.get(key)) == fields(shorter)

    def test_a_record_is_plain(self, store: Store) -> None:
        key, record = new_key(), new_record(owner="ann")
        assert store.swap(key, None, record)
        found = present(store, key)
        assert isinstance(found, Record)
        assert type(found.owner) is str
