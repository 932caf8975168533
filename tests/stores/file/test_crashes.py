"""What is found in a file that somebody was killed while writing, or that somebody has damaged."""

from __future__ import annotations

import os
import random
import time
import typing as t
from pathlib import Path

import pytest

from sessionkit.stores._file_record import encode
from sessionkit.stores.file import FileStore
from sessionkit.testing import new_key
from sessionkit.testing import new_record
from sessionkit.testing import successor
from tests.stores.file.support import assert_works
from tests.stores.file.support import file_of
from tests.stores.file.support import files
from tests.stores.file.support import replace
from tests.stores.file.support import write

SIZES = (10, 3000, 60_000)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "sessions")


def cuts(length: int) -> list[int]:
    """Where a write may have been cut off: everywhere in its head, and at some more places."""
    return [*range(min(60, length)), *range(60, length, length // 10 + 1), length - 1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("writes", [1, 2, 3])
def test_a_write_that_was_cut_off_was_none(store: FileStore, size: int, writes: int) -> None:
    key = write(store, os.urandom(size) + b"1")
    for number in range(2, writes + 1):
        replace(store, key, os.urandom(size) + b"%d" % number)
    record, file = store.get(key), file_of(store, key)
    assert record is not None
    before = file.read_bytes()
    slot = encode(key, successor(record, os.urandom(size) + b"%d" % (writes + 1)), writes + 1)
    offset = writes % 2 * len(before) // 2
    for cut in cuts(len(slot)):
        file.write_bytes(before[:offset] + slot[:cut] + before[offset + cut :])
        assert store.get(key) == record
        assert store.count(0.0) == 1
        if cut % 7 == 0:
            record = replace(store, key, os.urandom(size))
            file.write_bytes(before)
            record = store.get(key)
            assert record is not None
    file.write_bytes(before[:offset] + slot + before[offset + len(slot) :])
    found = store.get(key)
    assert found is not None
    assert found.version == record.version + 1


@pytest.mark.parametrize("size", SIZES)
def test_a_session_whose_creation_was_cut_off_is_none(store: FileStore, size: int) -> None:
    key = write(store, os.urandom(size))
    file = file_of(store, key)
    whole = file.read_bytes()
    for cut in cuts(len(whole) // 2):
        for padding in (0, len(whole) - cut):
            file.write_bytes(whole[:cut] + bytes(padding))
            if padding and not any(whole[cut:]):
                continue  # nothing was missing
            assert store.get(key) is None
            assert store.swap(key, new_record(), new_record()) is False
            assert store.delete(key, new_record()) is False
            assert list(store.keys()) == []
    file.write_bytes(whole[:30])
    record = new_record(os.urandom(size))
    assert store.swap(key, None, record)
    assert store.get(key) == record


def truncated(data: bytes) -> bytes:
    return data[:-1]


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(data: bytes) -> bytes:
    return b""


def zeroed(data: bytes) -> bytes:
    return bytes(len(data))


def randomized(data: bytes) -> bytes:
    return os.urandom(len(data))


def of_another_application(data: bytes) -> bytes:
    return b"\x80\x04}\x94(\x8c\x04user\x94K\x01u." * 10


def grown(data: bytes) -> bytes:
    return data + b"!"


DAMAGES = (truncated, halved, emptied, zeroed, randomized, of_another_application, grown)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("size", SIZES)
def test_a_damaged_file_is_no_session(
    store: FileStore, damage: t.Callable[[bytes], bytes], size: int
) -> None:
    key = write(store, os.urandom(size))
    record = replace(store, key, os.urandom(size))
    file = file_of(store, key)
    file.write_bytes(damage(file.read_bytes()))
    assert_works(store, key)
    assert store.swap(key, record, successor(record)) is False
    other = new_record(os.urandom(size), owner="ann")
    assert store.swap(key, None, other) is True
    assert store.get(key) == other
    assert key in store.owned_by("ann", 0.0)


@pytest.mark.parametrize("size", SIZES)
def test_no_changed_byte_changes_a_session(store: FileStore, size: int) -> None:
    key = write(store, os.urandom(size))
    record, file = store.get(key), file_of(store, key)
    whole = file.read_bytes()
    for place in [*range(60), *random.sample(range(len(whole)), 300)]:
        changed = bytearray(whole)
        changed[place] ^= 1 << random.randrange(8)
        file.write_bytes(changed)
        assert store.get(key) in (None, record)


class TestSweep:
    def test_what_the_killed_have_left_goes(self, store: FileStore, tmp_path: Path) -> None:
        kept, cut = write(store), write(store)
        for damaged in (cut, write(store)):
            os.truncate(file_of(store, damaged), 100)
        (file_of(store, kept).parent / "new").write_bytes(b"half")
        store._index.add("ann", new_key())
        assert store.sweep(time.time()) == 0
        assert file_of(store, cut).exists(), "it is too new"
        assert store.sweep(time.time() + store.margin + 1) == 0
        assert sorted(name[-64:] for name in files(store)) == [kept, kept]

    def test_an_entry_that_leads_to_nothing_goes_when_it_is_listed(self, store: FileStore) -> None:
        key, gone, lost = write(store), write(store), new_key()
        file_of(store, gone).unlink()
        store._index.add("ann", lost)
        assert store.owned_by("ann", 0.0) == [key]
        assert len(files(store)) == 2

    def test_an_entry_that_leads_to_a_damaged_file_stays(self, store: FileStore) -> None:
        key = write(store)
        os.truncate(file_of(store, key), 100)
        assert store.owned_by("ann", 0.0) == [key]

    def test_a_little_at_a_time_reaches_everything(self, store: FileStore) -> None:
        now = time.time()
        due = now - store.margin - 1
        for expires_at in [now] * 700 + [due] * 40:
            assert store.swap(new_key(), None, new_record(expires_at=expires_at))
        assert sum(store.sweep(now, 10) for _ in range(6)) == 40
        assert store.count(0.0) == 700

    def test_a_little_does_not_look_at_everything(
        self, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(1000):
            assert store.swap(new_key(), None, new_record())
        looked: list[str] = []
        is_due = store._is_due

        def spy(key: str, due: float) -> bool:
            looked.append(key)
            return is_due(key, due)

        monkeypatch.setattr(store, "_is_due", spy)
        for _ in range(2):
            assert store.sweep(time.time(), 10) == 0
        assert len(looked) == 2 * 520
        assert len(set(looked)) == 1000
